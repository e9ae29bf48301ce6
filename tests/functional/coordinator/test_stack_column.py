"""A stack with a column of its own: it counts what is earned, here and elsewhere, and what is revoked."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from demo_lms.model import LineItem
from microcred.credentials.models import Attempt, Award, CredentialVersion, Decision
from microcred.operations import awards
from microcred.people import organization_by_code
from microcred.placements import STACK
from tests.functional.coordinator.test_choosing import columns
from tests.functional.coordinator.test_settings import settings
from tests.functional.coordinator.test_several import stacks
from tests.support.campus import COURSE, Campus, Visitor

LABEL = "Active Classrooms: earned of the stack"


def active_classrooms(here: Campus, picker: Visitor) -> str:
    """The stack whose four micro-credentials are all required."""
    with here.assembly.database.reading() as session:
        query = select(CredentialVersion.public_id).where(CredentialVersion.code == "ST-A")
        public_id = session.scalars(query).one()
    assert public_id in stacks(picker)
    return public_id


def add_stack(here: Campus, course: str = COURSE, **form: str) -> list[str]:
    """A coordinator adds the stack; ids of the links it made."""
    picker = here.picker(course=course)
    chosen = {"credential": active_classrooms(here, picker), "scheme": "hundred", "stack_column": "yes"}
    return [link.id for link in here.deliver(picker.post("choose", chosen | form)).links]


def earn(here: Campus, link: str, person: str = "terry") -> str:
    """Somebody opens a link and earns what it leads to; the LMS hears of it. The award's public id."""
    here.at_link(person, link)
    award = here.earn(person)
    here.clock.time += timedelta(minutes=2)
    here.work()
    return award


def revoke(here: Campus, award_public_id: str) -> None:
    approver = here.officer("approver")
    with here.assembly.database.writing() as session:
        query = select(Attempt.public_id).join(Decision, Decision.attempt_id == Attempt.id)
        attempt = session.scalars(
            query.join(Award, Award.decision_id == Decision.id).where(Award.public_id == award_public_id)
        ).one()
        why = next(iter(awards.REASONS))
        awards.revoke(session, approver, attempt, why, "It was not your own.", now=here.clock.now())
    here.work()


def stack_items(here: Campus, course: str = COURSE) -> list[LineItem]:
    return [item for item in here.platform.line_items_in(course) if item.tag == STACK]


def shown(here: Campus, person: str = "terry") -> tuple[float | None, str]:
    (item,) = stack_items(here)
    return here.platform.shown_score(item.id, person), item.grades[person].comment


def test_the_picker_offers_it_for_a_stack_and_shows_it_before_anything_is_sent(here: Campus) -> None:
    picker = here.picker()
    assert "A column for the whole stack" not in picker.page
    chosen = {"credential": active_classrooms(here, picker), "scheme": "hundred", "kind": "stack"}
    picker.get("choose", query_string=chosen)
    assert "A column for the whole stack" in picker.page
    assert LABEL not in picker.page
    for path in ("choose", "choose/columns"):
        picker.get(path, query_string=chosen | {"stack_column": "yes"})
        assert columns(picker)[-1] == (LABEL, "1 to 4 of 4")
        assert "Keep it out of an average" in picker.page
    assert here.placements() == []


def test_it_is_made_once_and_counts_every_award_and_every_revocation(here: Campus) -> None:
    links = add_stack(here)
    assert len(links) == 4
    assert stack_items(here) == []
    first = earn(here, links[2])
    (item,) = stack_items(here)
    assert (item.label, item.score_maximum, item.resource_link_id) == (LABEL, 4, None)
    assert shown(here) == (1, "1 of 4 of the stack earned.")
    page = here.at_link("dana", links[2])
    page.get("course")
    assert LABEL in page.page
    assert "1 of 4" in page.page
    for link in (links[0], links[1], links[3]):
        earn(here, link)
    assert shown(here) == (4, "All 4 of the stack earned.")
    assert item.grades["terry"].activity_progress == "Completed"
    revoke(here, first)
    value, comment = shown(here)
    assert value == 3
    assert comment.startswith("Revoked March")
    earn(here, links[0], "amal")
    assert shown(here, "amal")[0] == 1
    assert len(stack_items(here)) == 1


@pytest.mark.parametrize(("rule", "grade"), [(False, 100), (True, 0)])
def test_the_grade_of_a_withdrawn_award_follows_the_rules_of_the_course_s_organization(
    here: Campus, rule: bool, grade: int
) -> None:
    with here.assembly.database.writing() as session:
        district = organization_by_code(session, "district")
        assert district is not None
        district.policies = {"reviewing": {"zero_when_withdrawn": rule}}
    (link,) = here.add().links
    revoke(here, earn(here, link.id))
    (item,) = here.platform.line_items_in(COURSE)
    assert here.platform.shown_score(item.id, "terry") == grade
    assert item.grades["terry"].comment.startswith("Revoked March")


def test_the_links_own_columns_know_nothing_of_it(here: Campus) -> None:
    links = add_stack(here, scheme="per_part")
    earn(here, links[0])
    own = [item for item in here.platform.line_items_in(COURSE) if item.tag != STACK]
    assert all(here.platform.shown_score(item.id, "terry") in (1, None) for item in own)
    assert [item.resource_link_id for item in own if item.tag == "p1"] == links
    assert shown(here)[0] == 1


def test_what_was_earned_in_another_course_counts(here: Campus) -> None:
    here.platform.add_course("c-2", "Another course")
    for person, role in (("terry", "Learner"), ("dana", "Instructor")):
        here.platform.enrol("c-2", person, role)
    (elsewhere,) = here.add("mc-discussion", course="c-2").links
    earn(here, elsewhere.id)
    links = add_stack(here)
    assert stack_items(here) == []
    earn(here, links[0])
    assert shown(here)[0] == 2
    assert stack_items(here, "c-2") == []


def test_a_course_counts_a_stack_once(here: Campus) -> None:
    links = add_stack(here)
    here.at_link("terry", links[1])
    picker = here.picker()
    chosen = {"credential": active_classrooms(here, picker), "kind": "stack", "stack_column": "yes"}
    picker.get("choose", query_string=chosen)
    assert "has a column for" in picker.page
    assert LABEL not in picker.page
    again = add_stack(here)
    earn(here, again[0])
    assert shown(here)[0] == 1


def test_of_two_awards_at_once_both_are_counted(anywhere: Campus) -> None:
    here = anywhere
    links, approver, tries = add_stack(here), here.officer("approver"), []
    for link in links[:2]:
        here.at_link("terry", link)
        tries.append(here.recommended("terry"))
    first_is_under_way = threading.Event()

    def second_award() -> None:
        first_is_under_way.wait()
        with here.assembly.database.writing() as session:
            here.award(session, approver, tries[1])

    second = threading.Thread(target=second_award)
    second.start()
    with here.assembly.database.writing() as session:
        here.award(session, approver, tries[0])
        session.flush()
        first_is_under_way.set()
        second.join(0.3)
        assert second.is_alive()
    second.join()
    here.clock.time += timedelta(minutes=2)
    here.work()
    assert shown(here)[0] == 2


def test_a_coordinator_stops_counting_and_the_column_keeps_its_number(here: Campus) -> None:
    links = add_stack(here)
    earn(here, links[0])
    page = settings(here, links[0])
    assert "Count what is earned of" in page.page
    assert "Count what is earned of" not in settings(here, links[1]).page
    form = {"scheme": "hundred", "denied_as": "blank", "submit_by": "", "reviewers": "all"}
    assert page.post("course/settings", form | {"counts_stack": "yes"}).status_code == 303
    earn(here, links[1])
    assert shown(here)[0] == 2
    assert page.post("course/settings", form).status_code == 303
    assert "Count what is earned of" not in settings(here, links[0]).page
    earn(here, links[2])
    assert shown(here)[0] == 2


def test_a_copied_course_has_a_column_of_its_own(here: Campus) -> None:
    links = add_stack(here)
    earn(here, links[0])
    here.platform.copy_course(COURSE, "c-2")
    here.platform.enrol("c-2", "amal", "Learner")
    copied = next(link.id for link in here.platform.links_in("c-2") if links[0] in link.history)
    earn(here, copied, "amal")
    (item,) = stack_items(here, "c-2")
    assert here.platform.shown_score(item.id, "amal") == 1
    assert shown(here)[0] == 1
    assert "amal" not in stack_items(here)[0].grades


def test_an_answer_that_the_lms_never_took_makes_no_column(here: Campus) -> None:
    picker = here.picker()
    version = active_classrooms(here, picker)
    picker.post("choose", {"credential": version, "scheme": "hundred", "stack_column": "yes"})
    (link,) = here.add().links
    earn(here, link.id)
    assert stack_items(here) == []


def test_a_second_choice_on_the_same_page_takes_it_back(here: Campus) -> None:
    picker = here.picker()
    version = active_classrooms(here, picker)
    picker.post("choose", {"credential": version, "scheme": "hundred", "stack_column": "yes"})
    answer = picker.post("choose", {"credential": here.version(), "scheme": "per_part"})
    (link,) = here.deliver(answer).links
    earn(here, link.id)
    assert stack_items(here) == []
    assert [one.stack_version_id for one in here.placements()] == [None] * 4


def test_the_links_own_column_stays_the_first_whatever_is_chosen_again(here: Campus) -> None:
    picker = here.picker()
    chosen = {"credential": active_classrooms(here, picker), "stack_column": "yes"}
    picker.post("choose", chosen | {"scheme": "hundred"})
    links = [link.id for link in here.deliver(picker.post("choose", chosen | {"scheme": "per_part"})).links]
    assert {item.tag for item in here.platform.line_items_in(COURSE)} == {"p1"}
    earn(here, links[0])
    assert shown(here)[0] == 1
