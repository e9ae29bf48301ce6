"""Canvas: lines 38 and 40 of the checklist, registration, course copy and its notice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from demo_lms import SigningKey
from demo_lms.dialects import CANVAS
from demo_lms.registration import configuration_url, new_registration_token

from .dialect_tool import AGS_CLAIM, DialectTool, lms
from .test_registration import BODY, CONFIG
from .tool import LTI

X = "https://canvas.instructure.com/lti/"
NOTICES = "https://purl.imsglobal.org/spec/lti/scope/noticehandlers"


@pytest.fixture
def canvas(platform_key: SigningKey, tool_key: SigningKey) -> Iterator[DialectTool]:
    with lms(CANVAS, platform_key, tool_key, "10000000000002", "3:" + "a" * 40) as tool:
        yield tool


def register(canvas: DialectTool, token: str, **changes: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return canvas.http.post(
        canvas.platform.endpoint_url("register"), json=BODY | changes, headers=headers, timeout=5
    )


def test_canvas_38_the_configuration_reads_its_token_from_the_query(canvas: DialectTool) -> None:
    token = new_registration_token(canvas.platform)
    bare = canvas.platform.configuration_url
    headers = {"Authorization": f"Bearer {token}"}
    refused = canvas.http.get(bare, headers=headers, timeout=5)
    assert refused.status_code == 401
    assert refused.json()["error"].startswith("Access token missing")
    url = configuration_url(canvas.platform, token)
    assert parse_qs(urlsplit(url).query) == {"registration_token": [token]}
    config = canvas.http.get(url, timeout=5).json()
    own = config["https://purl.imsglobal.org/spec/lti-platform-configuration"]
    assert (own["product_family_code"], own["version"]) == ("canvas", "OpenSource")
    placements = own["messages_supported"][1]["placements"]
    assert {X + "assignment_selection", "ContentArea", "RichTextEditor"} <= set(placements)


def test_canvas_38_success_gives_a_key_that_is_off_and_no_deployment(canvas: DialectTool) -> None:
    token = new_registration_token(canvas.platform)
    incomplete = register(canvas, token, grant_types=["client_credentials"])
    assert incomplete.status_code == 422
    assert incomplete.json()["errors"] == ["grant_types must include implicit"]
    answer = register(canvas, token)
    assert answer.status_code == 200
    body = answer.json()
    assert "deployment_id" not in body[CONFIG]
    assert body["scope"].split()[-1] == "openid"
    made = canvas.platform.tools[body["client_id"]]
    assert (made.enabled, body["client_id"].isdecimal()) == (False, True)
    again = register(canvas, token)
    assert again.status_code == 401
    assert again.json() == {"errorMessage": "Registration token has already been used"}
    junk = register(canvas, "junk")
    assert (junk.status_code, "errorMessage" in junk.json()) == (401, True)
    canvas.platform.switches["registration_deployment_id"] = True
    second = register(canvas, new_registration_token(canvas.platform))
    assert second.json()[CONFIG]["deployment_id"]
    canvas.platform.activate(made.client_id)
    assert made.enabled


@pytest.mark.parametrize(
    ("claims", "privacy"),
    [(["picture"], "public"), (["name", "email"], "public"), (["email"], "email_only"), ([], "anonymous")],
)
def test_canvas_38_privacy_follows_the_claims(canvas: DialectTool, claims: list[str], privacy: str) -> None:
    messages: list[dict[str, Any]] = [
        {"type": "LtiResourceLinkRequest", "placements": [X + "course_navigation", X + "nowhere"]},
        {"type": "LtiDeepLinkingRequest"},
    ]
    config = BODY[CONFIG] | {"claims": claims, "messages": messages}
    answer = register(canvas, new_registration_token(canvas.platform), **{CONFIG: config})
    made = canvas.platform.tools[answer.json()["client_id"]]
    assert (made.privacy, made.placements) == (privacy, ["course_navigation", "link_selection"])


def test_canvas_40_a_copied_course_has_new_ids_and_the_same_content(canvas: DialectTool) -> None:
    platform = canvas.platform
    platform.links["rl-1"].custom = {"activity": "a-1", "ids": "$Context.id.history"}
    before = canvas.launch()
    platform.copy_course("c-1", "c-2")
    platform.enrol("c-2", "u-1")
    (link,) = platform.links_in("c-2")
    after = canvas.launch(link=link.id)
    for name in ("context", "resource_link"):
        assert before[LTI + name]["id"] != after[LTI + name]["id"]
    assert before[AGS_CLAIM]["lineitem"] != after[AGS_CLAIM]["lineitem"]
    assert after[LTI + "target_link_uri"] == before[LTI + "target_link_uri"]
    assert after[LTI + "custom"] == {"activity": "a-1", "ids": before[LTI + "context"]["id"]}


def test_canvas_40_the_copy_notice_is_posted_once(canvas: DialectTool) -> None:
    platform = canvas.platform
    platform.tools[canvas.client_id].scopes.append(NOTICES)
    claim = canvas.launch()["https://purl.imsglobal.org/spec/lti/claim/platformnotificationservice"]
    url, token = claim["platform_notification_service_url"], canvas.token(NOTICES)
    headers = {"Authorization": f"Bearer {token}"}

    def put(handler: str, kind: str = "LtiContextCopyNotice") -> requests.Response:
        body = {"notice_type": kind, "handler": handler}
        return canvas.http.put(url, json=body, headers=headers, timeout=5)

    handler = "http://127.0.0.1:5000/lti/notices"
    assert put(handler).json() == {"notice_type": "LtiContextCopyNotice", "handler": handler}
    assert put("junk").status_code == 400
    assert "tool's domain" in put("https://elsewhere.test/").json()["errors"]["message"]
    assert put(handler, "Other").status_code == 400
    shown = canvas.http.get(url, headers=headers, timeout=5).json()
    assert shown["client_id"] == 10000000000002
    assert {"notice_type": "LtiContextCopyNotice", "handler": handler} in shown["notice_handlers"]
    sent: list[tuple[str, Any]] = []

    def send(address: str, body: Any) -> int:
        sent.append((address, body))
        return 500

    platform.send = send
    source = canvas.launch()[LTI + "context"]["id"]
    copied = platform.copy_course("c-1", "c-2")
    ((address, body),) = sent
    assert address == handler
    claims = jwt.decode(body["notices"][0]["jwt"], options={"verify_signature": False})
    assert claims["aud"] == canvas.client_id
    assert "sub" not in claims
    assert claims[LTI + "notice"]["type"] == "LtiContextCopyNotice"
    assert claims[LTI + "origin_contexts"] == [source]
    assert claims[LTI + "context"]["id"] == platform.dialect.context_id(copied)
    put("")
    platform.copy_course("c-1", "c-3")
    assert len(sent) == 1
