"""Submitting once, taking back, revising, earning."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from microcred.credentials.models import Attempt, Pursuit
from microcred.operations import review
from microcred.placements.models import Placement
from tests.functional.web.course import Course, Visitor
from tests.functional.web.work import complete, events, permit, submit, write

PASSING = {"p1-c1": "passing", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "strong", "p4-c1": "passing"}
REVISE = PASSING | {"p1-c2": "revisions_needed", "p4-c1": "not_evident"}


def test_an_empty_part_is_named_and_linked(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    write(teacher, "p4", "p4-q1", "", revision=1)
    page = teacher.get("submit").text
    assert "One thing is still missing." in page
    assert "has no answer yet" in page
    assert f"{teacher.url('parts/p4')}#p4-q1" in page
    refused = submit(teacher)
    assert refused.status_code == 409
    assert course.attempt(teacher.person_id).state == "draft"


def test_every_statement_has_to_be_confirmed(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    refused = submit(teacher, ["own_work", "no_names"])
    assert refused.status_code == 409
    assert "Please confirm each statement" in refused.text
    assert refused.text.count(" checked>") == 2


@pytest.mark.parametrize(
    "credential", ["mc-shape-ideas", "mc-safe-tools", "mc-feedback", "mc-peer-observation"]
)
def test_a_complete_try_is_submitted_with_its_decision_day(course: Course, credential: str) -> None:
    visitor = course.visitor(credential=credential)
    visitor.get()
    complete(visitor, course, credential)
    assert "Everything is here" in visitor.get("submit").text
    answer = submit(visitor)
    assert answer.status_code == 303, answer.text
    assert course.attempt(visitor.person_id).state == "submitted"
    assert "Decision by" in visitor.get().text


def test_the_decision_day_is_said_in_the_organizations_time(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    assert "Monday, October 5" in teacher.get("submit").text
    submit(teacher)
    assert "Monday, October 5" in teacher.get().text


def test_a_double_click_submits_once(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    assert submit(teacher).status_code == 303
    assert submit(teacher).status_code == 303
    assert events(course, "try_submitted") == 1


def test_two_clicks_at_the_same_moment_submit_once(course_anywhere: Course) -> None:
    course = course_anywhere
    visitor = course.visitor()
    visitor.get()
    complete(visitor, course)
    answers = at_once(course, visitor, 3, lambda one: submit(one).status_code)
    assert set(answers) == {303}
    assert events(course, "try_submitted") == 1


def test_many_first_visits_at_once_make_one_try(course_anywhere: Course) -> None:
    course = course_anywhere
    visitor = course.visitor()
    assert set(at_once(course, visitor, 4, lambda one: one.get().status_code)) == {200}
    with course.assembly.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Pursuit)) == 1
        assert session.scalar(select(func.count()).select_from(Attempt)) == 1


def test_many_pages_writing_at_once_keep_one_text_and_tell_the_others(course_anywhere: Course) -> None:
    course = course_anywhere
    visitor = course.visitor()
    visitor.get()
    numbers = iter(range(10))
    answers = at_once(
        course, visitor, 4, lambda one: write(one, "p1", "p1-q1", f"text {next(numbers)}").status_code
    )
    assert sorted(answers) == [303, 409, 409, 409]


def test_it_can_be_taken_back_until_a_reviewer_starts(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    submit(teacher)
    assert teacher.post("withdraw").status_code == 303
    assert "It is a draft again" in teacher.get("?ok=withdrawn").text
    assert course.attempt(teacher.person_id).state == "draft"
    assert teacher.post("withdraw").status_code == 303
    assert events(course, "try_withdrawn") == 1
    submit(teacher)
    public_id, reviewer = course.attempt(teacher.person_id).public_id, course.officer("reviewer")
    with course.assembly.database.writing() as session:
        review.start(session, reviewer, public_id, course.clock.now())
    refused = teacher.post("withdraw")
    assert refused.status_code == 409
    assert "a reviewer is reading" in refused.text
    assert "A reviewer is reading it" in teacher.get().text


def test_after_the_last_day_the_work_is_kept_and_not_sent(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    with course.assembly.database.writing() as session:
        for placement in session.scalars(select(Placement)):
            placement.submit_by = course.clock.now()
    course.clock.move(minutes=1)
    assert "has passed" in teacher.get("submit").text
    refused = submit(teacher)
    assert refused.status_code == 409
    assert "Your work is kept" in refused.text


def test_feedback_leads_to_each_fix_and_passed_parts_are_locked(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    submit(teacher)
    course.judge(teacher.person_id, REVISE, comment="Show me one number.")
    page = teacher.get("feedback").text
    assert "Three of five points are there. Two fixes will do it." in page
    assert "Part 1, question 2" in page
    assert f"{teacher.url('parts/p1')}#fix-p1-c2" in page
    part = teacher.get("parts/p1").text
    assert 'id="fix-p1-c2"' in part
    assert "Show me one number." in part
    assert "second try" in part
    assert "This part is done." in teacher.get("parts/p2").text
    home = teacher.get().text
    assert "2 of 4" in home
    assert "Your reviewer asks for a change" in home
    assert "still as your reviewer read them" in teacher.get("submit").text


def test_the_second_try_earns_the_badge(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    submit(teacher)
    course.judge(teacher.person_id, REVISE)
    write(teacher, "p1", "p1-q2", "41 before, 97 after.", revision=1)
    write(teacher, "p4", "p4-q1", "I keep the quiet start.", revision=1)
    assert submit(teacher).status_code == 303
    course.judge(teacher.person_id, {"p1-c1": "passing", "p1-c2": "strong", "p4-c1": "passing"})
    assert "You earned Idea Shaper" in teacher.get().text
    badge = teacher.get("badge").text
    assert "You earned Idea Shaper." in badge
    assert "/badges/" in badge
    feedback = teacher.get("feedback").text
    assert "Your tries" in feedback
    assert "Two fixes will do it" in teacher.get("feedback?try=1").text


def test_a_test_user_earns_no_real_badge_and_is_told(course: Course) -> None:
    visitor = course.visitor(test_user=True)
    visitor.get()
    complete(visitor, course)
    submit(visitor)
    course.judge(visitor.person_id, PASSING)
    assert "No real badge is made" in visitor.get("badge").text


def test_before_a_decision_there_is_neither_feedback_nor_badge(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    submit(teacher)
    assert teacher.get("feedback").status_code == 404
    assert teacher.get("badge").headers["Location"] == teacher.url()


def test_permission_alone_is_not_enough(teacher: Visitor, course: Course) -> None:
    permit(teacher, course.definition())
    assert submit(teacher).status_code == 409


def at_once(course: Course, visitor: Visitor, number: int, act: Callable[[Visitor], int]) -> list[int]:
    """Let `number` browsers with the same launch act at the same moment; their answers."""
    ready, answers = threading.Barrier(number), list[int]()

    def run() -> None:
        one = course.same(visitor)
        ready.wait()
        answers.append(act(one))

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
