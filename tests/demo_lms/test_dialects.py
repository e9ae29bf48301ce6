"""A dialect changes the platform's behaviour as data and small functions, without touching the core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from demo_lms import PLAIN, FormPost, Platform, serve
from demo_lms.dialects import Problem, ScoreOutcome, TokenRules
from demo_lms.keys import SigningKey

from .test_services import score
from .tool import AGS, LINEITEM, LINEITEMS, LTI, SCORE, FakeTool

ODD = replace(
    PLAIN,
    name="odd",
    login_fields=lambda facts: {"region": "north"},
    login_hint=lambda person: f"opaque-{person.id}",
    problems={**PLAIN.problems, "hint_used": Problem("post", "launch_no_longer_valid", "Consumed.")},
    aud_as_list=True,
    subject=lambda person, course: f"{person.id}::{'0' * 8}",
    finish_claims=lambda claims, facts: claims | {"urn:vendor": facts.message.type},
    service_query=lambda endpoint, tool: "type_id=7",
    page_sizes={"lineitems": 1},
    token_rules=TokenRules(refused_status=400, check_jti=False, all_scopes_or_none=True),
    token_refusals={**PLAIN.token_refusals, "scope": (401, "Insufficient")},
    error_body=lambda status, message: {"errors": [message]},
    score=lambda facts: ScoreOutcome({"score": 1.0, "maximum": 2.0}, "always half"),
    score_status=201,
    score_body=lambda state, item, grade, url: {"resultUrl": url},
    timestamp_step=1.0,
    stale_status=400,
    delete_status=lambda state, item: 401 if item.resource_link_id else 204,
)


@pytest.fixture
def odd(platform: Platform, tool_key: SigningKey) -> Iterator[FakeTool]:
    platform.dialect = ODD
    with serve(platform) as server, requests.Session() as http:
        yield FakeTool(platform, server, tool_key, http=http)


def test_login_and_token_follow_the_dialect(odd: FakeTool) -> None:
    start = odd.platform.begin_launch("u-1", "rl-1")
    assert start.fields["region"] == "north"
    assert "client_id" not in start.fields
    request = odd.authentication(start.fields, login_hint="opaque-u-1")
    answer = odd.platform.authorize(request)
    assert isinstance(answer, FormPost)
    claims = odd.verified(answer.fields["id_token"])
    assert claims["aud"] == ["demo-tool"]
    assert claims["sub"] == "u-1::00000000"
    assert claims["urn:vendor"] == "LtiResourceLinkRequest"
    endpoint = claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]
    assert endpoint["lineitem"].endswith("?type_id=7")
    again = odd.platform.authorize(request)
    assert isinstance(again, FormPost)
    assert again.fields["error"] == "launch_no_longer_valid"
    assert claims[LTI + "version"] == "1.3.0"


def test_services_follow_the_dialect(odd: FakeTool) -> None:
    platform = odd.platform
    item = next(iter(platform.line_items))
    url, _, query = platform.line_item_url(item).partition("?")
    body = score(userId="u-1::00000000")

    def post(timestamp: str) -> requests.Response:
        sent: dict[str, Any] = body | {"timestamp": timestamp}
        return odd.call("POST", f"{url}/scores?{query}", f"{AGS}score", SCORE, sent)

    first = post("2026-11-21T10:00:00.100Z")
    assert (first.status_code, first.json()) == (201, {"resultUrl": f"{url}/results/u-1?type_id=7"})
    assert platform.shown_score(item, "u-1") == 50
    stale = post("2026-11-21T10:00:00.900Z")
    assert (stale.status_code, list(stale.json())) == (400, ["errors"])
    assert [event.applied for event in platform.score_events(item, "u-1")] == [True, False]

    platform.add_line_item("c-1", "Second", 1)
    page = odd.call("GET", platform.url("/api/lti/courses/c-1/lineitems"), f"{AGS}lineitem", LINEITEMS)
    assert len(page.json()) == 1
    assert "next" in page.links
    assert odd.call("DELETE", url, f"{AGS}lineitem", LINEITEM).status_code == 401
    assert item in platform.line_items


def test_the_token_endpoint_follows_the_dialect(odd: FakeTool) -> None:
    assertion = odd.assertion()
    assert [odd.ask_token(f"{AGS}score", assertion).status_code for _ in range(2)] == [200, 200]
    assert odd.ask_token(f"{AGS}score urn:other").json()["error"] == "invalid_scope"
    assert odd.ask_token(f"{AGS}score", odd.assertion(exp=1)).status_code == 400
