"""Canvas: lines 1 to 13 of the checklist, login and id_token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import jwt
import pytest

from demo_lms import FormPost, LaunchRefused, Platform, Refusal, SigningKey
from demo_lms.dialects import CANVAS

from .dialect_tool import AGS_CLAIM, MEMBERSHIP, DialectTool, lms
from .tool import LTI, REDIRECT

PLACEMENT = "https://www.instructure.com/placement"
HEX40 = re.compile(r"^[0-9a-f]{40}$")
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


@pytest.fixture
def canvas(platform_key: SigningKey, tool_key: SigningKey) -> Iterator[DialectTool]:
    with lms(CANVAS, platform_key, tool_key, "10000000000002", "3:" + "a" * 40) as tool:
        yield tool


def test_canvas_01_login_is_a_post_with_canvas_parameters(canvas: DialectTool) -> None:
    canvas.platform.platform_storage = True
    start = canvas.platform.begin_launch("u-1", "rl-1")
    assert start.method == "POST"
    assert start.fields == {
        "iss": canvas.platform.issuer,
        "login_hint": start.fields["login_hint"],
        "client_id": "10000000000002",
        "target_link_uri": REDIRECT,
        "lti_message_hint": start.hint,
        "canvas_region": "not_configured",
        "canvas_environment": "prod",
        "deployment_id": "3:" + "a" * 40,
        "lti_storage_target": "post_message_forwarding",
    }
    assert HEX40.match(start.fields["login_hint"])
    assert start.fields["login_hint"] != canvas.launch()["sub"]
    assert jwt.get_unverified_header(start.hint)["alg"] == "HS256"


@pytest.mark.parametrize("name", ["deployment_id", "lti_deployment_id", ""])
def test_canvas_01_the_deployment_has_either_name_or_none(canvas: DialectTool, name: str) -> None:
    canvas.platform.switches["deployment_parameter"] = name
    fields = canvas.platform.begin_launch("u-1", "rl-1").fields
    assert {"deployment_id", "lti_deployment_id"} & set(fields) == ({name} if name else set())


def test_canvas_02_a_missing_parameter_is_posted_to_the_tool(canvas: DialectTool) -> None:
    fields = canvas.error(canvas.platform.begin_launch("u-1", "rl-1"), nonce=None)
    assert fields == {
        "error": "invalid_request_object",
        "error_description": "The following parameters are missing: nonce",
        "state": "state-1",
    }
    also = canvas.error(canvas.platform.begin_launch("u-1", "rl-1"), prompt=None, response_mode=None)
    assert also["error_description"].endswith("missing: prompt, response_mode")


def test_canvas_03_scope_must_be_openid(canvas: DialectTool) -> None:
    fields = canvas.error(canvas.platform.begin_launch("u-1", "rl-1"), scope="openid profile")
    assert fields["error"] == "invalid_request_object"
    assert fields["error_description"] == "The 'scope' must be 'openid'"


def test_canvas_04_redirect_uris_match_up_to_their_query(canvas: DialectTool) -> None:
    start = canvas.platform.begin_launch("u-1", "rl-1")
    refused = canvas.answer(start, redirect_uri="http://127.0.0.1:5000/other")
    assert refused == Refusal(400, "invalid_request", "Invalid redirect_uri")
    answer = canvas.answer(start, redirect_uri=REDIRECT + "?extra=1")
    assert isinstance(answer, FormPost)
    assert answer.url == REDIRECT + "?extra=1"
    unknown = canvas.answer(canvas.platform.begin_launch("u-1", "rl-1"), client_id="nobody")
    assert isinstance(unknown, Refusal)
    assert unknown.status == 404


def test_canvas_05_another_users_hint_means_login_required(canvas: DialectTool) -> None:
    start = canvas.platform.begin_launch("u-1", "rl-1")
    other = canvas.platform.begin_launch("u-2", "rl-1").fields["login_hint"]
    assert canvas.error(start, login_hint=other)["error"] == "login_required"


def test_canvas_05_without_a_session_the_tool_hears_nothing(canvas: DialectTool) -> None:
    url = canvas.authentication(canvas.platform.begin_launch("u-1", "rl-1").fields)
    first = canvas.http.get(url, timeout=5)
    assert first.status_code == 200
    assert 'name="retried"' in first.text
    assert canvas.http.get(first.url + "&retried=true", timeout=5).status_code == 401


def test_canvas_06_a_hint_works_once_and_for_five_minutes(canvas: DialectTool) -> None:
    start = canvas.platform.begin_launch("u-1", "rl-1")
    canvas.claims(start)
    assert canvas.error(start)["error"] == "launch_no_longer_valid"
    canvas.clock.let_pass(seconds=301)
    late = canvas.answer(start)
    assert late == Refusal(400, "invalid_request", "Invalid lti_message_hint")
    url = canvas.authentication(canvas.platform.begin_launch("u-1", "rl-1").fields, lti_message_hint="junk")
    page = canvas.http.get(url, timeout=5)
    assert page.status_code == 400
    assert "Invalid lti_message_hint" in page.text


def test_canvas_06_authorize_redirect_sends_on_what_it_knows(canvas: DialectTool) -> None:
    start = canvas.platform.begin_launch("u-1", "rl-1")
    url = canvas.authentication(start.fields) + "&" + urlencode({"junk": "x"})
    onward = canvas.http.get(url, timeout=5, allow_redirects=False)
    assert onward.status_code == 302
    assert onward.headers["Location"].startswith(canvas.server.url + "/api/lti/authorize?")
    assert "junk" not in onward.headers["Location"]


def test_canvas_07_a_disabled_key_is_an_unauthorized_client(canvas: DialectTool) -> None:
    start = canvas.platform.begin_launch("u-1", "rl-1")
    canvas.platform.tools[canvas.client_id].enabled = False
    assert canvas.error(start)["error"] == "unauthorized_client"


def test_canvas_08_the_token_lives_an_hour_and_keys_change(canvas: DialectTool) -> None:
    start = canvas.platform.begin_launch("u-1", "rl-1")
    first = canvas.claims(start, nonce="n-8")
    assert first["exp"] - first["iat"] == 3600
    assert (first["aud"], first["azp"], first["nonce"]) == (canvas.client_id, canvas.client_id, "n-8")
    kid = "2026-12-01T01:16:43Z_0b5c9a3e-7a52-4d0e-9c56-0a8a2c7f1d11"
    canvas.platform.rotate_keys(SigningKey(kid, canvas.platform.keys.current.private))
    answer = canvas.answer(canvas.platform.begin_launch("u-1", "rl-1"))
    assert isinstance(answer, FormPost)
    assert jwt.get_unverified_header(answer.fields["id_token"])["kid"] == kid
    published = canvas.http.get(canvas.platform.jwks_url, timeout=5)
    assert kid in [key["kid"] for key in published.json()["keys"]]
    assert "max-age" in published.headers["Cache-Control"]
    named = Platform(dialect=CANVAS).keys.current.kid
    assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", named), "kids look like dates"


def test_canvas_09_navigation_and_assignment_launches_differ(canvas: DialectTool) -> None:
    menu = canvas.claims(canvas.platform.begin_placement_launch("u-1", "c-1", placement="course_navigation"))
    context = menu[LTI + "context"]
    assert HEX40.match(context["id"])
    assert menu[LTI + "resource_link"]["id"] == context["id"]
    assert menu[PLACEMENT] == "course_navigation"
    assert "lineitem" not in menu[AGS_CLAIM]
    made = canvas.platform.add_link("c-1", "Assignment", score_maximum=5)
    work = canvas.launch(link=made.id)
    assert UUID.match(work[LTI + "resource_link"]["id"])
    assert "lineitem" in work[AGS_CLAIM]
    assert work[PLACEMENT] is None


def test_canvas_10_privacy_and_public_courses_leave_claims_out(canvas: DialectTool) -> None:
    assert canvas.launch()[LTI + "lis"]["person_sourcedid"] == "$Person.sourcedId"
    canvas.platform.tools[canvas.client_id].privacy = "anonymous"
    claims = canvas.launch()
    assert UUID.match(claims["sub"])
    assert not {"name", "given_name", "family_name", "email", "picture", LTI + "lis"} & set(claims)
    canvas.platform.add_person("visitor", anonymous=True)
    canvas.platform.enrol("c-1", "visitor")
    public = canvas.launch("visitor")
    assert not {"sub", "name", LTI + "lti11_legacy_user_id"} & set(public)


def test_canvas_11_variables_keep_their_types_and_unknown_ones_their_text(canvas: DialectTool) -> None:
    custom = canvas.custom(
        history="$ResourceLink.id.history", points="$Canvas.assignment.pointsPossible", user="$User.id"
    )
    assert custom == {
        "history": "$ResourceLink.id.history",
        "points": 100,
        "user": canvas.platform.user_id("u-1"),
    }
    canvas.platform.links["rl-1"].custom = {"n": 5, "b": True, "none": None}
    assert canvas.launch()[LTI + "custom"] == {"n": 5, "b": True, "none": None}


def test_canvas_12_roles_are_of_the_course_and_of_the_account(canvas: DialectTool) -> None:
    person = "http://purl.imsglobal.org/vocab/lis/v2/institution/person"
    roles = canvas.launch("tau")[LTI + "roles"]
    assert {f"{MEMBERSHIP}/Instructor#TeachingAssistant", f"{MEMBERSHIP}#Instructor"} <= set(roles)
    canvas.platform.add_course("c-2", "Elsewhere")
    canvas.platform.enrol("c-2", "u-1", "Instructor")
    roles = canvas.launch("u-1")[LTI + "roles"]
    assert {f"{person}#Instructor", f"{person}#Student", f"{MEMBERSHIP}#Learner"} <= set(roles)
    assert f"{MEMBERSHIP}#Instructor" not in roles
    assert roles == sorted(set(roles))
    canvas.platform.add_person("test", "Test Student")
    canvas.platform.enrol("c-1", "test", "TestUser")
    roles = canvas.launch("test")[LTI + "roles"]
    assert {"http://purl.imsglobal.org/vocab/lti/system/person#TestUser", f"{MEMBERSHIP}#Learner"} <= set(
        roles
    )


def test_canvas_13_a_deployment_can_first_be_seen_at_launch(canvas: DialectTool) -> None:
    second = canvas.platform.add_deployment(canvas.client_id, "c-1")
    assert re.match(r"^\d+:[0-9a-f]{40}$", second)
    made = canvas.platform.add_link("c-1", "By the second")
    assert canvas.launch()[LTI + "deployment_id"] == "3:" + "a" * 40
    claims = canvas.launch(link=made.id)
    assert (claims["aud"], claims[LTI + "deployment_id"]) == (canvas.client_id, second)


def test_canvas_shows_its_own_page_for_unpublished_and_foreign_addresses(canvas: DialectTool) -> None:
    canvas.platform.links["rl-1"].url = "https://elsewhere.test/launch"
    with pytest.raises(LaunchRefused, match="not configured"):
        canvas.platform.begin_launch("u-1", "rl-1")
    canvas.platform.links["rl-1"].url = REDIRECT
    canvas.platform.set_published("rl-1", False)
    canvas.launch("dana")
    with pytest.raises(LaunchRefused, match="published"):
        canvas.platform.begin_launch("u-1", "rl-1")
    canvas.be("u-1")
    assert "not been published" in canvas.page("/start/c-1/link/rl-1")


def test_canvas_says_lineitems_by_http_though_it_is_served_by_https(
    platform_key: SigningKey, tool_key: SigningKey
) -> None:
    platform = Platform("https://canvas.test", dialect=CANVAS, keys=[platform_key])
    platform.add_tool("1", "https://tool.test/login", ["https://tool.test/launch"])
    platform.add_person("u-1", "Demo Teacher")
    platform.add_course("c-1")
    platform.enrol("c-1", "u-1")
    platform.add_link("c-1", "Work", link_id="rl-1", score_maximum=1)
    ags = platform.claims_for("u-1", "rl-1")[AGS_CLAIM]
    assert ags["lineitems"].startswith("http://canvas.test/")
    assert ags["lineitem"].startswith("https://canvas.test/")
