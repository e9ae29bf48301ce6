"""Schoology: sections 1 to 11 of its sheet, each fact that is documented or was observed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from demo_lms import DeepLinkError, FormPost, Refusal, SigningKey
from demo_lms.dialects import SCHOOLOGY

from .dialect_tool import (
    AGS_CLAIM,
    ALL,
    MEMBERSHIP,
    NRPS_CLAIM,
    T0,
    T1,
    T2,
    DialectTool,
    Picker,
    item,
    lms,
)
from .tool import AGS, LINEITEM, LINEITEMS, LTI, MEMBERS, NRPS

CLIENT, DEPLOYMENT = "7485393815", "7485393815-1380426679"


@pytest.fixture
def schoology(platform_key: SigningKey, tool_key: SigningKey) -> Iterator[DialectTool]:
    with lms(
        SCHOOLOGY, platform_key, tool_key, CLIENT, DEPLOYMENT, "https://schoology.schoology.com"
    ) as tool:
        yield tool


def test_schoology_1_one_issuer_for_all_districts_and_nothing_to_register_with(
    schoology: DialectTool,
) -> None:
    platform = schoology.platform
    assert platform.issuer == "https://schoology.schoology.com"
    assert platform.auth_url.endswith("/lti-service/authorize-redirect")
    assert platform.token_url.endswith("/lti-service/access-token")
    assert platform.jwks_url.endswith("/lti-service/.well-known/jwks")
    assert platform.configuration_url == ""
    assert schoology.http.get(platform.url("/.well-known/openid-configuration"), timeout=5).status_code == 404
    schoology.be("dana")
    assert "registration address" not in schoology.page("/settings")


def test_schoology_1_many_deployments_or_many_clients(schoology: DialectTool) -> None:
    second = schoology.platform.add_deployment(CLIENT, "c-1")
    assert re.match(rf"^{CLIENT}-\d+$", second)
    made = schoology.platform.add_link("c-1", "Second")
    assert schoology.launch(link=made.id)[LTI + "deployment_id"] == second
    schoology.platform.add_tool("999", "http://x.test/login", ["http://x.test/launch"])
    other = schoology.platform.add_link("c-1", "Other client", client_id="999")
    start = schoology.platform.begin_launch("u-1", other.id)
    assert start.fields["iss"] == schoology.platform.begin_launch("u-1", "rl-1").fields["iss"]


def test_schoology_3_login_is_a_get_without_client_id(schoology: DialectTool) -> None:
    start = schoology.platform.begin_launch("u-1", "rl-1")
    assert start.method == "GET"
    assert set(start.fields) == {"iss", "target_link_uri", "login_hint", "lti_message_hint"}
    assert re.match(r"^\d+-\d+$", start.fields["login_hint"])
    assert re.match(r"^[0-9a-f-]{36}$", start.hint)
    schoology.be("u-1")
    page = schoology.page("/start/c-1/link/rl-1")
    assert 'method="get"' in page
    assert "client_id" not in page
    schoology.platform.switches["login_client_id"] = True
    assert schoology.platform.begin_launch("u-1", "rl-1").fields["client_id"] == CLIENT


def test_schoology_10_storage_is_offered_where_its_newer_page_is_true(schoology: DialectTool) -> None:
    schoology.platform.platform_storage = True
    start = schoology.platform.begin_launch("u-1", "rl-1")
    answer = schoology.answer(start)
    assert isinstance(answer, FormPost)
    assert start.fields["lti_storage_target"] == answer.fields["lti_storage_target"] == "_parent"


def test_schoology_3_the_token_has_a_list_as_audience_and_ten_minutes(schoology: DialectTool) -> None:
    answer = schoology.answer(schoology.platform.begin_launch("u-1", "rl-1"))
    assert isinstance(answer, FormPost)
    header = jwt.get_unverified_header(answer.fields["id_token"])
    assert (header["alg"], set(header)) == ("RS256", {"typ", "alg", "kid"})
    claims = schoology.launch()
    assert claims["aud"] == [CLIENT]
    assert claims["exp"] - claims["iat"] == 600
    assert re.match(r"^\d+::[0-9a-f]{32}$", claims["sub"])
    assert "azp" not in claims
    assert claims[LTI + "deployment_id"] == DEPLOYMENT


def test_schoology_3_an_app_in_a_menu_has_neither_link_nor_context(schoology: DialectTool) -> None:
    for course in ("c-1", None):
        start = schoology.platform.begin_placement_launch("dana", course, placement="courses")
        claims = schoology.claims(start)
        assert claims[LTI + "message_type"] == "LtiResourceLinkRequest"
        assert set(claims) == {
            "iss", "aud", "sub", "iat", "exp", "nonce", LTI + "message_type", LTI + "version",
            LTI + "deployment_id", LTI + "target_link_uri", LTI + "roles",
        }  # fmt: skip


def test_schoology_3_names_depend_on_privacy_and_relaunches_may_lack_the_context(
    schoology: DialectTool,
) -> None:
    assert schoology.launch()["email"] == "u-1@demo.invalid"
    schoology.platform.tools[CLIENT].privacy = "anonymous"
    claims = schoology.launch()
    assert not {"name", "email", "given_name"} & set(claims)
    schoology.platform.switches["relaunch_omits"] = "title"
    assert "title" not in schoology.launch()[LTI + "context"]
    schoology.platform.switches["relaunch_omits"] = "context"
    assert LTI + "context" not in schoology.launch()


def test_schoology_3_the_context_is_a_section(schoology: DialectTool) -> None:
    claims = schoology.launch()
    context = claims[LTI + "context"]
    assert context["title"] == "Active Classrooms: AC"
    assert context["label"] is None
    assert context["id"].isdecimal()
    assert f"/sections/{context['id']}/lineitems" in claims[AGS_CLAIM]["lineitems"]
    assert claims[NRPS_CLAIM]["context_memberships_url"].endswith(f"/membership/{context['id']}")


def test_schoology_3_redirect_uris_must_be_registered(schoology: DialectTool) -> None:
    start = schoology.platform.begin_launch("u-1", "rl-1")
    assert isinstance(schoology.answer(start, redirect_uri="http://127.0.0.1:5000/x"), Refusal)


def test_schoology_4_links_from_the_editor_have_no_column(schoology: DialectTool) -> None:
    made = Picker(schoology, placement="rich_text_editor").take(item())
    assert (len(made.links), made.line_items) == (1, [])
    assert "lineitem" not in schoology.launch(link=made.links[0].id)[AGS_CLAIM]


def test_schoology_5_a_response_needs_a_nonce(schoology: DialectTool) -> None:
    with pytest.raises(DeepLinkError, match="Invalid parameter: nonce is required"):
        Picker(schoology).take(item(), nonce=None)
    made = Picker(schoology).take(item(submission={"endDateTime": "2027-01-15T23:59:00Z"}), sub=CLIENT)
    (link,), (column,) = made.links, made.line_items
    assert (column.label, column.score_maximum) == ("Feedback", 20)
    assert link.submission == {"endDateTime": "2027-01-15T23:59:00Z"}
    kinds = Picker(schoology).take({"type": "file", "url": "https://example.org/f"}, item())
    assert (list(kinds.item_errors), len(kinds.links)) == ([0], 1)


def test_schoology_5_parameters_of_the_app_stay_away_from_deep_linked_items(schoology: DialectTool) -> None:
    schoology.platform.tools[CLIENT].custom = {"Of_App": "x"}
    plain = schoology.platform.add_link("c-1", "External tool")
    assert schoology.launch(link=plain.id)[LTI + "custom"] == {"of_app": "x"}
    assert "lineitem" not in schoology.launch(link=plain.id)[AGS_CLAIM]
    made = Picker(schoology).take(item(custom={"MixedCase": "y"}))
    assert schoology.launch(link=made.links[0].id)[LTI + "custom"] == {"mixedcase": "y"}


def test_schoology_5_renaming_keeps_the_link_and_making_it_again_does_not(schoology: DialectTool) -> None:
    first = Picker(schoology).take(item()).links[0]
    first.title = "Renamed"
    assert schoology.launch(link=first.id)[LTI + "resource_link"]["id"] == first.id
    schoology.platform.remove_link(first.id)
    assert Picker(schoology).take(item()).links[0].id != first.id


def test_schoology_6_tokens_are_lower_case_and_reach_every_section(schoology: DialectTool) -> None:
    granted = schoology.ask_token(ALL).json()
    assert (granted["token_type"], granted["expires_in"]) == ("bearer", 3600)
    assert set(granted["scope"].split()) == set(ALL.split())
    schoology.platform.add_course("c-2", "Never launched")
    here = schoology.platform.dialect.course_path_id(schoology.platform.courses["c-1"])
    there = schoology.platform.dialect.course_path_id(schoology.platform.courses["c-2"])
    url = schoology.items_url.replace(here, there)
    body = {"label": "Anywhere", "scoreMaximum": 1}
    assert schoology.call("POST", url, ALL, LINEITEM, body).status_code == 201


def test_schoology_6_line_items(schoology: DialectTool) -> None:
    made = schoology.make_item(resourceId="p-1", tag="part", endDateTime="2027-01-01T00:00:00Z")
    assert made.status_code == 201
    url = made.json()["id"]
    assert set(made.json()) == {"id", "label", "scoreMaximum", "resourceId", "tag"}
    assert [row["id"] for row in schoology.items("?resource_id=p-1&tag=part").json()] == [url]
    schoology.platform.add_tool("999", "http://x.test/login", ["http://x.test/launch"])
    schoology.platform.add_line_item("c-1", "Not ours", 1, client_id="999")
    assert "Not ours" not in [row["label"] for row in schoology.items().json()]
    changed = schoology.call("PUT", url, ALL, LINEITEM, made.json() | {"scoreMaximum": 50})
    assert (changed.status_code, changed.json()["scoreMaximum"]) == (200, 50)
    assert schoology.call("DELETE", url, ALL, LINEITEM).status_code == 204
    assert schoology.call("GET", url, ALL, LINEITEM).status_code == 404


def test_schoology_6_scores_answer_201_and_can_be_read_back(schoology: DialectTool) -> None:
    answer = schoology.post(schoology.score())
    assert (answer.status_code, answer.content, schoology.shown()) == (201, b"", 80)
    (row,) = schoology.results()
    assert (row["resultScore"], row["userId"]) == (80, schoology.platform.user_id("u-1", "c-1"))


def test_schoology_6_comments_are_kept_or_cleared_with_each_score(schoology: DialectTool) -> None:
    cell = schoology.platform.grade
    schoology.post(schoology.score(T0, scoreGiven=..., scoreMaximum=...))
    assert (schoology.shown(), cell(schoology.item, "u-1").comment) == (None, "Clear evidence.")
    schoology.post(schoology.score(T1, comment=...))
    assert (schoology.shown(), cell(schoology.item, "u-1").comment) == (80, "")


def test_schoology_6_every_push_wipes_the_teachers_mark(schoology: DialectTool) -> None:
    schoology.be("dana")
    url = f"{schoology.server.url}/courses/c-1/grades/{schoology.item}/u-1"
    for number, flag in enumerate(("Missing", "Excused", "Incomplete")):
        assert flag in schoology.http.post(f"{url}/flag", data={"flag": flag}, timeout=5).text
        assert schoology.platform.grade(schoology.item, "u-1").flag == flag
        schoology.post(schoology.score(f"2026-11-21T10:00:0{number}.000Z"))
        assert schoology.platform.grade(schoology.item, "u-1").flag == ""
    assert schoology.http.post(f"{url}/flag", data={"flag": "Other"}, timeout=5).status_code == 404
    schoology.be("u-1")
    assert schoology.http.post(f"{url}/flag", data={"flag": "Excused"}, timeout=5).status_code == 403


@pytest.mark.parametrize("grading", ["FullyGraded", "PendingManual", "Pending"])
def test_schoology_6_progress_is_not_seen(schoology: DialectTool, grading: str) -> None:
    schoology.post(schoology.score(gradingProgress=grading, activityProgress="Submitted"))
    assert schoology.shown() == 80
    schoology.be("dana")
    page = schoology.page("/courses/c-1/grades")
    assert grading not in page
    assert "Submitted" not in page


def test_schoology_6_without_a_grading_category_the_column_is_hidden(schoology: DialectTool) -> None:
    schoology.platform.courses["c-1"].grading_categories = []
    assert schoology.post(schoology.score()).status_code == 201
    schoology.be("dana")
    page = schoology.page("/courses/c-1/grades")
    assert "no grading category" in page
    assert "Idea Shaper" not in page


def linked(schoology: DialectTool) -> None:
    """A second section under the same course tile, with u-9 in it."""
    platform = schoology.platform
    platform.courses["c-1"].linked = "tile"
    platform.add_course("c-2", "Active Classrooms", label="Section 2", linked="tile")
    platform.add_person("u-9", "Ninth Demo-Teacher")
    platform.enrol("c-2", "u-9")


def test_schoology_6_linked_sections_share_one_line_item_by_default(schoology: DialectTool) -> None:
    linked(schoology)
    made = Picker(schoology).take(item())
    first, second = made.links
    assert [first.course_id, second.course_id] == ["c-1", "c-2"]
    urls = [
        schoology.launch(who, link.id)[AGS_CLAIM]["lineitem"]
        for who, link in (("u-1", first), ("u-9", second))
    ]
    assert urls[0] == urls[1]
    assert schoology.post(schoology.score(), urls[0]).status_code == 201
    other = schoology.score(userId=schoology.platform.user_id("u-9"))
    assert schoology.post(other, urls[1]).status_code >= 400, "posting succeeds for one section only"


def test_schoology_6_unique_line_items_give_each_section_its_own(schoology: DialectTool) -> None:
    linked(schoology)
    schoology.platform.switches["unique_line_items"] = True
    first, second = Picker(schoology).take(item()).links
    own = schoology.launch("u-9", second.id)[AGS_CLAIM]["lineitem"]
    assert own != schoology.launch("u-1", first.id)[AGS_CLAIM]["lineitem"]
    score = schoology.score(userId=schoology.platform.user_id("u-9"))
    assert schoology.post(score, own).status_code == 201


def test_schoology_6_timestamps_follow_the_specification(schoology: DialectTool) -> None:
    schoology.post(schoology.score(T2))
    assert schoology.post(schoology.score(T1)).status_code == 409


def test_schoology_7_members_come_by_hundreds_and_want_their_type(schoology: DialectTool) -> None:
    for number in range(130):
        schoology.platform.add_person(f"m-{number}", f"Member {number}")
        schoology.platform.enrol("c-1", f"m-{number}")
    first = schoology.members("?limit=500")
    assert len(first.json()["members"]) == 100
    rest = schoology.call("GET", first.links["next"]["url"], NRPS, MEMBERS)
    assert (len(rest.json()["members"]), "next" in rest.links) == (34, False)
    url = schoology.launch("dana")[NRPS_CLAIM]["context_memberships_url"]
    assert schoology.call("GET", url, NRPS, "application/json").status_code == 406
    assert schoology.call("GET", schoology.items_url, f"{AGS}lineitem", LINEITEMS).status_code == 200


def test_schoology_7_names_can_be_withheld_and_parents_listed(schoology: DialectTool) -> None:
    schoology.platform.tools[CLIENT].privacy = "anonymous"
    schoology.platform.add_person("parent", "Parent Demo")
    schoology.platform.enrol("c-1", "parent", "Mentor")
    body = schoology.members().json()
    assert set(body["context"]) == {"id", "label", "title"}
    rows = body["members"]
    assert rows
    assert not any("name" in row or "email" in row for row in rows)
    assert rows[-1]["roles"] == [f"{MEMBERSHIP}#Mentor"]
    assert rows[1]["user_id"] == schoology.launch("u-1")["sub"]


def test_schoology_8_an_administrator_is_also_an_instructor(schoology: DialectTool) -> None:
    schoology.platform.add_person("admin", "Admin Demo")
    schoology.platform.enrol("c-1", "admin", "Administrator")
    roles = schoology.launch("admin")[LTI + "roles"]
    assert roles == [f"{MEMBERSHIP}#Administrator", f"{MEMBERSHIP}#Instructor"]
    assert "role_scope_mentor" not in str(schoology.launch("u-1"))


def test_schoology_9_variables_of_its_own(schoology: DialectTool) -> None:
    due = "2027-01-15T23:59:00+00:00"
    schoology.platform.links["rl-1"].submission = {"endDateTime": due}
    wanted: dict[str, Any] = {
        "due": "$com.schoology.Assignment.dueDateIso",
        "epoch": "$com.schoology.Assignment.dueDate",
        "maximum": "$com.schoology.Assignment.scoreMaximum",
        "section": "$com.schoology.CourseSection.id",
        "title": "$CourseSection.title",
        "history": "$ResourceLink.id.history",
        "sis": "$com.schoology.User.uniqueId",
        "teacher": "$com.schoology.Assignment.teacherId",
        "sis_section": "$CourseSection.sourceSectionId",
        "name": "$ResourceLink.title",
    }
    numbers = {"building": "$com.schoology.Context.Building.id", "own": "$com.schoology.Primary.Building.id"}
    custom = schoology.custom(**wanted, **numbers)
    assert all(custom.pop(name).isdecimal() for name in numbers)
    context = schoology.launch()[LTI + "context"]
    assert custom == {
        "due": due,
        "epoch": "1800057540",
        "maximum": "100",
        "section": context["id"],
        "title": context["title"],
        "history": "$ResourceLink.id.history",
        "sis": "$com.schoology.User.uniqueId",
        "teacher": schoology.launch("dana")["sub"].partition("::")[0],
        "sis_section": "AC",
        "name": "Idea Shaper",
    }


def test_schoology_9_histories_hold_the_latest_five(schoology: DialectTool) -> None:
    platform = schoology.platform
    platform.links["rl-1"].custom = {"links": "$ResourceLink.id.history", "contexts": "$Context.id.history"}
    ids, last = ["rl-1"], "c-1"
    for number in range(2, 9):
        platform.copy_course(last, f"c-{number}")
        last = f"c-{number}"
        ids.insert(0, platform.links_in(last)[0].id)
    platform.enrol(last, "u-1")
    custom = schoology.launch(link=ids[0])[LTI + "custom"]
    assert custom["links"].split(",") == ids[1:6]
    assert len(custom["contexts"].split(",")) == 5
