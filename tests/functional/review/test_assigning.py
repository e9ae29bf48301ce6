"""Who reads a try: conflicts, workload, and giving it to somebody else before a date slips."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from lti_tool.models import Launch
from microcred.credentials.models import Attempt, Review
from microcred.operations import assigning, reading_queue, review_watch, watching
from microcred.operations.errors import NotAllowed
from microcred.outbox import OutboxRow
from microcred.people.models import AuditEvent, LmsIdentity
from tests.functional.review.world import PASSING, World


def free_for(world: World, person_id: int) -> list[str]:
    with world.database.reading() as session:
        page = reading_queue.queue(session, world.actor(person_id), world.clock.now())
        return [row.public_id for row in page.rows]


def launched(world: World, person_id: int, rights: list[str]) -> None:
    with world.database.writing() as session:
        identity = session.scalars(select(LmsIdentity.id).where(LmsIdentity.person_id == person_id)).one()
        session.add(
            Launch(
                state_id=f"{person_id}-{rights}-{world.clock.now()}",
                registration_id=world.registration_id,
                deployment_id=world.deployment_id,
                identity_id=identity,
                person_id=person_id,
                context_id=world.context_id,
                message_type="LtiResourceLinkRequest",
                rights=rights,
                bound_by="cookie",
                created_at=world.clock.now(),
                last_seen_at=world.clock.now(),
            )
        )


def look(world: World, public_id: str, since: datetime) -> None:
    """The worker's look at a try, now."""
    with world.database.writing() as session:
        watching.look_after(session, public_id, since, world.clock.now(), lambda: 0.0)


def readers(world: World, public_id: str) -> list[tuple[int, str | None]]:
    with world.database.reading() as session:
        rows = session.scalars(
            select(Review)
            .join(Attempt, Attempt.id == Review.attempt_id)
            .where(Attempt.public_id == public_id)
            .order_by(Review.id)
        )
        return [(row.reviewer_id, row.released_because) for row in rows]


def turns(world: World) -> list[str]:
    with world.database.reading() as session:
        return list(
            session.scalars(
                select(AuditEvent.action).where(AuditEvent.subject_type == "attempt").order_by(AuditEvent.id)
            )
        )


def next_look(world: World) -> datetime:
    with world.database.reading() as session:
        return session.scalars(
            select(OutboxRow.due_at).where(OutboxRow.kind == review_watch.KIND, OutboxRow.state == "waiting")
        ).one()


def test_staff_of_the_teachers_course_do_not_read_it(busy_world: World) -> None:
    world = busy_world
    public_id = world.submitted()
    launched(world, world.reviewer, ["read", "see_progress"])
    assert free_for(world, world.reviewer) == []
    with pytest.raises(NotAllowed, match="You work in the course"):
        world.start(public_id)
    world.clock.pass_(minutes=1)
    launched(world, world.reviewer, ["read", "submit"])  # no longer staff there: their newest launch counts
    assert free_for(world, world.reviewer) == [public_id]
    world.start(public_id)


def test_a_reviewer_from_the_same_organization_reads_it_unless_the_issuer_says_otherwise(
    busy_world: World,
) -> None:
    world = busy_world
    public_id = world.submitted()
    assert free_for(world, world.reviewer) == [public_id]
    world.rules(outside_only=True)
    assert free_for(world, world.reviewer) == []
    with pytest.raises(NotAllowed, match="organization you belong to"):
        world.start(public_id)
    with world.database.reading() as session:
        attempt = session.scalars(select(Attempt)).one()
        assert assigning.next_reader(session, attempt, world.clock.now(), lambda: 0.0) is None


def test_the_least_busy_reviewer_is_next_and_chance_decides_between_equals(world: World) -> None:
    third = world.join("Reese Reviewer", "reviewer")
    world.start(world.submitted())
    public_id = world.submitted(world.stranger)
    drawn = set()
    with world.database.reading() as session:
        attempt = session.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
        for chance in (0.0, 0.49, 0.5, 0.99):
            now = world.clock.now()
            drawn.add(assigning.next_reader(session, attempt, now, lambda given=chance: given))  # type: ignore[misc]
    assert drawn == {world.other_reviewer, third}


def test_nobody_is_given_their_own_work(world: World) -> None:
    public_id = world.submitted(world.reviewer)
    with world.database.reading() as session:
        attempt = session.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
        chosen = assigning.next_reader(session, attempt, world.clock.now(), lambda: 0.0)
    assert chosen == world.other_reviewer


def test_what_nobody_takes_is_assigned(busy_world: World) -> None:
    world = busy_world
    since = world.clock.now()
    public_id = world.submitted()
    look(world, public_id, since)
    assert readers(world, public_id) == []
    assert next_look(world) == since + timedelta(days=7) * 0.2
    world.clock.at = next_look(world)
    look(world, public_id, since)
    assert readers(world, public_id) == [(world.reviewer, None)]
    assert free_for(world, world.other_reviewer) == []
    assert free_for(world, world.reviewer) == [public_id]
    assert turns(world) == ["review_reassigned"]


def test_work_that_lies_goes_to_somebody_else_before_the_date_slips(world: World) -> None:
    since = world.clock.now()
    public_id = world.submitted()
    world.clock.pass_(days=2)
    look(world, public_id, since)
    world.clock.at = next_look(world)
    assert world.clock.at == since + timedelta(days=5)  # 60 % of the reviewer's five days
    look(world, public_id, since)
    assert readers(world, public_id) == [(world.reviewer, "late"), (world.other_reviewer, None)]
    with pytest.raises(NotAllowed):
        world.start(public_id)
    world.start(public_id, world.other_reviewer)
    assert world.state(public_id) == "in_review"


def test_begun_work_is_taken_over_only_when_it_rests(world: World) -> None:
    since = world.clock.now()
    public_id = world.submitted()
    world.start(public_id)
    world.clock.at = since + timedelta(days=5)
    world.rate(public_id, {"p1-c1": "strong"})
    world.clock.at = since + timedelta(days=5, hours=15)
    look(world, public_id, since)
    assert readers(world, public_id) == [(world.reviewer, None)]
    world.clock.at = since + timedelta(days=6, hours=1)
    look(world, public_id, since)
    assert readers(world, public_id) == [(world.reviewer, "late"), (world.other_reviewer, None)]
    assert world.state(public_id) == "in_review"
    with pytest.raises(NotAllowed):
        world.rate(public_id, {"p1-c2": "strong"})
    world.start(public_id, world.other_reviewer)
    world.rate(public_id, PASSING, by=world.other_reviewer)
    world.finish(public_id, "award", by=world.other_reviewer)


def test_with_nobody_else_it_stays_where_it_is(world: World) -> None:
    since = world.clock.now()
    public_id = world.submitted(world.other_reviewer)
    world.start(public_id)
    world.clock.at = since + timedelta(days=7)
    look(world, public_id, since)
    assert readers(world, public_id) == [(world.reviewer, None)]


def test_a_new_day_is_announced_before_the_old_one_slips(busy_world: World) -> None:
    world = busy_world
    since = world.clock.now()
    public_id = world.submitted()
    world.start(public_id)
    world.rate(public_id, PASSING)
    world.finish(public_id, "award")
    world.clock.at = since + timedelta(days=7) * 0.9
    look(world, public_id, since)
    with world.database.reading() as session:
        attempt = session.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
        due = attempt.decision_due_at
    assert due is not None
    assert due > since + timedelta(days=8)
    assert turns(world)[-1] == "decision_delayed"
    assert next_look(world) == world.clock.now() + (due - world.clock.now()) * 0.9
    world.decide(public_id, "award")
    look(world, public_id, since)
    assert turns(world)[-1] == "try_awarded"
