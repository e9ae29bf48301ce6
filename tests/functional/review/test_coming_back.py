"""Work that went back to its teacher and is sent in again: somebody reads it, and what was read before it
changed does not count.
"""

import pytest
from sqlalchemy import select

from microcred.credentials.codes import permissions_needed
from microcred.credentials.models import Attempt, Review
from microcred.operations import (
    permitting,
    privacy_flagging,
    reading_queue,
    reading_review,
    review,
    teacher,
    watching,
)
from microcred.operations.reading_teacher import load
from microcred.operations.statements import statements
from tests.functional.review.world import PASSING, World


def permitted(world: World) -> str:
    """A try in whose ledger all permissions stand."""
    public_id = world.submitted()
    with world.database.writing() as session:
        actor = world.in_course(world.teacher)
        for needed in permissions_needed(load(session, actor).definition):
            permitting.give(
                session, actor, student_code=needed.student_code, kind=needed.kind, now=world.clock.now()
            )
    return public_id


def hide(world: World, public_id: str, by: int) -> None:
    with world.database.writing() as session:
        now = world.clock.now()
        privacy_flagging.flag(
            session, world.actor(by), public_id, because="name", answer=("p1-q1", ""), now=now
        )


def send_again(world: World) -> None:
    actor, now = world.in_course(world.teacher), world.clock.pass_(days=9)
    with world.database.writing() as session:
        loaded = load(session, actor)
        teacher.save_response(
            session,
            actor,
            part_id="p1",
            prompt_id="p1-q1",
            student_code="",
            text="We listed ideas alone first.",
            base_revision=loaded.responses["p1-q1", ""].revision,
            now=now,
        )
        teacher.submit(session, actor, confirmed=[one.id for one in statements(loaded.definition)], now=now)


def readings(world: World, public_id: str) -> dict[int, tuple[str, str | None, bool]]:
    """Reviewer to place, why it was taken from them, and whether it is finished."""
    with world.database.reading() as session:
        rows = session.scalars(
            select(Review)
            .join(Attempt, Attempt.id == Review.attempt_id)
            .where(Attempt.public_id == public_id)
            .order_by(Review.id)
        )
        return {
            one.reviewer_id: (one.place, one.released_because, one.finished_at is not None) for one in rows
        }


@pytest.mark.parametrize("second_has_begun", [True, False])
def test_whoever_read_it_first_reads_it_again(busy_world: World, second_has_begun: bool) -> None:
    """A second reader saw a name, or a permission ended before they had begun."""
    world = busy_world
    public_id = permitted(world)
    world.start(public_id)
    world.rate(public_id, PASSING)
    world.finish(public_id, "award", chance=0.0)
    assert world.state(public_id) == "second_review"
    if second_has_begun:
        world.start(public_id, world.other_reviewer)
        hide(world, public_id, world.other_reviewer)
    else:
        actor = world.in_course(world.teacher)
        with world.database.writing() as session:
            permitting.withdraw(
                session, actor, student_code="A", kind="student_family", now=world.clock.now()
            )
        with world.database.writing() as session:
            permitting.give(session, actor, student_code="A", kind="student_family", now=world.clock.now())
    assert world.state(public_id) == "draft"
    send_again(world)
    expected: dict[int, tuple[str, str | None, bool]] = {world.reviewer: ("first", None, False)}
    if second_has_begun:
        expected[world.other_reviewer] = ("second", "came_back", False)
    assert readings(world, public_id) == expected
    with world.database.reading() as session:
        rows = reading_queue.queue(session, world.actor(world.reviewer), world.clock.now()).rows
        waiting = reading_review.waiting(session, world.actor(world.reviewer), public_id)
    assert [(row.public_id, row.mine) for row in rows] == [(public_id, True)]
    assert waiting is not None  # its page offers to start
    world.start(public_id)
    world.finish(public_id, "award")  # the ratings were kept
    assert world.state(public_id) == "recommended"


def test_the_time_it_lay_with_its_teacher_is_not_the_reviewers(world: World) -> None:
    public_id = permitted(world)
    world.start(public_id)
    hide(world, public_id, world.reviewer)
    send_again(world)
    with world.database.writing() as session:
        since = world.clock.now()
        watching.look_after(session, public_id, since, since, lambda: 0.0)
    assert readings(world, public_id) == {world.reviewer: ("first", None, False)}
    world.clock.pass_(days=6)
    with world.database.writing() as session:
        watching.look_after(session, public_id, since, world.clock.now(), lambda: 0.0)
    assert readings(world, public_id)[world.reviewer] == ("first", "late", False)


def test_a_review_that_was_sent_back_and_rests_goes_to_somebody_else(world: World) -> None:
    public_id, since = world.recommended(), world.clock.now()
    world.decide(public_id, "return_to_reviewer", "Say more about Part 2.")
    for hours, mine in ((12, True), (128, False)):
        world.clock.pass_(hours=hours)
        with world.database.writing() as session:
            watching.look_after(session, public_id, since, world.clock.now(), lambda: 0.0)
        assert (readings(world, public_id)[world.reviewer][1] is None) is mine
    assert readings(world, public_id)[world.other_reviewer] == ("first", None, False)
    world.start(public_id, world.other_reviewer)
    world.rate(public_id, PASSING, by=world.other_reviewer)
    with world.database.writing() as session:
        actor, now = world.actor(world.other_reviewer), world.clock.now()
        assert review.finish(session, actor, public_id, "award", now, chance=lambda: 0.999) == "award"
    assert world.state(public_id) == "recommended"
