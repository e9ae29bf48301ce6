"""Login initiation, authorization endpoint and id_token, over HTTP."""

from __future__ import annotations

import jwt
import pytest
import requests

from demo_lms import ABSENT, FormPost, Platform, Refusal, SigningKey, TokenForm

from .tool import LTI, REDIRECT, FakeTool, form_in


def enter(tool: FakeTool, person_id: str) -> None:
    tool.http.post(f"{tool.server.url}/enter", data={"person": person_id}, timeout=5)


def launch(
    tool: FakeTool, change: dict[str, str | None] | None = None, person_id: str = "u-1"
) -> requests.Response:
    """Walk a launch as a browser would, up to the page that posts the answer to the tool."""
    enter(tool, person_id)
    page = tool.http.get(f"{tool.server.url}/start/c-1/link/rl-1", timeout=5)
    return tool.http.get(tool.authentication(form_in(page.text).fields, **(change or {})), timeout=5)


def test_a_launch_walks_from_the_course_to_a_verified_token(tool: FakeTool) -> None:
    enter(tool, "u-1")
    login = form_in(tool.http.get(f"{tool.server.url}/start/c-1/link/rl-1", timeout=5).text)
    assert (login.action, login.method) == ("http://127.0.0.1:5000/lti/login", "post")
    assert login.fields["iss"] == tool.server.url
    assert login.fields["target_link_uri"] == REDIRECT
    assert login.fields["client_id"] == "demo-tool"
    assert login.fields["lti_deployment_id"] == "dep-1"

    answer = form_in(tool.http.get(tool.authentication(login.fields), timeout=5).text)
    assert answer.action == REDIRECT
    assert answer.fields["state"] == "state-1"
    claims = tool.verified(answer.fields["id_token"])
    assert claims["sub"] == "u-1"
    assert claims["nonce"] == "nonce-1"
    assert claims["name"] == "Terry Demo-Teacher"
    assert claims[LTI + "message_type"] == "LtiResourceLinkRequest"
    assert claims[LTI + "version"] == "1.3.0"
    assert claims[LTI + "deployment_id"] == "dep-1"
    assert claims[LTI + "target_link_uri"] == login.fields["target_link_uri"]
    assert claims[LTI + "resource_link"]["id"] == "rl-1"
    assert claims[LTI + "context"]["id"] == "c-1"
    assert claims[LTI + "roles"] == ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"]
    assert claims[LTI + "custom"] == {"placement": "p-1"}


def test_login_can_be_switched_to_get_and_offer_storage(platform: Platform) -> None:
    platform.login_method, platform.platform_storage = "GET", True
    start = platform.begin_launch("u-1", "rl-1")
    assert start.method == "GET"
    assert start.fields["lti_storage_target"] == "_parent"
    assert start.as_url().startswith("http://127.0.0.1:5000/lti/login?iss=")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"scope": "openid profile"}, "invalid_scope"),
        ({"response_type": "code"}, "unsupported_response_type"),
        ({"response_mode": None}, "invalid_request"),
        ({"prompt": "login"}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"login_hint": "u-2"}, "login_required"),
        ({"lti_message_hint": "junk"}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_answered_to_the_tool(
    tool: FakeTool, change: dict[str, str | None], error: str
) -> None:
    answer = form_in(launch(tool, change).text)
    assert answer.action == REDIRECT
    assert answer.fields["error"] == error
    assert answer.fields["error_description"]
    assert answer.fields["state"] == "state-1"
    assert "id_token" not in answer.fields


@pytest.mark.parametrize("change", [{"redirect_uri": REDIRECT + "?x=1"}, {"client_id": "nobody"}])
def test_an_unregistered_target_gets_a_page_and_the_tool_hears_nothing(
    tool: FakeTool, change: dict[str, str | None]
) -> None:
    page = launch(tool, change)
    assert page.status_code == 400
    assert "onward" not in page.text


def test_a_hint_works_once_and_expires(platform: Platform, tool: FakeTool) -> None:
    start = platform.begin_launch("u-1", "rl-1")
    request = tool.authentication(start.fields)
    first = platform.authorize(request)
    assert isinstance(first, FormPost)
    assert "id_token" in first.fields
    second = platform.authorize(request)
    assert isinstance(second, FormPost)
    assert "used before" in second.fields["error_description"]

    late = platform.begin_launch("u-1", "rl-1")
    platform.messages[late.hint].expires_at = platform.clock()
    third = platform.authorize(tool.authentication(late.fields))
    assert isinstance(third, FormPost)
    assert "expired" in third.fields["error_description"]


def test_without_a_session_the_page_comes_back_once_then_login_is_required(
    platform: Platform, tool: FakeTool
) -> None:
    request = tool.authentication(platform.begin_launch("u-1", "rl-1").fields)
    again = form_in(tool.http.get(request, timeout=5).text)
    assert again.action == platform.auth_url
    answer = form_in(tool.http.post(again.action, data=again.fields, timeout=5).text)
    assert answer.fields["error"] == "login_required"


def test_one_claim_of_a_valid_launch_is_changed_in_one_line(platform: Platform, tool: FakeTool) -> None:
    def claims(**change: object) -> dict[str, object]:
        start = platform.begin_launch("u-1", "rl-1", **change)  # type: ignore[arg-type]
        answer = platform.authorize(tool.authentication(start.fields))
        assert isinstance(answer, FormPost)
        return tool.verified(answer.fields["id_token"])

    assert claims(version="11.3")[LTI + "version"] == "11.3"
    assert LTI + "roles" not in claims(roles=ABSENT)
    assert claims(claims={"urn:x": {"deep": [1]}})["urn:x"] == {"deep": [1]}


def test_tokens_are_forged_in_any_form(platform: Platform, platform_key: SigningKey) -> None:
    claims = platform.claims_for("u-1", "rl-1", exp=22222)
    assert claims["exp"] == 22222
    assert platform.messages == {}
    assert "kid" not in jwt.get_unverified_header(platform.sign_id_token(claims, kid=ABSENT))
    assert platform.sign_id_token(claims, alg="nOnE").endswith(".")
    hmac_signed = platform.sign_id_token(claims, alg="HS256", key=platform_key.public_pem())
    assert jwt.get_unverified_header(hmac_signed) == {"typ": "JWT", "alg": "HS256", "kid": "p-1"}
    assert platform.sign_id_token(claims, raw="not-a-jwt") == "not-a-jwt"
    ec = SigningKey.generate("e-1", "ES256")
    signed = platform.sign_id_token({"a": 1}, alg="ES256", key=ec)
    assert jwt.decode(signed, ec.private.public_key(), algorithms=["ES256"]) == {"a": 1}
    for alg in ("RS384", "RS512", "PS256"):
        signed = platform.sign_id_token({"a": 1}, TokenForm(alg=alg))
        assert jwt.decode(signed, platform_key.private.public_key(), algorithms=[alg]) == {"a": 1}
    odd = platform.sign_id_token(claims, header_bytes=b'{"alg":"RS256","alg":"none"}', payload_bytes=b"[1]")
    assert odd.count(".") == 2


def test_keys_rotate_with_an_overlap(platform: Platform, tool: FakeTool) -> None:
    old = platform.sign_id_token(platform.claims_for("u-1", "rl-1"))
    platform.rotate_keys()
    new = platform.sign_id_token(platform.claims_for("u-1", "rl-1"))
    assert tool.verified(old)["sub"] == tool.verified(new)["sub"]
    platform.retire_key("p-1")
    published = tool.http.get(platform.jwks_url, timeout=5).json()["keys"]
    assert [set(key) for key in published] == [{"kid", "use", "kty", "alg", "n", "e"}]
    assert published[0]["kid"] == jwt.get_unverified_header(new)["kid"]


def test_line_item_is_claimed_only_when_the_link_has_exactly_one(platform: Platform) -> None:
    ags = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
    assert "lineitem" in platform.claims_for("u-1", "rl-1")[ags]
    platform.add_line_item("c-1", "Second", 10, resource_link_id="rl-1")
    assert "lineitem" not in platform.claims_for("u-1", "rl-1")[ags]


def test_two_platforms_live_side_by_side(platform: Platform) -> None:
    other = Platform("https://platform-b.test")
    assert other.people == {}
    refused = other.authorize({"client_id": "demo-tool"})
    assert isinstance(refused, Refusal)
