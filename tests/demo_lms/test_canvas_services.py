"""Canvas: lines 21 to 37 of the checklist, grades, members and tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from demo_lms import SigningKey
from demo_lms.dialects import CANVAS

from .dialect_tool import AGS_CLAIM, ALL, MEMBERSHIP, T0, T1, T2, DialectTool, Picker, item, lms
from .tool import AGS, LINEITEM, LTI, NRPS, SCORE

EXT = "https://canvas.instructure.com/lti/submission"


@pytest.fixture
def canvas(platform_key: SigningKey, tool_key: SigningKey) -> Iterator[DialectTool]:
    with lms(CANVAS, platform_key, tool_key, "10000000000002", "3:" + "a" * 40) as tool:
        yield tool


def message(answer: Any) -> str:
    found: str = answer.json()["errors"]["message"]
    return found


def test_canvas_21_a_final_score_is_rescaled_to_the_assignment(canvas: DialectTool) -> None:
    answer = canvas.post(canvas.score())
    assert (answer.status_code, canvas.shown()) == (200, 80)
    body = answer.json()
    assert body[EXT] == {"content_items": []}
    read = canvas.call("GET", body["resultUrl"], ALL, "application/json").json()
    assert (read["resultScore"], read["resultMaximum"]) == (8, 10)
    assert answer.headers["Content-Type"] == SCORE


def test_canvas_22_equal_timestamps_pass_and_earlier_ones_do_not(canvas: DialectTool) -> None:
    assert canvas.post(canvas.score(T1)).status_code == 200
    assert canvas.post(canvas.score(T1, scoreGiven=9)).status_code == 200
    earlier = canvas.post(canvas.score(T0))
    assert earlier.status_code == 400
    assert message(earlier) == f"Provided timestamp of {T0} before last updated timestamp of {T1}"
    assert canvas.shown() == 90
    assert canvas.post(canvas.score("2027-01-01T00:00:00.000Z")).status_code == 200
    assert canvas.post(canvas.score(T2)).status_code == 400, "a date ahead blocks until then"


def test_canvas_22_an_epoch_number_is_taken_for_a_far_year(canvas: DialectTool) -> None:
    assert canvas.post(canvas.score(1795255200)).status_code == 200
    assert canvas.post(canvas.score(T0)).status_code == 400
    wrong = canvas.post(canvas.score("yesterday"))
    assert message(wrong) == "Provided timestamp of yesterday not a valid timestamp"


@pytest.mark.parametrize(
    "changes",
    [
        {"gradingProgress": "Pending"},
        {"scoreGiven": ...},
        {"gradingProgress": "NotReady", "activityProgress": "Started"},
    ],
)
def test_canvas_23_anything_but_a_grade_clears_it_unless_preserved(
    canvas: DialectTool, changes: dict[str, Any]
) -> None:
    canvas.post(canvas.score(T0))
    canvas.post(canvas.score(T1, **changes, **{EXT: {"preserve_score": True}}))
    assert canvas.shown() == 80
    canvas.post(canvas.score(T2, **changes))
    assert canvas.shown() is None


def test_canvas_23_preserve_score_writes_nothing_even_when_final(canvas: DialectTool) -> None:
    canvas.post(canvas.score(**{EXT: {"preserve_score": True}}))
    assert canvas.shown() is None
    canvas.post(canvas.score(T1, gradingProgress="PendingManual"))
    assert canvas.shown() == 80
    assert canvas.platform.grade(canvas.item, "u-1").needs_review
    canvas.post(canvas.score(T2))
    assert not canvas.platform.grade(canvas.item, "u-1").needs_review


def test_canvas_24_a_score_that_is_there_goes_first_if_asked(canvas: DialectTool) -> None:
    canvas.platform.override_grade(canvas.item, "u-1", 55)
    canvas.post(canvas.score(**{EXT: {"prioritize_non_tool_grade": True}}))
    assert canvas.shown() == 55
    other = canvas.platform.user_id("u-2")
    canvas.post(canvas.score(userId=other, **{EXT: {"prioritize_non_tool_grade": True}}))
    assert canvas.shown("u-2") == 80


def test_canvas_25_a_post_is_an_attempt_unless_it_says_otherwise(canvas: DialectTool) -> None:
    past = canvas.clock() - timedelta(days=1)
    canvas.platform.edit_line_item(canvas.item, end=past.isoformat())
    canvas.post(canvas.score(T0, **{EXT: {"new_submission": False}}))
    grade = canvas.platform.grade(canvas.item, "u-1")
    assert (grade.attempts, grade.late, grade.submitted_at) == (0, False, "")
    canvas.post(canvas.score(T0))
    grade = canvas.platform.grade(canvas.item, "u-1")
    assert (grade.attempts, grade.late) == (1, True)
    before = (past - timedelta(hours=1)).isoformat()
    canvas.post(canvas.score(T1, submission={"submittedAt": before}))
    canvas.post(canvas.score(T2, submission={"submittedAt": before}))
    grade = canvas.platform.grade(canvas.item, "u-1")
    assert (grade.attempts, grade.late) == (2, False), "the same submittedAt is the same attempt"


def test_canvas_25_which_progress_makes_an_attempt_depends_on_the_version(canvas: DialectTool) -> None:
    canvas.post(canvas.score(T0, activityProgress="InProgress"))
    assert canvas.platform.grade(canvas.item, "u-1").attempts == 0
    canvas.platform.switches["attempt_on"] = "any"
    canvas.post(canvas.score(T1, activityProgress="InProgress"))
    assert canvas.platform.grade(canvas.item, "u-1").attempts == 1
    canvas.platform.edit_line_item(canvas.item, allowed_attempts=1)
    full = canvas.post(canvas.score(T2))
    assert (full.status_code, "maximum number of allowed attempts" in message(full)) == (422, True)
    assert canvas.post(canvas.score(T2, **{EXT: {"new_submission": False}})).status_code == 200
    ahead = (canvas.clock() + timedelta(minutes=2)).isoformat()
    future = canvas.post(canvas.score(T2, submission={"submittedAt": ahead}))
    assert (future.status_code, "in the future" in message(future)) == (400, True)


def test_canvas_26_only_students_are_graded(canvas: DialectTool) -> None:
    platform = canvas.platform
    for user in (platform.user_id("dana"), platform.user_id("tau"), "nobody", ...):
        answer = canvas.post(canvas.score(userId=user, gradingProgress=...))
        assert answer.status_code == 422
        assert message(answer) == "User not found in course or is not a student"
    missing = canvas.post(canvas.score(gradingProgress=...))
    assert missing.status_code == 400
    assert missing.json() == {"errors": [{"message": "gradingProgress is missing"}]}
    platform.add_person("test", "Test Student")
    platform.enrol("c-1", "test", "TestUser")
    assert canvas.post(canvas.score(userId=platform.user_id("test"))).status_code == 200
    platform.people["u-2"].past_ids = ["old-id"]
    assert canvas.post(canvas.score(userId="old-id")).status_code == 200
    platform.courses["c-1"].published = False
    assert canvas.post(canvas.score(T1)).status_code == 422


def test_canvas_27_unpublished_work_and_ended_courses_take_no_scores(canvas: DialectTool) -> None:
    canvas.platform.set_published("rl-1", False)
    answer = canvas.post(canvas.score())
    assert (answer.status_code, message(answer)) == (422, "This assignment is still unpublished")
    canvas.platform.set_published("rl-1")
    canvas.platform.courses["c-1"].concluded = True
    for refused in (canvas.post(canvas.score()), canvas.items()):
        assert refused.status_code == 422
        assert message(refused).startswith("This course has concluded.")


def test_canvas_28_values_out_of_range_are_unprocessable(canvas: DialectTool) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "ScoreMaximum not supplied when ScoreGiven present.": {"scoreMaximum": ...},
        "ScoreGiven must be greater than or equal to 0": {"scoreGiven": -1},
        "ScoreMaximum must be greater than or equal to 0": {"scoreMaximum": -1},
        "ScoreMaximum cannot be zero if line item's maximum is not zero": {"scoreMaximum": 0},
    }
    for sentence, changes in wrong.items():
        answer = canvas.post(canvas.score(**changes))
        assert (answer.status_code, message(answer)) == (422, sentence)
    done = canvas.post(canvas.score(gradingProgress="Done"))
    assert done.status_code == 422
    assert "grading_progress" in done.json()["errors"]
    assert canvas.post(canvas.score(activityProgress="Done")).status_code == 422
    assert canvas.post(canvas.score(gradingProgress="Pending", scoreMaximum=...)).status_code == 200
    assert canvas.post(canvas.score(T1, scoreGiven=12)).status_code == 200
    assert canvas.shown() == 120


def test_canvas_29_files_come_with_an_upload(canvas: DialectTool) -> None:
    bare = canvas.post(canvas.score(**{EXT: {"submission_type": "online_upload"}}))
    assert bare.status_code == 422
    assert "online_upload" in message(bare)
    fetched: list[str] = []

    def download(url: str) -> bytes:
        fetched.append(url)
        return b"x"

    canvas.platform.download = download
    rows = [{"type": "file", "url": "http://127.0.0.1:5000/e/1", "title": "Plan"}, {"type": "link"}]
    answer = canvas.post(canvas.score(**{EXT: {"content_items": rows}}))
    (row,) = answer.json()[EXT]["content_items"]
    assert fetched == ["http://127.0.0.1:5000/e/1"]
    scope = "https://canvas.instructure.com/lti-ags/progress/scope/show"
    canvas.platform.tools[canvas.client_id].scopes.append(scope)
    progress = canvas.call("GET", row["progress"], scope, "application/json").json()
    assert progress["workflow_state"] == "completed"
    assert canvas.platform.grade(canvas.item, "u-1").submission_type == "online_upload"


def test_canvas_29_evidence_can_be_a_launch_address(canvas: DialectTool) -> None:
    link = {"submission_type": "basic_lti_launch", "submission_data": "http://127.0.0.1:5000/lti/launch?e=1"}
    canvas.post(canvas.score(**{EXT: link}))
    grade = canvas.platform.grade(canvas.item, "u-1")
    assert (grade.submission_type, grade.submission_data) == ("basic_lti_launch", link["submission_data"])


def test_canvas_30_comments_are_appended_every_time(canvas: DialectTool) -> None:
    canvas.post(canvas.score(T0))
    canvas.post(canvas.score(T1))
    canvas.post(canvas.score(T2, comment=...))
    assert canvas.platform.grade(canvas.item, "u-1").comments == ["Clear evidence.", "Clear evidence."]


def test_canvas_31_line_items_come_by_tens(canvas: DialectTool) -> None:
    for number in range(11):
        canvas.platform.add_line_item("c-1", f"Column {number}", 1)
    page = canvas.items()
    assert len(page.json()) == 10
    rest = canvas.call("GET", page.links["next"]["url"], ALL, "application/json")
    assert (len(rest.json()), "next" in rest.links) == (2, False)
    assert len(canvas.items("?limit=50").json()) == 12
    assert len(canvas.items("?per_page=3").json()) == 3


def test_canvas_31_a_second_column_on_a_link_is_never_seen(canvas: DialectTool) -> None:
    free = canvas.make_item(resourceId="p-1", tag="part-1", endDateTime="2027-01-01T00:00:00Z")
    assert free.status_code == 201
    assert "endDateTime" not in free.json()
    assert isinstance(free.json()["scoreMaximum"], float)
    second = canvas.make_item(label="Hidden", resourceLinkId="rl-1")
    assert second.status_code == 201
    labels = [column.label for column in canvas.platform.visible_line_items("c-1")]
    assert labels == ["Idea Shaper", "Part 1"]
    assert canvas.launch()[AGS_CLAIM]["lineitem"] == canvas.item_url
    assert canvas.post(canvas.score(), second.json()["id"]).status_code == 200
    assert canvas.results(second.json()["id"])[0]["resultScore"] == 8
    canvas.be("dana")
    assert "Hidden" not in canvas.page("/courses/c-1/grades")
    context_id = canvas.launch()[LTI + "context"]["id"]
    assert canvas.make_item(resourceLinkId=context_id).status_code == 404
    canvas.platform.add_course("c-2")
    canvas.platform.add_link("c-2", "Other course", link_id="rl-9", score_maximum=1)
    assert canvas.make_item(resourceLinkId="rl-9").status_code == 412
    assert canvas.make_item(label=...).status_code == 422
    kind = "https://canvas.instructure.com/lti/submission_type"
    wrong = canvas.make_item(**{kind: {"type": "online"}})
    assert wrong.json() == {"error": "Invalid submission_type for new assignment: online"}
    launched = canvas.make_item(**{kind: {"type": "external_tool"}})
    assert launched.json()["resourceLinkId"] in canvas.platform.links


def test_canvas_32_only_the_tools_own_columns_can_be_deleted(canvas: DialectTool) -> None:
    made = Picker(canvas, placement="course_assignments_menu").take(item())
    coupled = canvas.platform.line_item_url(made.line_items[0].id)
    for url in (canvas.item_url, coupled):
        answer = canvas.call("DELETE", url, ALL, LINEITEM)
        assert (answer.status_code, answer.content) == (401, b"")
        assert canvas.call("GET", url, ALL, LINEITEM).status_code == 200
    free = canvas.make_item().json()["id"]
    assert canvas.call("DELETE", free, ALL, LINEITEM).status_code == 204
    assert canvas.call("GET", free, ALL, LINEITEM).status_code == 404
    changed = canvas.call("PUT", canvas.item_url, ALL, LINEITEM, {"label": "New name"})
    assert changed.json()["scoreMaximum"] == 100
    assert canvas.platform.links["rl-1"].title == "New name"


def test_canvas_32_another_tools_column_is_guarded_but_not_against_scores(canvas: DialectTool) -> None:
    canvas.platform.add_tool("77", "http://x.test/login", ["http://x.test/launch"])
    other = canvas.platform.line_item_url(canvas.platform.add_line_item("c-1", "X", 10, client_id="77").id)
    assert canvas.call("GET", other, ALL, LINEITEM).status_code == 412
    assert canvas.post(canvas.score(), other).status_code == 200


def test_canvas_33_results_show_the_teachers_grade_in_the_tools_points(canvas: DialectTool) -> None:
    canvas.post(canvas.score())
    canvas.platform.override_grade(canvas.item, "u-1", 55)
    canvas.platform.override_grade(canvas.item, "u-2", 90)
    (row,) = canvas.results()
    assert (row["resultScore"], row["resultMaximum"]) == (5.5, 10)
    assert canvas.results(query="?user_id=nobody") == []
    canvas.post(canvas.score(T1, scoreGiven=...))
    assert "resultScore" not in canvas.results()[0]


def test_canvas_34_members_come_by_fifties(canvas: DialectTool) -> None:
    for number in range(116):
        canvas.platform.add_person(f"m-{number}", f"Member {number}")
        canvas.platform.enrol("c-1", f"m-{number}")
    first = canvas.members("?limit=200")
    assert len(first.json()["members"]) == 50
    seen, url = 50, first.links["next"]["url"]
    while url:
        page = canvas.call("GET", url, NRPS, "application/json")
        seen += len(page.json()["members"])
        url = page.links.get("next", {}).get("url", "")
    assert seen == 120
    role = "http%3A//purl.imsglobal.org/vocab/lis/v2/institution/person%23Student"
    assert canvas.members(f"?role={role}").json()["members"] == []
    assert canvas.members("?role=Instructor").json()["members"] == [], "only whole URIs are known"
    wanted = MEMBERSHIP.replace(":", "%3A") + "%23Instructor"
    teachers = canvas.members(f"?role={wanted}").json()["members"]
    assert [member["user_id"] for member in teachers] == [
        canvas.platform.user_id("dana"),
        canvas.platform.user_id("tau"),
    ]
    assert len(teachers[0]["lti11_legacy_user_id"]) == 40


def test_canvas_34_rlid_is_a_link_or_the_course(canvas: DialectTool) -> None:
    canvas.platform.enrol("c-1", "u-2", active=False)
    assert message(canvas.members("?rlid=junk")) == "Invalid 'rlid' parameter"
    canvas.platform.add_course("c-2")
    canvas.platform.add_link("c-2", "Other", link_id="rl-9")
    assert "does not have access" in message(canvas.members("?rlid=rl-9"))
    context_id = canvas.launch()[LTI + "context"]["id"]
    for rlid in ("rl-1", context_id):
        members = canvas.members(f"?rlid={rlid}").json()["members"]
        assert all("message" in member and member["status"] == "Active" for member in members)
        assert canvas.platform.user_id("u-2") not in [member["user_id"] for member in members]


def test_canvas_35_what_the_token_endpoint_asks(canvas: DialectTool) -> None:
    assertion = canvas.assertion(iss="anything at all")
    assert [canvas.ask_token(f"{AGS}score", assertion).status_code for _ in range(2)] == [200, 200]
    granted = canvas.ask_token(f"{AGS}score").json()
    assert granted["access_token"].count(".") == 2
    wrong = canvas.ask_token(f"{AGS}score", canvas.assertion(aud=canvas.platform.issuer + "/x"))
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_request")
    assert wrong.json()["error_description"] == "the 'aud' is invalid"
    late = canvas.assertion(iat=int(time.time()) - 310, jti=None)
    said = canvas.ask_token(f"{AGS}score", late).json()["error_description"]
    assert said == "the following assertions are missing: jti | the 'iat' must be less than 300 seconds old"
    unknown = canvas.ask_token(f"{AGS}score", canvas.assertion(sub="999"))
    assert (unknown.status_code, unknown.json()["error"]) == (401, "invalid_client")
    assert unknown.json()["error_description"] == "unknown client"
    assert "WWW-Authenticate" in unknown.headers
    extra = canvas.ask_token(f"{AGS}score urn:extra")
    assert (extra.status_code, extra.json()["error"]) == (400, "invalid_scope")
    kind = canvas.ask_token(f"{AGS}score", changes={"grant_type": "password"})
    assert (kind.status_code, kind.json()["error"]) == (400, "unsupported_grant_type")


def test_canvas_35_keys_need_alg_and_use_and_are_kept_for_a_while(
    canvas: DialectTool, tool_key: SigningKey
) -> None:
    served: list[dict[str, object]] = [{k: v for k, v in tool_key.public_jwk().items() if k != "use"}]
    asked: list[str] = []

    def fetch(url: str) -> Any:
        asked.append(url)
        return {"keys": served}

    canvas.platform.fetch = fetch
    tool = canvas.platform.tools[canvas.client_id]
    tool.jwks, tool.jwks_url = None, "http://127.0.0.1:5000/lti/jwks"
    refused = canvas.ask_token(f"{AGS}score")
    assert refused.json()["error_description"].startswith("JWK Error")
    served[:] = [tool_key.public_jwk()]
    asked.clear()
    assert [canvas.ask_token(f"{AGS}score").status_code for _ in range(3)] == [200, 200, 200]
    assert len(asked) == 1
    served[:] = [tool_key.public_jwk(kid="t-2")]
    canvas.key = SigningKey("t-2", tool_key.private)
    assert canvas.ask_token(f"{AGS}score").status_code == 200, "an unknown kid makes it read again"
    assert len(asked) == 2


def test_canvas_36_tokens_without_scope_or_life_are_401(canvas: DialectTool) -> None:
    url = canvas.sub(canvas.item_url, "scores")
    lacking = canvas.call("POST", url, f"{AGS}lineitem", SCORE, canvas.score())
    assert (lacking.status_code, message(lacking)) == (401, "Insufficient permissions")
    token = canvas.token()
    canvas.clock.let_pass(seconds=3601)
    expired = canvas.call("POST", url, "", SCORE, canvas.score(), token)
    assert (expired.status_code, message(expired)) == (401, "Access token expired")
    missing = canvas.http.post(url, json=canvas.score(), timeout=5)
    assert (missing.status_code, message(missing)) == (401, "Missing access token")


def test_canvas_37_a_burst_meets_the_rate_limit(canvas: DialectTool) -> None:
    token, url = canvas.token(), canvas.item_url
    first = canvas.call("GET", url, "", LINEITEM, None, token)
    assert float(first.headers["X-Rate-Limit-Remaining"]) < 600
    assert "X-Request-Cost" in first.headers
    canvas.platform.switches["rate_limit"] = 55
    now = canvas.clock()
    canvas.platform.clock = lambda: now
    statuses = [canvas.call("GET", url, "", LINEITEM, None, token).status_code for _ in range(7)]
    assert (statuses[0], statuses[-1]) == (200, 403)
    refused = canvas.call("GET", url, "", LINEITEM, None, token)
    assert refused.headers["Content-Type"].startswith("text/plain")
    assert refused.text == "403 Forbidden (Rate Limit Exceeded)"
    assert refused.headers["X-Rate-Limit-Remaining"] == "0.0"
    canvas.platform.clock = lambda: now + timedelta(seconds=2)
    assert canvas.call("GET", url, "", LINEITEM, None, token).status_code == 200, "it leaks"
