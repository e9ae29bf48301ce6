"""Moodle: sections B1 to B6 and B11 of its sheet, login, id_token, picker and registration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests

from demo_lms import DeepLinkError, FormPost, Refusal, SigningKey
from demo_lms.dialects import MOODLE
from demo_lms.registration import new_registration_token

from .dialect_tool import AGS_CLAIM, MEMBERSHIP, NRPS_CLAIM, DialectTool, Picker, item, lms
from .test_registration import BODY, CONFIG
from .tool import AGS, DL, LTI, REDIRECT, form_in

DATES = {"submission": {"endDateTime": "2027-01-15T23:59:00Z"}}


@pytest.fixture
def moodle(platform_key: SigningKey, tool_key: SigningKey) -> Iterator[DialectTool]:
    with lms(MOODLE, platform_key, tool_key, "tbdJZXpYr3GPcKq", "7") as tool:
        yield tool


def test_moodle_b1_addresses_and_ids_are_moodles(moodle: DialectTool) -> None:
    platform = moodle.platform
    assert platform.auth_url == f"{platform.issuer}/mod/lti/auth.php"
    assert platform.token_url == f"{platform.issuer}/mod/lti/token.php"
    assert platform.jwks_url == f"{platform.issuer}/mod/lti/certs.php"
    assert moodle.launch()[LTI + "deployment_id"] == "7"
    kid = platform.key_ring([]).current.kid
    assert int(kid, 16)


def test_moodle_b2_login_is_a_post_with_a_json_hint(moodle: DialectTool) -> None:
    moodle.platform.platform_storage = True
    start = moodle.platform.begin_launch("u-1", "rl-1")
    assert start.method == "POST"
    assert set(start.fields) == {
        "iss", "target_link_uri", "login_hint", "lti_message_hint", "client_id", "lti_deployment_id",
    }  # fmt: skip
    hint = json.loads(start.hint)
    assert (set(hint), hint["launchid"][:10]) == ({"cmid", "launchid"}, "ltilaunch7")
    claims = moodle.claims(start)
    assert start.fields["login_hint"] == claims["sub"]
    assert claims["sub"].isdecimal()


def test_moodle_b2_a_hint_works_once(moodle: DialectTool) -> None:
    start = moodle.platform.begin_launch("u-1", "rl-1")
    moodle.claims(start)
    assert moodle.answer(start) == Refusal(404, "invalid_request", "Invalid request")


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": REDIRECT + "?x=1"},
        {"lti_message_hint": None},
        {"lti_message_hint": "junk"},
        {"nonce": None},
        {"scope": "openid profile"},
        {"response_type": "code"},
    ],
)
def test_moodle_b3_most_mistakes_end_on_moodles_own_page(
    moodle: DialectTool, changes: dict[str, str | None]
) -> None:
    moodle.be("u-1")
    url = moodle.authentication(moodle.platform.begin_launch("u-1", "rl-1").fields, **changes)
    answer = moodle.http.get(url, timeout=5)
    assert (answer.status_code, "Invalid request" in answer.text) == (404, True)
    assert 'id="onward"' not in answer.text


def test_moodle_b3_four_mistakes_are_posted_to_the_tool(moodle: DialectTool) -> None:
    moodle.platform.add_tool("other", "http://x.test/login", ["http://x.test/launch"], deployment_id="8")
    start = moodle.platform.begin_launch("u-1", "rl-1")
    other = moodle.error(start, client_id="other")
    assert (other["error"], other["state"]) == ("unauthorized_client", "state-1")
    assert moodle.error(start, login_hint="99")["error"] == "access_denied"
    for changes, said in (
        ({"response_mode": None}, "Invalid response_mode"),
        ({"response_mode": "query"}, "Invalid response_mode"),
        ({"prompt": "login"}, "Invalid prompt"),
    ):
        fields = moodle.error(start, **changes)
        assert (fields["error"], fields["error_description"]) == ("invalid_request", said)
    assert moodle.claims(start, prompt=None)["aud"] == moodle.client_id


def test_moodle_b3_text_that_looks_like_html_is_taken_away(moodle: DialectTool) -> None:
    answer = moodle.answer(moodle.platform.begin_launch("u-1", "rl-1"), state="a<b>c", nonce="x<y>z")
    assert isinstance(answer, FormPost)
    assert answer.fields["state"] == "ac"
    assert jwt.decode(answer.fields["id_token"], options={"verify_signature": False})["nonce"] == "xz"
    bare = moodle.answer(moodle.platform.begin_launch("u-1", "rl-1"), state=None)
    assert isinstance(bare, FormPost)
    assert bare.fields["state"] == ""


def test_moodle_b3_without_a_cookie_the_request_comes_again(moodle: DialectTool) -> None:
    url = moodle.authentication(moodle.platform.begin_launch("u-1", "rl-1").fields)
    again = form_in(requests.get(url, timeout=5).text)
    assert (again.action, again.fields["repost"]) == (moodle.platform.auth_url, "true")
    moodle.be("u-1")
    assert "id_token" in form_in(moodle.http.post(again.action, data=again.fields, timeout=5).text).fields


def test_moodle_b5_the_token_lives_a_minute_and_has_moodles_claims(moodle: DialectTool) -> None:
    moodle.platform.links["rl-1"].text = "<p>Show <b>ideas</b></p>"
    claims = moodle.launch()
    assert claims["exp"] - claims["iat"] == 60
    assert not {"azp", "nbf", "picture"} & set(claims)
    assert claims["aud"] == moodle.client_id
    assert claims[LTI + "context"]["type"] == ["CourseSection"]
    assert claims[LTI + "resource_link"]["description"] == "Show ideas"
    assert claims[LTI + "lis"] == {"person_sourcedid": "", "course_section_sourcedid": ""}
    assert claims[LTI + "tool_platform"]["product_family_code"] == "moodle"
    assert claims[LTI + "ext"]["lms"] == "moodle-2"
    assert "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome" in claims
    assert "sesskey=" in claims[LTI + "launch_presentation"]["return_url"]
    moodle.platform.tools[moodle.client_id].privacy = "email_only"
    shared = moodle.launch()
    assert ("name" in shared, "email" in shared) == (False, True)


def test_moodle_b5_there_are_only_two_roles(moodle: DialectTool) -> None:
    for person, role in (("u-1", "Learner"), ("dana", "Instructor"), ("tau", "Instructor")):
        assert moodle.launch(person)[LTI + "roles"] == [f"{MEMBERSHIP}#{role}"]
    admin = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator"
    moodle.platform.people["u-2"].extra_roles = [admin]
    roles = moodle.launch("u-2")[LTI + "roles"]
    assert roles == sorted(roles)
    assert {f"{MEMBERSHIP}#Instructor", admin} <= set(roles)
    assert f"{MEMBERSHIP}#Learner" not in roles


def test_moodle_b5_lineitem_goes_when_a_link_has_two(moodle: DialectTool) -> None:
    ags = moodle.launch()[AGS_CLAIM]
    assert ags["lineitem"].endswith("/lineitem?type_id=7")
    assert ags["lineitems"].endswith("/lineitems?type_id=7")
    assert moodle.make_item(resourceLinkId="rl-1").status_code == 201
    assert "lineitem" not in moodle.launch()[AGS_CLAIM]


def test_moodle_b5_members_come_once_the_tool_is_in_the_course(moodle: DialectTool) -> None:
    claims = moodle.launch()
    url = claims[NRPS_CLAIM]["context_memberships_url"]
    assert claims[NRPS_CLAIM]["service_versions"] == ["1.0", "2.0"]
    assert claims[LTI + "custom"]["context_memberships_url"] == url
    moodle.platform.add_course("c-2")
    moodle.platform.enrol("c-2", "dana", "Instructor")
    first = Picker(moodle, course="c-2")
    assert NRPS_CLAIM not in first.claims
    assert set(first.claims[LTI + "launch_presentation"]) == {"locale"}


def test_moodle_b5_custom_parameters(moodle: DialectTool) -> None:
    moodle.platform.tools[moodle.client_id].custom = {"both": "of the site", "id": "$User.id"}
    custom = moodle.custom(
        **{
            "both": "of the activity",
            "Mixed.Case": "x",
            "history": "$ResourceLink.id.history",
            "start": "$ResourceLink.available.startDateTime",
            "due": "$ResourceLink.submission.endDateTime",
            "escaped": "\\$User.id",
            "inside": "x $User.id",
            "groups": "$Moodle.Person.userGroupIds",
            "context": "$Context.id.history",
        }
    )
    assert custom["both"] == "of the site"
    assert (custom["Mixed.Case"], custom["mixed_case"]) == ("x", "x")
    assert custom["history"] == "$ResourceLink.id.history"
    assert custom["start"] == "$ResourceLink.available.startDateTime"
    assert custom["due"] == "$ResourceLink.submission.endDateTime"
    assert (custom["escaped"], custom["inside"]) == ("$User.id", "x $User.id")
    assert (custom["groups"], custom["context"]) == ("", "")
    assert custom["id"] == moodle.platform.user_id("u-1")


def test_moodle_b5_known_variables_without_a_value_are_empty(moodle: DialectTool) -> None:
    moodle.platform.links["rl-1"].text = "Show <b>ideas</b>"
    known = {
        "text": "$ResourceLink.description",
        "summary": "$Context.longDescription",
        "street": "$Person.address.street1",
        "result": "$Result.sourcedId",
    }
    custom = moodle.custom(**known)
    assert [custom[name] for name in known] == ["Show ideas", "", "", ""]


def test_moodle_b5_the_front_page_of_the_site_is_a_group(moodle: DialectTool) -> None:
    moodle.platform.add_course("1", "Site")
    moodle.platform.enrol("1", "u-1")
    link = moodle.platform.add_link("1", "Idea Shaper")
    assert moodle.launch(link=link.id)[LTI + "context"]["type"] == ["Group"]


def test_moodle_b5_a_review_says_who_and_nothing_more(moodle: DialectTool) -> None:
    claims = moodle.claims(moodle.platform.begin_review("dana", moodle.item, "u-1"))
    assert claims[LTI + "message_type"] == "LtiSubmissionReviewRequest"
    assert claims[LTI + "for_user"] == {"user_id": moodle.platform.user_id("u-1")}


# -- B6: the picker ----------------------------------------------------------------------------


def test_moodle_b6_settings_have_no_data_and_take_links_only(moodle: DialectTool) -> None:
    picker = Picker(moodle)
    assert picker.settings == {
        "accept_types": ["ltiResourceLink"],
        "accept_multiple": True,
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "auto_create": False,
        "deep_link_return_url": picker.url,
        "title": "",
        "text": "",
    }
    assert "sesskey=" in picker.url
    with pytest.raises(DeepLinkError):
        moodle.platform.take_deep_link_response(picker.url[:-3] + "xyz", "x.y.z")


def test_moodle_b6_one_item_fills_a_form_that_must_be_saved(moodle: DialectTool) -> None:
    picker = Picker(moodle)
    picker.post(item(**DATES, html="<p>Show it</p>"))
    assert list(moodle.platform.links) == ["rl-1"]
    (draft,) = moodle.platform.drafts
    made = moodle.platform.save_draft(draft)
    (link,), (column,) = made.links, made.line_items
    assert (link.title, link.text, link.submission) == ("Feedback in Action", "<p>Show it</p>", {})
    assert column.label == "Feedback in Action", "the line item's label is ignored"
    assert (column.resource_id, column.tag, column.end) == ("p-7", "main", "")
    assert link.published
    again = picker.take(item(title="Once more"))
    assert again.draft is not None, "the address can be answered again"


def test_moodle_b6_every_item_becomes_an_activity(moodle: DialectTool) -> None:
    made = Picker(moodle).take(
        {"type": "link", "url": "https://example.org/", "title": "Read"},
        item(lineItem=...),
        item(custom={"yes": True, "no": False, "n": 5, "null": None, "lines": "a\nb=c"}),
    )
    assert made.draft is not None
    moodle.be("dana")
    assert "Save and return to course" in moodle.page(f"/drafts/{made.draft.id}")
    saved = moodle.platform.save_draft(made.draft.id)
    assert [link.kind for link in saved.links] == ["ltiResourceLink"] * 3
    assert len(saved.line_items) == 1
    launched = moodle.launch(link=saved.links[0].id)
    assert launched[LTI + "target_link_uri"] == "https://example.org/"
    assert "lineitem" not in moodle.launch(link=saved.links[1].id)[AGS_CLAIM]
    custom = {"yes": "1", "no": "", "n": "5", "null": "", "lines": "a", "b": "c"}
    assert saved.links[2].custom == custom


def test_moodle_b6_what_is_and_is_not_checked_of_a_response(moodle: DialectTool) -> None:
    free = {"aud": "nobody", "nonce": None, LTI + "version": None, LTI + "deployment_id": "x", "exp": None}
    assert Picker(moodle).take(item(), **free).draft is not None
    now = int(moodle.clock().timestamp())
    wrong: tuple[dict[str, Any], ...] = ({"iss": "http://t.test"}, {"exp": now - 1}, {"iat": now + 5})
    for changes in wrong:
        answer = Picker(moodle).post(item(), **changes)
        assert answer.status_code == 400
        assert "Nothing was added" in answer.text


def test_moodle_b6_words_and_no_items(moodle: DialectTool) -> None:
    assert Picker(moodle).take().draft is None
    Picker(moodle).post(item(), **{DL + "errormsg": "Sorry.", DL + "msg": "Fine."})
    assert moodle.platform.drafts == {}
    page = moodle.page("/courses/c-1")
    assert "Sorry." in page
    assert "Fine." in page


# -- B11: registration -------------------------------------------------------------------------


def register(moodle: DialectTool, token: str, body: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = body if isinstance(body, str) else json.dumps(body)
    return moodle.http.post(moodle.platform.endpoint_url("register"), data=data, headers=headers, timeout=5)


def test_moodle_b11_a_new_tool_is_pending_and_not_in_the_chooser(moodle: DialectTool) -> None:
    token = new_registration_token(moodle.platform)
    seen = jwt.decode(token, options={"verify_signature": False})
    answer = register(moodle, token, BODY | {"scope": f"{AGS}score"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["client_id"], len(body["client_id"])) == (seen["sub"], 15)
    assert body[CONFIG]["deployment_id"] == "8"
    assert "registration_client_uri" not in body
    assert f"{AGS}lineitem" in body["scope"].split(), "the echo is not reliable"
    made = moodle.platform.tools[body["client_id"]]
    assert (made.enabled, made.in_chooser, f"{AGS}lineitem" in made.scopes) == (False, False, False)
    again = register(moodle, token, BODY)
    assert (again.status_code, again.text) == (401, "token_already_used")
    moodle.be("dana")
    url = f"{moodle.server.url}/settings"
    moodle.http.post(url, data={"do": "activate_hidden", "tool": made.client_id}, timeout=5)
    assert (made.enabled, made.in_chooser) == (True, False)
    moodle.http.post(url, data={"do": "activate", "tool": made.client_id}, timeout=5)
    assert made.in_chooser


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"jwks_uri": ""}, "missing required attribute jwks_uri"),
        ({CONFIG: BODY[CONFIG] | {"domain": ""}}, "missing_domain"),
        ({CONFIG: BODY[CONFIG] | {"domain": "127.0.0.1"}}, "domain_targetlinkuri_mismatch"),
    ],
)
def test_moodle_b11_errors_are_plain_text(moodle: DialectTool, change: dict[str, Any], text: str) -> None:
    answer = register(moodle, new_registration_token(moodle.platform), BODY | change)
    assert (answer.status_code, answer.text) == (400, text)
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_moodle_b11_junk_is_a_page_that_is_not_found(moodle: DialectTool) -> None:
    for token, body in (("junk", BODY), (new_registration_token(moodle.platform), "{")):
        answer = register(moodle, token, body)
        assert (answer.status_code, answer.headers["Content-Type"][:9]) == (404, "text/html")
    config = moodle.http.get(moodle.platform.configuration_url, timeout=5).json()
    own = config["https://purl.imsglobal.org/spec/lti-platform-configuration"]
    assert "notice_types_supported" not in own
    assert {"Context.id.history", "ResourceLink.description"} <= set(own["variables"])
    assert not {"LineItems.url", "ResourceLink.id.history"} & set(own["variables"])
    kinds = [message["type"] for message in own["messages_supported"]]
    assert kinds == ["LtiResourceLinkRequest", "LtiDeepLinkingRequest"]
