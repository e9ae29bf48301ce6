"""Grades between this tool and a course's gradebook, for the people who run the course: sending again, how
far it is, what the gradebook shows, and the results as a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import grade_passback
from lti_tool.models import Context
from microcred import outbox
from microcred.badges.facts import Addresses
from microcred.credentials.models import Attempt, Award, Pursuit
from microcred.database import Clock, Database
from microcred.operations.actor import Actor
from microcred.operations.arriving import placement_of
from microcred.operations.coordinating import PAGE_SIZE, STATE_WORDS, key_after, staff_launch
from microcred.operations.delivering import record_sending
from microcred.operations.errors import NotAllowed, NotFound
from microcred.operations.placing import version_of
from microcred.people.models import Person
from microcred.placements import Placement

SEND_ALL = "grades_again"
"""Outbox kind: send all grades of a placement again, some at a time."""
_AT_ONCE = 100
_PAGE = 200


@dataclass(frozen=True)
class ResultRow:
    """One teacher's line in the export."""

    name: str
    state: str
    tries: int
    submitted_at: datetime | None
    decided_at: datetime | None
    earned_at: datetime | None
    hours: float | None
    badge_url: str
    grades: Sequence[grade_passback.SyncRow]


@dataclass(frozen=True)
class Results:
    """A page of the export, and where the next one begins."""

    title: str
    course: str
    rows: Sequence[ResultRow]
    next_key: int | None


def send_again(
    session: Session, actor: Actor, row_id: int, now: datetime, *, over_theirs: bool = False
) -> None:
    """Let a stopped delivery of this course's placement start over; `over_theirs`: send ours although the LMS
    shows another grade. Raises NotAllowed, NotFound.
    """
    placement = _placement(session, actor)
    sent = grade_passback.retry(session, row_id, now=now, placement_id=placement.id, over_theirs=over_theirs)
    if not sent:
        raise NotFound(
            "no_such_delivery", "There is nothing to send again here. It may have arrived meanwhile."
        )
    record_sending(session, actor, "delivery_retried", ("outbox", row_id), now)


def send_stopped(session: Session, actor: Actor, now: datetime) -> int:
    """Send everything of this course again that stopped; how many. Raises NotAllowed, NotFound."""
    placement = _placement(session, actor, "place")
    count = grade_passback.retry_stopped(session, placement.id, now=now)
    record_sending(session, actor, "deliveries_retried", ("placement", placement.id), now, count)
    return count


def send_all(session: Session, actor: Actor, now: datetime) -> None:
    """Have every grade of this course sent again, a hundred at a time by the worker. Pressed twice it begins
    once. Raises NotAllowed, NotFound.
    """
    placement = _placement(session, actor, "place")
    _send_from(session, placement.id, 0, now)
    record_sending(session, actor, "deliveries_all_again", ("placement", placement.id), now)


def send_all_handler(database: Database, clock: Clock) -> outbox.Handler:
    """Handler of kind `grades_again`: one batch, and a row for the next."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        placement_id, after = int(job.payload["placement"]), int(job.payload["after"])

        def record(session: Session) -> None:
            now = clock.now()
            following = grade_passback.send_again(
                session, placement_id, after_line=after, limit=_AT_ONCE, now=now
            )
            if following is not None:
                _send_from(session, placement_id, following, now)

        # In the transaction that marks this row done: no batch is sent twice, and none is forgotten.
        return outbox.Delivered(record=record)

    return handle


def progress(session: Session, actor: Actor) -> grade_passback.Progress:
    """How far the course's grades are. Raises NotAllowed, NotFound."""
    return grade_passback.progress(session, _placement(session, actor).id)


def to_compare(session: Session, actor: Actor, *, after: str | None) -> grade_passback.Sent:
    """The grades on one page of the course, to be compared outside the transaction. Raises NotAllowed,
    NotFound.
    """
    placement = _placement(session, actor)
    people = session.scalars(
        select(Pursuit.person_id)
        .where(Pursuit.placement_id == placement.id, Pursuit.id > key_after(after))
        .order_by(Pursuit.id)
        .limit(PAGE_SIZE)
    ).all()
    return grade_passback.sent_cells(session, placement.id, people)


def results(session: Session, actor: Actor, badge_origin: str, *, after: int = 0) -> Results:
    """The course's results by key, a page at a time, for use where the gradebook takes them no more. Raises
    NotAllowed, NotFound.
    """
    placement = _placement(session, actor)
    context = session.get(Context, placement.context_id) if placement.context_id is not None else None
    found = session.execute(
        select(Pursuit, Person)
        .join(Person, Person.id == Pursuit.person_id)
        .where(Pursuit.placement_id == placement.id, Pursuit.id > after, ~Pursuit.is_test)
        .order_by(Pursuit.id)
        .limit(_PAGE + 1)
    ).all()
    page = found[:_PAGE]
    ids = [pursuit.id for pursuit, _ in page]
    attempts = {
        attempt.pursuit_id: attempt
        for attempt in session.scalars(
            select(Attempt)
            .where(Attempt.pursuit_id.in_(ids))
            .order_by((Attempt.state == "withdrawn").desc(), Attempt.number)
        )
    }
    awards = {
        award.pursuit_id: award
        for award in session.scalars(
            select(Award).where(Award.pursuit_id.in_(ids), Award.revoked_at.is_(None)).order_by(Award.id)
        )
    }
    grades = grade_passback.sync_rows(session, placement.id, [person.id for _, person in page])
    rows = [
        _result(
            person,
            attempts[pursuit.id],
            awards.get(pursuit.id),
            grades.get(person.id, ()),
            badge_origin,
        )
        for pursuit, person in page
    ]
    return Results(
        title=version_of(session, placement).document.title,
        course=(context.title or context.label or "") if context is not None else "",
        rows=rows,
        next_key=ids[-1] if len(found) > _PAGE else None,
    )


def _result(
    person: Person,
    attempt: Attempt,
    award: Award | None,
    grades: Sequence[grade_passback.SyncRow],
    badge_origin: str,
) -> ResultRow:
    return ResultRow(
        name=person.name or "Name not shared",
        state=STATE_WORDS[attempt.state],
        tries=attempt.number,
        submitted_at=attempt.submitted_at,
        decided_at=attempt.decided_at,
        earned_at=award.awarded_at if award is not None else None,
        hours=award.clock_hours if award is not None else None,
        badge_url=Addresses(badge_origin).page(award.public_id) if award is not None else "",
        grades=grades,
    )


def _placement(session: Session, actor: Actor, right: str = "see_progress") -> Placement:
    launch = staff_launch(actor)
    if right not in actor.rights:
        raise NotAllowed(
            "not_course_staff", "Only people who manage this course can do that. Nothing was changed."
        )
    placement = placement_of(session, launch)
    if placement is None:
        raise NotFound("no_placement", "This link opens no credential yet.")
    return placement


def _send_from(session: Session, placement_id: int, after: int, now: datetime) -> None:
    outbox.add(
        session,
        kind=SEND_ALL,
        destination="local",
        order_key=f"{SEND_ALL}:{placement_id}",
        subject=("placement", str(placement_id)),
        payload={"placement": placement_id, "after": after},
        now=now,
    )
