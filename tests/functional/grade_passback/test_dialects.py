"""What the gradebooks of real LMSs show after every moment of the workflow: right column, right value,
nothing erased."""

import json

import pytest

from demo_lms import Reply
from grade_passback.sync import sync_rows
from tests.functional.grade_passback.conftest import MakeCourse
from tests.support.grading import Course, World

LMS = ["canvas", "moodle", "schoology"]
every_lms = pytest.mark.parametrize("lms", LMS)


def value(course: Course, sub: str = "u-1", tag: str = "main") -> float | None:
    item = course.column(tag)
    shown: float | None = course.platform.shown_score(item.id, sub)
    return shown


def pass_and_deliver(world: World) -> None:
    world.deliver()
    world.clock.pass_(seconds=30)


@every_lms
def test_award_is_the_full_score_in_the_links_own_column(
    world: World, course_in: MakeCourse, lms: str
) -> None:
    course = course_in(lms)
    learner = world.learner(course, "u-1")
    world.moment(learner, "awarded")
    pass_and_deliver(world)
    assert value(course) == 100
    assert len(course.platform.line_items) == 1
    assert course.grade("u-1").comment.startswith("Earned March 2, 2026")
    assert world.states() == ["delivered"]


@every_lms
def test_award_goes_into_a_column_made_for_a_link_without_one(
    world: World, course_in: MakeCourse, lms: str
) -> None:
    course = course_in(lms, column=False)
    for sub in ("u-1", "u-2"):
        world.moment(world.learner(course, sub), "awarded")
    pass_and_deliver(world)
    world.deliver_for(minutes=2)
    assert len(course.platform.line_items) == 1
    assert [value(course, sub) for sub in ("u-1", "u-2")] == [100, 100]
    assert course.column().resource_id


@every_lms
def test_every_part_has_its_own_column(world: World, course_in: MakeCourse, lms: str) -> None:
    course = course_in(lms, scheme="per_part")
    world.moment(world.learner(course, "u-1"), "awarded")
    world.deliver_for(minutes=2)
    items = course.platform.line_items.values()
    assert len({item.tag for item in items}) == len(items) > 1
    assert {course.platform.shown_score(item.id, "u-1") for item in items} == {1}


@every_lms
def test_not_awarded_leaves_the_cell_empty_and_winning_an_appeal_fills_it(
    world: World, course_in: MakeCourse, lms: str
) -> None:
    course = course_in(lms)
    learner = world.learner(course, "u-1")
    world.hand_in(learner)
    pass_and_deliver(world)
    for moment in ("denied", "appeal_opened"):
        world.moment(learner, moment, world.ratings(learner, "worst"))
        pass_and_deliver(world)
        assert value(course) is None
    world.moment(learner, "appeal_won")
    pass_and_deliver(world)
    assert value(course) == 100


@every_lms
def test_zero_for_not_awarded_never_comes_before_the_appeal_window_closes(
    world: World, course_in: MakeCourse, lms: str
) -> None:
    course = course_in(lms, denied_as="zero")
    learner = world.learner(course, "u-1")
    world.moment(learner, "denied", world.ratings(learner, "worst"))
    world.deliver_for(days=29)
    assert value(course) is None
    world.deliver_for(days=2)
    assert value(course) == 0


@every_lms
def test_no_status_erases_a_grade_that_stands(world: World, course_in: MakeCourse, lms: str) -> None:
    course = course_in(lms)
    learner = world.learner(course, "u-1")
    world.moment(learner, "awarded")
    pass_and_deliver(world)
    world.next_try(learner)
    for moment in ("opened", "incomplete", "revisions_requested", "withdrawn", "denied", "appeal_opened"):
        world.moment(learner, moment, {})
        world.hand_in(learner)
        pass_and_deliver(world)
        assert value(course) == 100, moment
    assert set(world.states()) == {"delivered"}


@every_lms
def test_correction_replaces_the_score(world: World, course_in: MakeCourse, lms: str) -> None:
    course = course_in(lms, scheme="rubric_points")
    learner = world.learner(course, "u-1")
    world.moment(learner, "awarded")
    pass_and_deliver(world)
    best = value(course)
    world.moment(learner, "awarded", world.ratings(learner, "worst"))
    pass_and_deliver(world)
    corrected = value(course)
    assert best is not None
    assert corrected is not None
    assert 0 < corrected < best
    assert course.grade("u-1").comment, "the comment is not lost by a correction"


@every_lms
def test_withdrawn_and_revised_tries_leave_no_number(world: World, course_in: MakeCourse, lms: str) -> None:
    course = course_in(lms)
    learner = world.learner(course, "u-1")
    for moment in ("withdrawn", "revisions_requested"):
        world.hand_in(learner)
        pass_and_deliver(world)
        world.moment(learner, moment, world.ratings(learner, "worst"))
        pass_and_deliver(world)
        assert value(course) is None
    world.next_try(learner)
    world.hand_in(learner)
    pass_and_deliver(world)
    world.moment(learner, "awarded")
    pass_and_deliver(world)
    assert value(course) == 100


@every_lms
def test_revocation_keeps_the_number_and_says_so(world: World, course_in: MakeCourse, lms: str) -> None:
    course = course_in(lms)
    learner = world.learner(course, "u-1")
    for moment in ("awarded", "revoked"):
        world.moment(learner, moment)
        pass_and_deliver(world)
    assert value(course) == 100
    assert "Revoked March 2, 2026." in course.grade("u-1").comment


@every_lms
def test_grade_that_was_stored_although_the_answer_was_lost_is_one_grade(
    world: World, course_in: MakeCourse, lms: str
) -> None:
    course = course_in(lms)
    world.moment(world.learner(course, "u-1"), "awarded")
    course.platform.script.on("scores", Reply(drop="after"))
    world.deliver_for(minutes=1)
    assert value(course) == 100
    assert world.states() == ["delivered"]


# -- Canvas


def test_canvas_counts_one_attempt_a_try_however_often_a_hand_in_is_posted(
    world: World, course_in: MakeCourse
) -> None:
    course = course_in("canvas")
    learner = world.learner(course, "u-1")
    for number in (1, 2):
        course.platform.script.on("scores", Reply(drop="after"))
        world.hand_in(learner)
        world.deliver_for(minutes=1)
        assert course.grade("u-1").attempts == number
        world.clock.pass_(seconds=30)
        if number == 1:
            world.moment(learner, "revisions_requested", world.ratings(learner, "worst"))
            world.next_try(learner)
            pass_and_deliver(world)
    world.moment(learner, "awarded")
    world.moment(learner, "awarded", world.ratings(learner, "worst"))
    pass_and_deliver(world)
    assert course.grade("u-1").attempts == 2, "grading adds no attempt"


def test_canvas_shows_each_comment_once(world: World, course_in: MakeCourse) -> None:
    course = course_in("canvas", scheme="rubric_points")
    learner = world.learner(course, "u-1")
    course.platform.script.on("scores", Reply(drop="after"))
    world.moment(learner, "awarded")
    world.deliver_for(minutes=1)
    for which in ("worst", "best", "worst"):
        world.moment(learner, "awarded", world.ratings(learner, which))
        pass_and_deliver(world)
    comments = course.grade("u-1").comments
    assert len(comments) == len(set(comments)) == 1


def test_canvas_grade_that_a_teacher_changed_is_shown_and_not_fought(
    world: World, course_in: MakeCourse
) -> None:
    course = course_in("canvas", scheme="rubric_points")
    learner = world.learner(course, "u-1")
    world.moment(learner, "awarded")
    pass_and_deliver(world)
    course.platform.override_grade(course.column().id, "u-1", 7)
    world.moment(learner, "awarded", world.ratings(learner, "worst"))
    pass_and_deliver(world)
    assert value(course) == 7
    assert world.sync(learner).reason == "conflict"


def test_canvas_correction_of_a_score_whose_answer_was_lost_is_no_conflict(
    world: World, course_in: MakeCourse
) -> None:
    course = course_in("canvas", scheme="rubric_points")
    learner = world.learner(course, "u-1")
    for given in (20, 15):
        world.score(learner, given, 20)
        pass_and_deliver(world)
    course.platform.script.on("scores", Reply(drop="after"))
    world.score(learner, 12, 20)
    world.deliver()
    world.score(learner, 9, 20)
    world.deliver_for(minutes=1)
    assert world.states() == ["delivered", "delivered", "superseded", "delivered"]
    assert value(course) == pytest.approx(9 / 20 * course.column().score_maximum)


def test_canvas_hand_in_never_clears_what_a_teacher_entered_by_hand(
    world: World, course_in: MakeCourse
) -> None:
    course = course_in("canvas")
    learner = world.learner(course, "u-1")
    course.platform.override_grade(course.column().id, "u-1", 55)
    world.hand_in(learner)
    pass_and_deliver(world)
    assert value(course) == 55


def test_canvas_that_finds_our_clock_ahead_gets_the_hand_in_a_little_later(
    world: World, course_in: MakeCourse
) -> None:
    course = course_in("canvas")
    learner = world.learner(course, "u-1")
    course.platform.clock = lambda: world.clock.now().replace(hour=8, minute=58)
    world.hand_in(learner)
    world.deliver()
    assert world.states() == ["waiting"]
    course.platform.clock = world.clock.now
    world.deliver_for(minutes=2)
    assert world.states() == ["delivered"]
    assert course.grade("u-1").attempts == 1


# -- Moodle


def test_moodle_bodies_have_no_line_breaks_and_always_the_comment(
    world: World, course_in: MakeCourse
) -> None:
    course = course_in("moodle", scheme="rubric_points")
    learner = world.learner(course, "u-1")
    for which in ("best", "worst"):
        world.moment(learner, "awarded", world.ratings(learner, which))
        pass_and_deliver(world)
    for request in course.scores():
        assert b"\n" not in request.body
        assert json.loads(request.body)["comment"].startswith("Earned")


def test_moodle_ok_with_an_empty_list_is_no_success(world: World, course_in: MakeCourse) -> None:
    course = course_in("moodle")
    learner = world.learner(course, "u-1")
    course.platform.script.on("scores", Reply(200, body="[]"))
    world.moment(learner, "awarded")
    pass_and_deliver(world)
    assert world.states() == ["blocked"]
    assert world.sync(learner).can_retry
    assert value(course) is None


def test_moodle_person_without_a_gradebook_role_stops_only_their_own_row(
    world: World, course_in: MakeCourse
) -> None:
    course = course_in("moodle")
    gone, here = world.learner(course, "u-1", enrolled=False), world.learner(course, "u-2")
    for learner in (gone, here):
        world.moment(learner, "awarded")
    pass_and_deliver(world)
    assert world.sync(gone).reason == "user_not_in_course"
    assert value(course, "u-2") == 100


# -- Schoology


def test_schoology_flag_of_a_teacher_stays_while_nothing_changes(world: World, course_in: MakeCourse) -> None:
    course = course_in("schoology")
    learner = world.learner(course, "u-1")
    world.moment(learner, "awarded")
    pass_and_deliver(world)
    course.platform.flag_grade(course.column().id, "u-1", "Incomplete")
    world.next_try(learner)
    world.hand_in(learner)
    world.moment(learner, "appeal_opened")
    world.moment(learner, "awarded")
    pass_and_deliver(world)
    assert course.grade("u-1").flag == "Incomplete"
    assert len(course.scores()) == 1


@pytest.mark.parametrize("unique", [False, True])
def test_schoology_sections_each_have_their_own_column(
    world: World, course_in: MakeCourse, unique: bool
) -> None:
    course = course_in("schoology")
    course.platform.switches["unique_line_items"] = unique
    platform = course.platform
    other = platform.add_line_item("c-1", "Shape ideas", 100, client_id="tool-a")
    first = world.learner(course, "u-1")
    second = world.learner(course, "u-2", lineitem_url=platform.line_item_url(other.id))
    for learner in (first, second):
        world.moment(learner, "awarded")
    pass_and_deliver(world)
    assert platform.shown_score(other.id, "u-2") == 100
    assert "u-1" not in other.grades
    assert value(course, "u-1") == 100


@pytest.mark.parametrize("lms", ["moodle", "schoology"])
def test_nothing_is_said_of_a_learner_whom_the_lms_was_told_nothing_of(
    world: World, course_in: MakeCourse, lms: str
) -> None:
    course = course_in(lms)
    learner = world.learner(course, "u-1")
    world.moment(learner, "opened")
    with world.database.reading() as session:
        assert sync_rows(session, course.placement_id, [learner.person_id]) == {}
