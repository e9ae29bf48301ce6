"""The picker: request out, response in, links and columns made."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from demo_lms import ABSENT, FormPost, Platform

from .tool import DL, LTI, FakeTool, form_in

ITEM: dict[str, Any] = {
    "type": "ltiResourceLink",
    "title": "Feedback in Action",
    "text": "Show how your feedback moves learning on.",
    "url": "http://127.0.0.1:5000/lti/launch?placement=p-7",
    "custom": {"placement": "p-7"},
    "lineItem": {"scoreMaximum": 100, "label": "Feedback", "resourceId": "p-7", "tag": "whole"},
    "submission": {"endDateTime": "2026-12-18T23:59:00-08:00"},
}


class Visit:
    """One deep linking launch as the tool saw it, and its answer."""

    def __init__(self, tool: FakeTool, **begin: Any) -> None:
        self.tool = tool
        tool.http.post(f"{tool.server.url}/enter", data={"person": "dana"}, timeout=5)
        start = tool.platform.begin_deep_link("dana", "c-1", **begin)
        answer = tool.platform.authorize(tool.authentication(start.fields))
        assert isinstance(answer, FormPost)
        self.claims = tool.verified(answer.fields["id_token"])
        self.settings = self.claims[DL + "deep_linking_settings"]

    def response(self, items: list[Any], **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": "demo-tool",
            "aud": self.tool.platform.issuer,
            "iat": now,
            "exp": now + 300,
            "nonce": f"n-{time.monotonic_ns()}",
            LTI + "message_type": "LtiDeepLinkingResponse",
            LTI + "version": "1.3.0",
            LTI + "deployment_id": "dep-1",
            DL + "data": self.settings.get("data"),
            DL + "content_items": items,
        }
        return {k: v for k, v in (claims | changes).items() if v is not None}

    def post(self, claims: dict[str, Any], **header: Any) -> requests.Response:
        url = self.settings["deep_link_return_url"]
        return self.tool.http.post(url, data={"JWT": self.tool.sign(claims, **header)}, timeout=5)


def test_the_request_carries_settings_and_no_link(tool: FakeTool) -> None:
    visit = Visit(tool)
    assert visit.claims[LTI + "message_type"] == "LtiDeepLinkingRequest"
    assert visit.claims[LTI + "target_link_uri"] == "http://127.0.0.1:5000/lti/deep-link"
    assert LTI + "resource_link" not in visit.claims
    assert visit.settings["accept_types"] == ["ltiResourceLink", "link"]
    assert visit.settings["deep_link_return_url"].startswith(tool.server.url)
    changed = Visit(tool, settings={"accept_types": ["link"], "data": ABSENT, "accept_multiple": False})
    assert changed.settings["accept_types"] == ["link"]
    assert "data" not in changed.settings


def test_a_response_makes_the_link_its_column_and_its_dates(platform: Platform, tool: FakeTool) -> None:
    visit = Visit(tool)
    answer = visit.post(
        visit.response([ITEM, {"type": "link", "url": "https://example.org/", "title": "Read"}])
    )
    assert answer.status_code == 200
    made = [link for link in platform.links_in("c-1") if link.id != "rl-1"]
    assert [link.title for link in made] == ["Feedback in Action", "Read"]
    assert made[0].custom == {"placement": "p-7"}
    assert made[0].submission == ITEM["submission"]
    (column,) = platform.line_items_of(made[0].id)
    assert (column.label, column.resource_id, column.tag) == ("Feedback", "p-7", "whole")
    claims = platform.claims_for("u-1", made[0].id)
    assert claims[LTI + "target_link_uri"] == ITEM["url"]
    assert claims[LTI + "custom"] == {"placement": "p-7"}
    page = tool.http.get(f"{tool.server.url}/courses/c-1", timeout=5).text
    assert "2 items added" in page
    assert "due 2026-12-18" in page


def test_no_items_change_nothing_and_the_tools_words_are_shown_as_text(
    platform: Platform, tool: FakeTool
) -> None:
    visit = Visit(tool)
    words = {DL + "msg": "Nothing <b>chosen</b>.", DL + "errormsg": "Sorry."}
    assert visit.post(visit.response([]) | words).status_code == 200
    assert list(platform.links) == ["rl-1"]
    page = tool.http.get(f"{tool.server.url}/courses/c-1", timeout=5).text
    assert "Nothing &lt;b&gt;chosen&lt;/b&gt;." in page
    assert "Sorry." in page


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"aud": "https://elsewhere.test"},
        {"exp": 1000},
        {"iat": 1000},
        {"nonce": None},
        {LTI + "deployment_id": "dep-2"},
        {LTI + "message_type": "LtiResourceLinkRequest"},
        {LTI + "version": "1.3"},
        {DL + "data": "other"},
        {DL + "data": None},
        {DL + "content_items": "x"},
        {DL + "content_items": [ITEM | {"type": "file"}]},
        {DL + "content_items": [ITEM | {"url": "https://evil.test/"}]},
        {DL + "content_items": [ITEM | {"custom": {"n": 5}}]},
        {DL + "content_items": [ITEM | {"lineItem": {"scoreMaximum": 0}}]},
        {DL + "content_items": [ITEM | {"submission": {"endDateTime": "tomorrow"}}]},
        {DL + "content_items": ["x"]},
    ],
)
def test_a_wrong_response_creates_nothing(
    platform: Platform, tool: FakeTool, changes: dict[str, Any]
) -> None:
    visit = Visit(tool)
    answer = visit.post(visit.response([ITEM], **changes))
    assert answer.status_code == 400
    assert "Nothing was added" in answer.text
    assert list(platform.links) == ["rl-1"]


def test_a_response_counts_once_and_only_from_its_own_person(platform: Platform, tool: FakeTool) -> None:
    visit = Visit(tool, settings={"accept_multiple": False})
    assert visit.post(visit.response([ITEM, ITEM])).status_code == 400
    assert visit.post(visit.response([ITEM]), kid="other").status_code == 400
    good = visit.response([ITEM])
    assert visit.post(good).status_code == 200
    assert visit.post(good).status_code == 400
    assert visit.post(visit.response([ITEM])).status_code == 400
    assert len(platform.links) == 2
    second = Visit(tool)
    tool.http.post(f"{tool.server.url}/enter", data={"person": "u-1"}, timeout=5)
    assert second.post(second.response([ITEM])).status_code == 403


def test_without_the_sessions_cookie_the_answer_comes_back_once(tool: FakeTool) -> None:
    visit = Visit(tool)
    token = tool.sign(visit.response([ITEM]))
    url = visit.settings["deep_link_return_url"]
    again = form_in(requests.post(url, data={"JWT": token}, timeout=5).text)
    assert again.action == url
    assert tool.http.post(url, data=again.fields, timeout=5).status_code == 200


def test_a_review_launch_names_the_column_and_the_person(platform: Platform, tool: FakeTool) -> None:
    start = platform.begin_review("dana", next(iter(platform.line_items)), "u-1")
    answer = platform.authorize(tool.authentication(start.fields))
    assert isinstance(answer, FormPost)
    claims = tool.verified(answer.fields["id_token"])
    assert claims[LTI + "message_type"] == "LtiSubmissionReviewRequest"
    assert claims["sub"] == "dana"
    assert claims[LTI + "for_user"]["user_id"] == "u-1"
    assert claims[LTI + "resource_link"]["id"] == "rl-1"
    assert claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]["lineitem"]
