"""Second and third readings: drawn, borderline, independent, and what two different results lead to."""

import pytest
from flask import Flask
from sqlalchemy import select

from microcred.app.wiring import Assembly
from microcred.credentials.models import Attempt, Review
from microcred.operations import (
    reading_decide,
    reading_feedback,
    reading_queue,
    reading_review,
    reading_teacher,
)
from microcred.operations.errors import OperationRefused
from microcred.people.models import AuditEvent
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import PASSING, REVISIONS, World

NEAR_MISS = PASSING | {"p1-c2": "revisions_needed"}
DRAWN = 0.0


def reviews(world: World, public_id: str) -> list[tuple[int, str, str | None, str | None]]:
    with world.database.reading() as session:
        rows = session.scalars(
            select(Review)
            .join(Attempt, Attempt.id == Review.attempt_id)
            .where(Attempt.public_id == public_id)
            .order_by(Review.id)
        )
        return [(row.reviewer_id, row.place, row.asked_because, row.recommendation) for row in rows]


def read(world: World, public_id: str, ratings: dict[str, str], by: int, *, chance: float = 0.999) -> None:
    world.start(public_id, by)
    world.rate(public_id, ratings, "Count something.", by=by)
    world.finish(public_id, "award" if ratings is PASSING else "revise", by=by, chance=chance)


def test_what_is_drawn_is_read_by_another_reviewer(busy_world: World) -> None:
    world = busy_world
    public_id = world.submitted()
    read(world, public_id, PASSING, world.reviewer, chance=DRAWN)
    assert world.state(public_id) == "second_review"
    assert reviews(world, public_id) == [
        (world.reviewer, "first", None, "award"),
        (world.other_reviewer, "second", "drawn", None),
    ]
    with world.database.reading() as session:
        (row,) = reading_queue.queue(session, world.actor(world.other_reviewer), world.clock.now()).rows
        assert (row.public_id, row.place, row.mine, row.started) == (public_id, "second", True, False)
        assert reading_queue.queue(session, world.actor(world.reviewer), world.clock.now()).rows == ()
    read(world, public_id, PASSING, world.other_reviewer)
    assert world.state(public_id) == "recommended"
    assert world.decide(public_id, "award").award_public_id


def test_the_second_reviewer_sees_nothing_of_the_first(world: World) -> None:
    public_id = world.submitted()
    read(world, public_id, PASSING, world.reviewer, chance=DRAWN)
    world.start(public_id, world.other_reviewer)
    with world.database.reading() as session:
        desk = reading_review.desk(session, world.actor(world.other_reviewer), public_id)
    assert desk.ratings == {}
    assert desk.private_note == desk.return_note == ""
    assert desk.is_open


def test_the_first_reviewer_cannot_change_what_is_with_the_second(world: World) -> None:
    public_id = world.submitted()
    read(world, public_id, PASSING, world.reviewer, chance=DRAWN)
    with pytest.raises(OperationRefused, match="finished"):
        world.rate(public_id, {"p1-c1": "not_evident"})


@pytest.mark.parametrize(
    ("ratings", "because"),
    [(NEAR_MISS, "borderline"), (PASSING | {"p1-c1": "passing"}, "borderline")],
)
def test_a_borderline_result_is_always_read_twice(
    world: World, ratings: dict[str, str], because: str
) -> None:
    public_id = world.submitted()
    world.start(public_id)
    world.rate(public_id, ratings, "Count something.")
    world.finish(public_id, "award" if "revisions_needed" not in ratings.values() else "revise")
    assert world.state(public_id) == "second_review"
    assert reviews(world, public_id)[1][1:3] == ("second", because)


def test_two_who_agree_on_revisions_send_it_back_to_the_teacher(world: World) -> None:
    public_id = world.submitted()
    read(world, public_id, REVISIONS, world.reviewer, chance=DRAWN)
    assert world.state(public_id) == "second_review"
    read(world, public_id, REVISIONS, world.other_reviewer)
    assert world.state(public_id) == "revisions_requested"


def test_the_teacher_reads_what_both_reviewers_wrote_and_no_name(
    app: Flask, assembly: Assembly, world: World
) -> None:
    public_id = world.submitted()
    world.start(public_id)
    world.rate(public_id, REVISIONS, "Count something.")
    world.finish(public_id, "revise", chance=DRAWN)
    second = reviews(world, public_id)[1][0]
    world.start(public_id, second)
    world.rate(public_id, REVISIONS | {"p1-c2": "passing"}, "Name the steps.", by=second)
    world.rate(public_id, {"p3-c1": "passing"}, "Count something.", by=second)
    world.finish(public_id, "revise", by=second)
    assert world.state(public_id) == "revisions_requested"
    with world.database.reading() as session:
        loaded = reading_teacher.load(session, world.in_course(world.teacher))
        found = reading_feedback.feedback(session, loaded)
    points = {point.criterion.id: point for point in found.points}
    assert found.readers == 2
    assert [(one.reader, one.body) for one in points["p4-c1"].comments] == [
        (1, "Count something."),
        (2, "Name the steps."),
    ]
    first, other = points["p1-c2"].comments
    assert first.level is not None  # the reading that counts saw it as passing
    assert (first.level.key, other.level) == ("revisions_needed", None)
    assert [one.reader for one in points["p3-c1"].comments] == [0]  # both wrote the same: said once
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    for page in ("feedback", "parts/p4"):
        teacher.get(teacher.home + page)
        assert "Reviewer 1" in teacher.page
        assert "“Name the steps.”" in teacher.page
    teacher.get(teacher.home + "feedback")
    assert "who saw “" in teacher.page
    assert not any(name in teacher.page for name in ("Robin", "Rowan"))


def test_what_a_third_reader_overruled_is_not_among_the_feedback(world: World) -> None:
    world.join("Reese Reviewer", "reviewer")
    public_id = world.submitted()
    read(world, public_id, PASSING, world.reviewer, chance=DRAWN)
    for by in (1, 2):
        reader = reviews(world, public_id)[by][0]
        world.start(public_id, reader)
        world.rate(public_id, REVISIONS, f"Said by reader {by + 1}.", by=reader)
        world.finish(public_id, "revise", by=reader)
    with world.database.reading() as session:
        loaded = reading_teacher.load(session, world.in_course(world.teacher))
        found = reading_feedback.feedback(session, loaded)
    said = {one.body for point in found.points for one in point.comments}
    assert said == {"Said by reader 2.", "Said by reader 3."}


def test_two_different_results_go_to_a_third_reader_who_settles_it(busy_world: World) -> None:
    world = busy_world
    third = world.join("Reese Reviewer", "reviewer")
    public_id = world.submitted()
    read(world, public_id, PASSING, world.reviewer, chance=DRAWN)
    second, other = (third, world.other_reviewer)
    if reviews(world, public_id)[1][0] != third:
        second, other = other, second
    read(world, public_id, REVISIONS, second)
    assert world.state(public_id) == "adjudication"
    assert reviews(world, public_id)[2] == (other, "third", "disagreement", None)
    read(world, public_id, PASSING, other)
    assert world.state(public_id) == "recommended"
    with world.database.reading() as session:
        case = reading_decide.case(session, world.actor(world.approver), public_id)
        audited = session.scalars(
            select(AuditEvent.action).where(AuditEvent.subject_type == "attempt").order_by(AuditEvent.id)
        ).all()
    assert [(one.place, one.recommendation) for one in case.readings] == [
        ("first", "award"),
        ("second", "revise"),
        ("third", "award"),
    ]
    assert audited == [
        "review_started",
        "second_review_asked",
        "review_started",
        "adjudication_asked",
        "review_started",
        "award_recommended",
    ]
    assert world.decide(public_id, "award").award_public_id


def test_disagreements_come_first_on_the_approvers_list(world: World, approver: Visitor) -> None:
    third = world.join("Reese Reviewer", "reviewer")
    sooner = world.recommended()
    world.clock.pass_(minutes=20)
    public_id = world.submitted(world.stranger)
    read(world, public_id, PASSING, world.reviewer, chance=DRAWN)
    second = reviews(world, public_id)[1][0]
    read(world, public_id, REVISIONS, second)
    read(world, public_id, PASSING, third if second == world.other_reviewer else world.other_reviewer)
    with world.database.reading() as session:
        rows = reading_decide.waiting_list(session, world.actor(world.approver)).rows
    assert [(row.public_id, row.differ) for row in rows] == [(public_id, True), (sooner, False)]
    approver.get("/desk/approve/")
    assert "Readers differ" in approver.page
    approver.get(f"/desk/approve/{public_id}")
    for words in ("Three reviewers have read it", "The third reading settles it", "Second reader"):
        assert words in approver.page


def test_an_issuer_with_one_reviewer_is_not_held_up_and_it_is_on_record(world: World) -> None:
    public_id = world.submitted(world.other_reviewer)  # the only other reviewer's own work
    read(world, public_id, PASSING, world.reviewer, chance=DRAWN)
    assert world.state(public_id) == "recommended"
    with world.database.reading() as session:
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "second_review_skipped"))
    assert event.detail == {"because": "drawn", "why": "no_other_reviewer"}


def test_the_issuer_sets_the_share_and_may_leave_borderline_results(world: World) -> None:
    world.rules(double_score_percent=0, double_score_borderline=False)
    public_id = world.submitted()
    read(world, public_id, NEAR_MISS, world.reviewer, chance=DRAWN)
    assert world.state(public_id) == "revisions_requested"


def test_a_review_that_was_sent_back_is_not_drawn_again(world: World) -> None:
    public_id = world.submitted()
    read(world, public_id, PASSING, world.reviewer, chance=DRAWN)
    read(world, public_id, PASSING, world.other_reviewer)
    world.decide(public_id, "return_to_reviewer", "Look at Part 4 once more.")
    world.rate(public_id, {"p4-c1": "strong"}, by=world.other_reviewer)
    world.finish(public_id, "award", by=world.other_reviewer, chance=DRAWN)
    assert world.state(public_id) == "recommended"


def test_the_queue_says_which_reading_it_is(world: World, app: object, reviewer: Visitor) -> None:
    public_id = world.submitted()
    read(world, public_id, PASSING, world.other_reviewer, chance=DRAWN)
    reviewer.get("/desk/review/")
    assert "second reading, assigned to you" in reviewer.page
    assert public_id in reviewer.page
