"""More than one credential from the picker: a list, a stack; narrowing; what each LMS makes of it."""

import re
from typing import Any

import jwt
import pytest

from lti_tool.dialects import dialect_named
from lti_tool.dialects.choosing import Plan
from microcred.credentials.models import Credential, CredentialVersion
from tests.functional.coordinator.test_choosing import columns, titles
from tests.support.campus import Campus, Visitor, response_form
from tests.support.catalogue import generate

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


def items(answer: Any) -> list[dict[str, Any]]:
    token = response_form(answer)[1]
    found: list[dict[str, Any]] = jwt.decode(token, options={"verify_signature": False})[DL + "content_items"]
    return found


def stacks(picker: Visitor) -> list[str]:
    picker.get("choose", query_string={"kind": "stack"})
    return re.findall(r'name="credential" id="c-([^"]+)"', picker.page)


def test_a_list_grows_by_one_choice_and_is_added_at_once(here: Campus) -> None:
    picker = here.picker()
    first, second = here.version(), here.version("mc-discussion")
    picker.get("choose", query_string={"credential": first, "more": "1", "scheme": "complete"})
    assert f'name="with" value="{first}"' in picker.page
    assert "On your list" in picker.page
    assert f'name="credential" id="c-{first}"' not in picker.page
    picker.get("choose", query_string={"with": first, "credential": second, "scheme": "complete"})
    assert len(columns(picker)) == 2

    answer = picker.post("choose", {"with": first, "credential": second, "scheme": "complete"})
    assert [item["lineItem"]["scoreMaximum"] for item in items(answer)] == [1, 1]
    outcome = here.deliver(answer)
    assert len(outcome.links) == len(outcome.line_items) == len(here.placements()) == 2
    assert here.at_link("terry", outcome.links[1].id).page.count("<h1") == 1


def test_the_list_is_kept_while_searching_and_shortened(here: Campus) -> None:
    picker, first = here.picker(), here.version()
    picker.get("choose", query_string={"with": first, "q": "discussion"})
    assert f'name="with" value="{first}"' in picker.page
    assert len(titles(picker)) == 1
    assert "Take off" in picker.page
    picker.get("choose", query_string={"q": "discussion"})
    assert "On your list" not in picker.page


def test_an_lms_that_takes_one_link_is_offered_no_list(here: Campus) -> None:
    picker = here.picker(settings={"accept_multiple": False})
    assert "choose another too" not in picker.page
    picker.get("choose", query_string={"with": here.version(), "credential": here.version("mc-discussion")})
    assert "On your list" not in picker.page


def test_a_stack_is_all_its_credentials_in_order(here: Campus) -> None:
    picker = here.picker()
    offered = stacks(picker)
    assert len(offered) == 2
    picker.get("choose", query_string={"kind": "stack", "credential": offered[0], "scheme": "hundred"})
    shown = columns(picker)
    assert len(shown) > 2
    answer = picker.post("choose", {"credential": offered[0], "scheme": "hundred"})
    assert [item["lineItem"]["label"] for item in items(answer)] == [label for label, _ in shown]
    assert len(here.deliver(answer).links) == len(shown)


def test_letters_are_offered_for_a_stack_that_counts_for_a_graded_course(here: Campus) -> None:
    picker = here.picker()
    for public_id in stacks(picker):
        picker.get("choose", query_string={"kind": "stack", "credential": public_id})
        graded = "Letter grade for graduate credit" in picker.page
        with here.assembly.database.reading() as session:
            document = session.query(CredentialVersion).filter_by(public_id=public_id).one().document
        assert graded is (document["graduate_credit"]["grade_basis"] == "letter")
    assert "Letter grade for graduate credit" not in here.picker().page


def test_a_stack_where_one_link_is_taken_says_so_and_adds_the_first(here: Campus) -> None:
    picker = here.picker(settings={"accept_multiple": False})
    public_id = stacks(picker)[0]
    picker.get("choose", query_string={"kind": "stack", "credential": public_id})
    assert "takes one link at a time" in picker.page
    assert len(items(picker.post("choose", {"credential": public_id, "scheme": "hundred"}))) == 1


def test_a_stack_with_credentials_of_others_adds_those_that_may_be_had(here: Campus) -> None:
    picker = here.picker()
    public_id = stacks(picker)[0]
    with here.assembly.database.writing() as session:
        document = session.query(CredentialVersion).filter_by(public_id=public_id).one().document
        member = document["groups"][0]["micro_credentials"][0]
        hidden = session.query(CredentialVersion).join(Credential).filter(Credential.key == member).one()
        hidden.state = "retired"
    picker.get("choose", query_string={"kind": "stack", "credential": public_id})
    assert "1 micro-credential of this stack cannot be had in your organization" in picker.page
    made = items(picker.post("choose", {"credential": public_id, "scheme": "hundred"}))
    assert made
    assert hidden.title not in [item["title"] for item in made]


@pytest.mark.parametrize(
    ("narrowing", "found"),
    [
        ({"why": "need"}, {"Helping Students Generate and Shape Ideas"}),
        ({"standard": "iste 2.6.d"}, {"Helping Students Generate and Shape Ideas"}),
        (
            {"topic": "creativity", "grade_band": "k-5", "hours": "10"},
            {"Helping Students Generate and Shape Ideas"},
        ),
        ({"hours": "1"}, set()),
        ({"hours": "½", "grade_band": "'", "why": ["nonsense"]}, set()),
    ],
)
def test_the_list_is_narrowed(here: Campus, narrowing: dict[str, Any], found: set[str]) -> None:
    picker = here.picker()
    assert picker.get("choose", query_string=narrowing).status_code == 200
    assert found <= set(titles(picker))
    assert len(titles(picker)) < 8


def test_reviewers_and_rubric_are_shown_before_anything_is_added(here: Campus) -> None:
    picker = here.picker()
    assert "Nobody can review it yet" in picker.page
    here.officer("reviewer")
    picker.get("choose", query_string={"credential": here.version()})
    assert ": 1 reviewer." in picker.page
    assert 'dl class="levels"' in picker.page


def test_a_page_of_more_than_a_thousand_is_quick(here: Campus) -> None:
    generate(here.assembly.database, 1100)
    picker = here.picker()
    picker.get("choose", query_string={"q": "made up", "grade_band": "pk-2"})
    assert len(titles(picker)) == 20
    assert "More micro-credentials" in picker.page


SELECTION = {"accept_types": ["ltiResourceLink"], "accept_multiple": True}
FORM = {"accept_types": ["ltiResourceLink"], "accept_multiple": False}
EDITOR = {"accept_types": ["ltiResourceLink", "html", "link"], "accept_multiple": True}


@pytest.mark.parametrize(
    ("lms", "settings", "links", "dated", "says", "not_says"),
    [
        ("canvas", SELECTION, 1, True, ["unpublished"], ["no date"]),
        ("canvas", FORM, 1, True, ["press Save", "takes no date"], ["unpublished"]),
        ("canvas", EDITOR, 1, False, ["makes a link and no assignment"], ["unpublished"]),
        ("moodle", SELECTION, 1, True, ["press Save", "takes no date", "after the activity"], []),
        ("moodle", SELECTION, 3, False, ["Save and return to course"], ["no date"]),
        ("schoology", SELECTION, 1, True, ["default category"], ["no date"]),
        ("schoology", FORM, 1, False, ["Add Materials"], ["default category"]),
        ("other", SELECTION, 1, True, [], ["Save", "date"]),
    ],
)
def test_each_lms_says_what_it_makes_of_the_links(
    lms: str, settings: dict[str, Any], links: int, dated: bool, says: list[str], not_says: list[str]
) -> None:
    text = " ".join(dialect_named(lms).says_of_links(Plan(links, 1, dated, settings)))
    assert all(words in text for words in says)
    assert not any(words in text for words in not_says)


def test_schoology_says_that_it_takes_no_first_day() -> None:
    plan = Plan(1, 1, True, SELECTION, starts=True)
    assert "the last day alone" in " ".join(dialect_named("schoology").says_of_links(plan))


@pytest.mark.parametrize("lms", ["canvas", "moodle"])
def test_a_link_and_its_column_of_one_name_say_so_where_there_are_several(lms: str) -> None:
    says = dialect_named(lms).says_of_links
    assert "holds Part 1" in " ".join(says(Plan(1, 4, False, SELECTION)))
    assert "holds Part 1" not in " ".join(says(Plan(1, 1, False, SELECTION)))


def test_a_list_that_names_what_is_not_there_is_refused(here: Campus) -> None:
    picker = here.picker()
    answer = picker.get("choose", query_string={"with": '"><script>alert(1)', "credential": here.version()})
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    forged = {"with": "no-such-id", "credential": here.version(), "scheme": "hundred"}
    assert picker.post("choose", forged).status_code == 404
    assert here.placements() == []
