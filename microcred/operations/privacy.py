"""Erasing a person (DESIGN section 5): asking for it, doing it, and what stays.

Gone: identities, names, addresses, drafts, answers, evidence, comments about the work, sessions and one-time
links. Kept without a name: awards with their decisions and dates, ratings, audit events. Somebody who comes
again later starts empty, as a new person.

With grades on their way the operator chooses: they are sent first, while the person can do nothing more, or
cancelled. Files are deleted by the worker once the rows that name them are gone, so nothing is lost half-way.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.database import Clock, Database
from microcred.operations.actor import Actor
from microcred.operations.erasing import (
    about_identities,
    close_request,
    erase_now,
    identities_of,
    record_about,
)
from microcred.operations.errors import OperationRefused
from microcred.outbox import OutboxRow
from microcred.people import canonical_id, ids_of, standing
from microcred.people.models import (
    EraseRequest,
    Person,
)

ERASE = "erase"
"""Outbox kind: erase a person once their grades have been sent."""
GRADES_WAIT = timedelta(hours=71)
"""Grades that have not been sent by then are cancelled: their own time ends after 72 hours."""
_ON_THE_WAY = ("waiting", "held")


class Grades(StrEnum):
    """What happens to grades that are still on their way."""

    SEND = "send"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Erasing:
    """How far an erasure is."""

    done: bool
    waiting_grades: int
    """Grades that are sent first."""


# asking


def open_request(session: Session, actor: Actor) -> EraseRequest | None:
    """What the actor asked for and nobody has answered yet."""
    return session.scalar(
        select(EraseRequest)
        .where(EraseRequest.person_id.in_(actor.person_ids), EraseRequest.closed_at.is_(None))
        .order_by(EraseRequest.id)
        .limit(1)
    )


def ask_to_be_erased(session: Session, actor: Actor, *, keeps_badges: bool, now: datetime) -> None:
    """Put the wish on record for the operator. Asking again only changes the wish about badges."""
    request = open_request(session, actor)
    if request is not None and request.keeps_badges == keeps_badges:
        return
    if request is None:
        request = EraseRequest(person_id=actor.own_id, created_at=now)
        session.add(request)
    request.keeps_badges = keeps_badges
    session.flush()
    record_about(session, actor.own_id, "person.erase_asked", actor.own_id, now, keeps_badges=keeps_badges)


def take_request_back(session: Session, actor: Actor, *, now: datetime) -> None:
    """Forget the wish. A second press changes nothing."""
    request = open_request(session, actor)
    if request is not None:
        close_request(request, "taken_back", now)
        record_about(session, actor.own_id, "person.erase_ask_taken_back", actor.own_id, now)


def decline_request(session: Session, request: EraseRequest, *, by: int | None, now: datetime) -> None:
    """The operator will not erase this person."""
    if request.closed_at is None:
        close_request(request, "declined", now)
        record_about(session, request.person_id, "person.erase_declined", by, now)


# erasing


def queued_grades(session: Session, person_ids: Collection[int], now: datetime) -> int:
    """Grades of these persons on their way; those kept back for longer than a delivery may take are not."""
    return (
        session.scalar(
            select(func.count())
            .select_from(OutboxRow)
            .where(
                about_identities(identities_of(session, person_ids)),
                OutboxRow.state.in_(_ON_THE_WAY),
                OutboxRow.due_at <= now + GRADES_WAIT,
            )
        )
        or 0
    )


def erase(
    session: Session, person_id: int, *, grades: Grades, keep_badges: bool, by: int | None, now: datetime
) -> Erasing:
    """Erase a human with every identity linked to them.

    With `Grades.SEND` and grades on their way, the person is shut out now and erased by the worker once they
    have been sent (kind `erase`). Raises OperationRefused(`already_erased`).
    """
    root = canonical_id(session, person_id)
    ids = _locked(session, root)
    if not ids:
        raise OperationRefused("already_erased", "This person was erased before. Nothing was changed.")
    waiting = queued_grades(session, ids, now)
    if grades is Grades.SEND and waiting:
        standing.suspend(session, root, now=now, by=by)
        outbox.add(
            session,
            kind=ERASE,
            destination="local",
            order_key=f"{ERASE}:{root}",
            subject=("person", str(root)),
            payload={"person": root, "keep_badges": keep_badges, "by": by},
            now=now,
        )
        record_about(session, root, "person.erase_begun", by, now, grades_to_send=waiting)
        return Erasing(False, waiting)
    outbox.cancel(session, now=now, subject=("person", str(root)))
    erase_now(session, root, ids, keep_badges, by, now)
    return Erasing(True, 0)


def is_being_erased(session: Session, person_id: int) -> bool:
    """Whether an erasure waits for grades to be sent."""
    waiting = select(OutboxRow.id).where(
        OutboxRow.subject_type == "person",
        OutboxRow.subject_id == str(canonical_id(session, person_id)),
        OutboxRow.kind == ERASE,
        OutboxRow.state.in_(_ON_THE_WAY),
    )
    return session.scalar(waiting.limit(1)) is not None


def erase_handler(database: Database, clock: Clock) -> outbox.Handler:
    """Handler of kind `erase`: waits until the person's grades have been sent, then erases."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        now = clock.now()
        with database.writing() as session:
            root = int(job.payload["person"])
            ids = _locked(session, root)
            waiting = queued_grades(session, ids, now)
            if waiting and now - job.created_at < GRADES_WAIT:
                young = now - job.created_at < timedelta(minutes=10)
                return outbox.Retry(
                    reason="grades_waiting", after=10 if young else 300, destination_failed=False
                )
            if ids:
                erase_now(session, root, ids, bool(job.payload["keep_badges"]), job.payload["by"], now)
        return outbox.Delivered(answer={"grades_cancelled": waiting})

    return handle


def _locked(session: Session, root: int) -> frozenset[int]:
    """The ids of a human who is not erased yet, locked; empty where they are."""
    people = session.scalars(
        select(Person)
        .where(Person.id.in_(ids_of(session, root)), Person.state != "erased")
        .order_by(Person.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return frozenset(person.id for person in people)
