"""Token endpoint, line items, scores, results and members, over HTTP."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from demo_lms import Platform, SigningKey

from .tool import AGS, LINEITEM, LINEITEMS, MEMBERS, NRPS, RESULTS, SCORE, FakeTool

ITEMS = "/api/lti/courses/c-1/lineitems"


def score(timestamp: str = "2026-11-21T10:00:00.000Z", **changes: Any) -> dict[str, Any]:
    body = {
        "userId": "u-1",
        "timestamp": timestamp,
        "scoreGiven": 85,
        "scoreMaximum": 100,
        "comment": "Clear evidence.",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
    }
    return {k: v for k, v in (body | changes).items() if v is not ...}


class Column:
    """The line item of ``rl-1`` as the tool sees it."""

    def __init__(self, tool: FakeTool) -> None:
        self.tool = tool
        self.id = next(iter(tool.platform.line_items))
        self.url = f"{tool.server.url}{ITEMS}/{self.id}"
        self.token = tool.ask_token(f"{AGS}score {AGS}lineitem {AGS}result.readonly").json()["access_token"]

    def post(self, body: Any) -> requests.Response:
        return self.tool.call("POST", self.url + "/scores", "", SCORE, body, self.token)

    def results(self, query: str = "") -> Any:
        return self.tool.call("GET", f"{self.url}/results{query}", "", RESULTS, None, self.token).json()


@pytest.fixture
def column(tool: FakeTool) -> Column:
    return Column(tool)


# -- token -------------------------------------------------------------------------------------


def test_a_token_holds_the_asked_scopes_that_are_allowed(platform: Platform, tool: FakeTool) -> None:
    platform.tools["demo-tool"].scopes = [f"{AGS}score"]
    answer = tool.ask_token(f"{AGS}score {AGS}lineitem").json()
    assert answer["scope"] == f"{AGS}score"
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    assert tool.ask_token(f"{AGS}lineitem").json()["error"] == "invalid_scope"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "nobody"},
        {"sub": "other"},
        {"aud": "http://elsewhere.test/token"},
        {"exp": 1000},
        {"exp": None},
        {"iat": None},
        {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 3700},
        {"jti": None},
    ],
)
def test_a_wrong_assertion_is_an_unknown_client(tool: FakeTool, changes: dict[str, Any]) -> None:
    answer = tool.ask_token(f"{AGS}score", tool.assertion(**changes))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_an_assertion_works_once_and_only_with_a_published_key(tool: FakeTool) -> None:
    assertion = tool.assertion()
    assert tool.ask_token(f"{AGS}score", assertion).status_code == 200
    assert "jti" in tool.ask_token(f"{AGS}score", assertion).json()["error_description"]
    tool.key = SigningKey("t-1", SigningKey.generate("x").private)
    assert tool.ask_token(f"{AGS}score").status_code == 401
    tool.key = SigningKey("t-9", tool.key.private)
    assert tool.ask_token(f"{AGS}score").status_code == 401


def test_the_tools_keys_are_read_from_its_address(tool: FakeTool, tool_key: SigningKey) -> None:
    asked: list[str] = []

    def fetch(url: str) -> Any:
        asked.append(url)
        return {"keys": [tool_key.public_jwk()]}

    tool.platform.tools["demo-tool"].jwks = None
    tool.platform.tools["demo-tool"].jwks_url = "http://127.0.0.1:5000/lti/jwks"
    tool.platform.fetch = fetch
    assert tool.ask_token(f"{AGS}score").status_code == 200
    assert asked == ["http://127.0.0.1:5000/lti/jwks"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "x"}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"client_assertion": "junk"}, "invalid_client"),
    ],
)
def test_a_wrong_token_request_says_what_is_wrong(
    tool: FakeTool, changes: dict[str, str], error: str
) -> None:
    assert tool.ask_token(f"{AGS}score", changes=changes).json()["error"] == error


# -- line items --------------------------------------------------------------------------------


def test_line_items_are_made_found_changed_and_deleted(tool: FakeTool) -> None:
    url, scope = tool.server.url + ITEMS, f"{AGS}lineitem"
    body = {"label": "Part 1", "scoreMaximum": 10, "resourceId": "p-9", "tag": "part-1", "urn:x": 1}
    made = tool.call("POST", url, scope, LINEITEM, body)
    assert made.status_code == 201
    assert made.headers["Content-Type"] == LINEITEM
    item = made.json()
    assert item == body | {"id": item["id"]}

    found = tool.call("GET", f"{url}?resource_id=p-9&tag=part-1", scope, LINEITEMS)
    assert found.json() == [item]
    assert len(tool.call("GET", f"{url}?resource_link_id=rl-1", scope, LINEITEMS).json()) == 1
    assert tool.call("GET", f"{url}?tag=other", scope, LINEITEMS).json() == []
    assert tool.call("GET", item["id"], f"{AGS}lineitem.readonly", LINEITEM).json() == item

    changed = tool.call("PUT", item["id"], scope, LINEITEM, item | {"label": "Part one"})
    assert changed.json()["label"] == "Part one"
    assert tool.call("PUT", item["id"], scope, LINEITEM, item | {"resourceLinkId": "x"}).status_code == 400
    assert tool.call("DELETE", item["id"], scope, LINEITEM).status_code == 204
    assert tool.call("GET", item["id"], scope, LINEITEM).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"label": " ", "scoreMaximum": 1}, 400),
        ({"label": "x"}, 400),
        ({"label": "x", "scoreMaximum": 0}, 400),
        ({"label": "x", "scoreMaximum": 1, "endDateTime": "2026-01-01"}, 400),
        ({"label": "x", "scoreMaximum": 1, "resourceLinkId": "nowhere"}, 404),
        ([], 400),
    ],
)
def test_a_wrong_line_item_is_refused(tool: FakeTool, body: Any, status: int) -> None:
    answer = tool.call("POST", tool.server.url + ITEMS, f"{AGS}lineitem", LINEITEM, body)
    assert answer.status_code == status


def test_lists_come_in_pages_whose_next_address_must_be_used_as_it_is(tool: FakeTool) -> None:
    for number in range(4):
        tool.platform.add_line_item("c-1", f"Column {number}", 1)
    url, seen = f"{tool.server.url}{ITEMS}?limit=2", []
    while url:
        page = tool.call("GET", url, f"{AGS}lineitem.readonly", LINEITEMS)
        seen += [item["label"] for item in page.json()]
        url = page.links.get("next", {}).get("url", "")
        assert not url or "pAge=%2B" in url
    assert seen == ["Idea Shaper", "Column 0", "Column 1", "Column 2", "Column 3"]
    bad = tool.call("GET", f"{tool.server.url}{ITEMS}?limit=0", f"{AGS}lineitem", LINEITEMS)
    assert bad.status_code == 400


def test_services_want_their_media_type_scope_and_a_live_token(tool: FakeTool, column: Column) -> None:
    url = tool.server.url + ITEMS
    assert tool.call("GET", url, f"{AGS}lineitem", "application/json").status_code == 406
    assert tool.call("GET", url, f"{AGS}lineitem", "*/*").status_code == 406
    assert tool.call("POST", column.url + "/scores", f"{AGS}score", "application/json", {}).status_code == 415
    assert tool.call("POST", column.url + "/scores", f"{AGS}lineitem", SCORE, score()).status_code == 403
    assert tool.call("POST", url, f"{AGS}lineitem.readonly", LINEITEM, {}).status_code == 403
    refused = tool.call("GET", url, "", LINEITEMS, token="unknown")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    tool.platform.revoke_access_tokens()
    assert column.post(score()).status_code == 401


def test_a_tool_sees_only_its_own_columns(tool: FakeTool) -> None:
    tool.platform.add_tool("other", "http://x.test/login", ["http://x.test/launch"])
    foreign = tool.platform.add_line_item("c-1", "Not yours", 1, client_id="other")
    listed = tool.call("GET", tool.server.url + ITEMS, f"{AGS}lineitem", LINEITEMS).json()
    assert [item["label"] for item in listed] == ["Idea Shaper"]
    assert (
        tool.call("GET", f"{tool.server.url}{ITEMS}/{foreign.id}", f"{AGS}lineitem", LINEITEM).status_code
        == 404
    )


# -- scores and results ------------------------------------------------------------------------


def test_a_final_score_stands_in_the_gradebook(column: Column) -> None:
    platform = column.tool.platform
    assert column.post(score(scoreGiven=17, scoreMaximum=20)).status_code == 200
    assert platform.shown_score(column.id, "u-1") == 85
    assert platform.line_items[column.id].grades["u-1"].comment == "Clear evidence."
    (result,) = column.results("?user_id=u-1")
    assert result["resultScore"] == 85
    assert result["resultMaximum"] == 100
    assert result["scoreOf"] == column.url
    assert result["userId"] == "u-1"
    assert column.results("?user_id=u-2") == []


def test_a_zero_and_a_bonus_are_scores(column: Column) -> None:
    column.post(score(scoreGiven=0))
    assert column.tool.platform.shown_score(column.id, "u-1") == 0
    column.post(score("2026-11-21T10:00:01.000Z", scoreGiven=120))
    assert column.results()[0]["resultScore"] == 120


def test_only_a_newer_timestamp_is_applied(column: Column) -> None:
    assert column.post(score("2026-11-21T10:00:05.000Z")).status_code == 200
    for stale in ("2026-11-21T10:00:05.000Z", "2026-11-21T10:00:04.999Z", "2026-11-21T11:00:05.000+01:00"):
        assert column.post(score(stale, scoreGiven=1)).status_code == 409
    assert column.tool.platform.shown_score(column.id, "u-1") == 85
    events = column.tool.platform.line_items[column.id].history
    assert [event.applied for event in events] == [True, False, False, False]
    assert column.post(score("2026-11-21T10:00:05.000Z", userId="u-2")).status_code == 200


def test_an_absent_score_and_comment_clear_what_the_tool_sent(column: Column) -> None:
    column.post(score())
    cleared = score("2026-11-21T10:00:01.000Z", scoreGiven=..., scoreMaximum=..., comment=...)
    column.post(cleared | {"activityProgress": "Submitted", "gradingProgress": "PendingManual"})
    assert column.tool.platform.shown_score(column.id, "u-1") is None
    assert column.tool.platform.line_items[column.id].grades["u-1"].comment == ""


def test_a_score_that_is_not_final_is_not_recorded(column: Column) -> None:
    column.post(score())
    column.post(score("2026-11-21T10:00:01.000Z", scoreGiven=10, gradingProgress="Pending"))
    assert column.tool.platform.shown_score(column.id, "u-1") == 85
    assert column.tool.platform.line_items[column.id].grades["u-1"].grading_progress == "Pending"


def test_submission_dates_last_until_the_work_goes_back(column: Column) -> None:
    grade = column.tool.platform.line_items[column.id].grades
    dates = {"startedAt": "2026-11-20T08:00:00Z", "submittedAt": "2026-11-21T08:00:00Z"}
    column.post(score(submission=dates))
    column.post(score("2026-11-21T10:00:01.000Z"))
    assert grade["u-1"].submitted_at == dates["submittedAt"]
    column.post(score("2026-11-21T10:00:02.000Z", activityProgress="InProgress"))
    assert (grade["u-1"].started_at, grade["u-1"].submitted_at) == (dates["startedAt"], "")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"userId": ...}, 400),
        ({"timestamp": "2026-11-21T10:00:00.000"}, 400),
        ({"timestamp": "2026-11-21T10:00:00Z"}, 400),
        ({"timestamp": 1795255200}, 400),
        ({"activityProgress": "Done"}, 400),
        ({"gradingProgress": ...}, 400),
        ({"scoreMaximum": ...}, 400),
        ({"scoreGiven": -1}, 400),
        ({"scoreGiven": "85"}, 400),
        ({"submission": {"startedAt": "2026-01-02T00:00:00Z", "submittedAt": "2026-01-01T00:00:00Z"}}, 400),
        ({"userId": "nobody"}, 404),
        ({"userId": "dana"}, 403),
    ],
)
def test_a_wrong_score_changes_nothing(column: Column, changes: dict[str, Any], status: int) -> None:
    assert column.post(score(**changes)).status_code == status
    assert column.tool.platform.line_items[column.id].grades == {}


def test_an_ended_course_takes_no_scores(column: Column) -> None:
    column.tool.platform.courses["c-1"].concluded = True
    assert column.post(score()).status_code == 403


def test_a_teachers_own_grade_and_maximum_show_in_the_result(column: Column) -> None:
    platform = column.tool.platform
    column.post(score())
    platform.override_grade(column.id, "u-1", 70)
    assert column.results()[0]["resultScore"] == 70
    platform.edit_line_item(column.id, score_maximum=10.0)
    assert column.results()[0]["resultScore"] == 7
    column.post(score("2026-11-21T10:00:01.000Z", scoreGiven=..., scoreMaximum=...))
    assert column.results()[0]["resultScore"] == 7


# -- members -----------------------------------------------------------------------------------


def test_members_come_with_names_roles_and_pages(tool: FakeTool) -> None:
    url = f"{tool.server.url}/api/lti/courses/c-1/memberships"
    whole = tool.call("GET", url, NRPS, MEMBERS)
    assert whole.headers["Content-Type"] == MEMBERS
    body = whole.json()
    assert body["context"] == {"id": "c-1", "label": "AC", "title": "Active Classrooms"}
    assert [m["user_id"] for m in body["members"]] == ["dana", "u-1", "u-2"]
    assert body["members"][2]["name"] == "Олена Demo-Teacher"
    assert "email" not in body["members"][2]
    learners = tool.call("GET", f"{url}?role=Learner&limit=1", NRPS, MEMBERS)
    assert [m["user_id"] for m in learners.json()["members"]] == ["u-1"]
    following = tool.call("GET", learners.links["next"]["url"], NRPS, MEMBERS)
    assert [m["user_id"] for m in following.json()["members"]] == ["u-2"]
    assert "next" not in following.links
    linked = tool.call("GET", f"{url}?rlid=rl-1", NRPS, MEMBERS).json()["members"][0]
    assert linked["message"][0]["https://purl.imsglobal.org/spec/lti/claim/custom"] == {"placement": "p-1"}
    assert tool.call("GET", f"{url}?rlid=nowhere", NRPS, MEMBERS).status_code == 400
    assert tool.call("GET", url, NRPS, "application/json").status_code == 406


def test_members_who_left_are_inactive_and_names_obey_privacy(tool: FakeTool) -> None:
    tool.platform.enrol("c-1", "u-2", active=False)
    tool.platform.tools["demo-tool"].privacy = "anonymous"
    url = f"{tool.server.url}/api/lti/courses/c-1/memberships"
    last = tool.call("GET", url, NRPS, MEMBERS).json()["members"][-1]
    assert last == {
        "status": "Inactive",
        "user_id": "u-2",
        "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
    }
