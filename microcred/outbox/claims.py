"""Claiming due rows. The cost depends on the number of destinations and on the rows taken, never on the
rows waiting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, bindparam, delete, func, literal_column, select, update
from sqlalchemy.orm import Session

from microcred.outbox.models import OutboxDestination, OutboxRow, OutboxWorker
from microcred.outbox.outcomes import Job

# A literal, not a parameter: only then do both databases see that the partial index fits.
WAITING: ColumnElement[str] = literal_column("'waiting'")


@dataclass(frozen=True)
class DestinationView:
    """A destination as this cycle finds it."""

    name: str
    failures: int
    paused_until: datetime | None
    pause_reason: str | None
    stopped: bool
    first_due_at: datetime | None
    """The earliest moment anything of it is due; rows in flight count from the end of their lease."""

    @property
    def on_probation(self) -> bool:
        """Whether it has rested and not succeeded since: one probe at a time tells whether it works again."""
        return self.failures > 0 and self.pause_reason is not None

    def opens_at(self) -> datetime | None:
        """When there is something to do for it; None while it is stopped or empty."""
        if self.stopped or self.first_due_at is None:
            return None
        return max(self.first_due_at, self.paused_until) if self.paused_until else self.first_due_at


@dataclass(frozen=True)
class Claim:
    """The jobs taken, and when there may be more."""

    jobs: Sequence[Job]
    destinations: Mapping[str, DestinationView]
    next_due_at: datetime | None


def claim(
    session: Session, *, now: datetime, lease: timedelta, room: Callable[[DestinationView], int]
) -> Claim:
    """Take due rows under a lease that ends at `now + lease`: for each open destination at most
    `room(destination)`.

    On PostgreSQL rows that another transaction holds are skipped; on SQLite one writer works at a time
    anyway.
    """
    views = look(session)
    jobs: list[Job] = []
    for view in views:
        opens_at = view.opens_at()
        if opens_at is None or opens_at > now:
            continue
        wanted = room(view)
        if wanted > 0:
            jobs += _take(session, view.name, wanted, now)
    if jobs:
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.id.in_([job.id for job in jobs]))
            .values(
                fence=OutboxRow.fence + 1,
                attempts=OutboxRow.attempts + 1,
                leased_until=now + lease,
                due_at=now + lease,
                first_tried_at=func.coalesce(OutboxRow.first_tried_at, now),
                last_tried_at=now,
            ),
            execution_options={"synchronize_session": False},
        )
    later = [opens_at for view in views if (opens_at := view.opens_at()) is not None]
    return Claim(jobs=jobs, destinations={v.name: v for v in views}, next_due_at=min(later, default=None))


def renew(session: Session, held: Sequence[Job], *, now: datetime, lease: timedelta) -> None:
    """A sign of life for jobs still in hand: their leases end at `now + lease`."""
    for job in held:
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.id == job.id, OutboxRow.fence == job.fence, OutboxRow.leased_until.is_not(None))
            .values(leased_until=now + lease, due_at=now + lease)
        )


def release(session: Session, jobs: Sequence[Job], *, now: datetime) -> None:
    """Give claimed jobs back that were not begun."""
    for job in jobs:
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.id == job.id, OutboxRow.fence == job.fence, OutboxRow.leased_until.is_not(None))
            .values(leased_until=None, due_at=now, attempts=OutboxRow.attempts - 1)
        )


def sign_of_life(session: Session, worker_id: str, *, now: datetime, seen: timedelta) -> int:
    """Note that this worker lives; how many do."""
    session.merge(OutboxWorker(id=worker_id, seen_at=now))
    session.execute(delete(OutboxWorker).where(OutboxWorker.seen_at < now - seen * 10))
    session.flush()
    living = session.scalar(
        select(func.count()).select_from(OutboxWorker).where(OutboxWorker.seen_at > now - seen)
    )
    return max(1, living or 1)


def sign_off(session: Session, worker_id: str) -> None:
    """This worker ends."""
    session.execute(delete(OutboxWorker).where(OutboxWorker.id == worker_id))


def look(session: Session) -> list[DestinationView]:
    """Every destination as it stands."""
    return [DestinationView(*row) for row in session.execute(_LOOK)]


# Built once: building them costs more than half of what asking them does, many times a second.
_LOOK = select(
    OutboxDestination.name,
    OutboxDestination.failures,
    OutboxDestination.paused_until,
    OutboxDestination.pause_reason,
    OutboxDestination.stopped,
    select(func.min(OutboxRow.due_at))
    .where(OutboxRow.destination == OutboxDestination.name, OutboxRow.state == WAITING)
    .scalar_subquery(),
)
_DUE = (
    select(
        OutboxRow.id,
        OutboxRow.kind,
        OutboxRow.order_key,
        OutboxRow.subject_type,
        OutboxRow.subject_id,
        OutboxRow.payload,
        OutboxRow.attempts,
        OutboxRow.fence,
        OutboxRow.first_tried_at,
        OutboxRow.created_at,
    )
    .where(
        OutboxRow.destination == bindparam("destination"),
        OutboxRow.state == WAITING,
        OutboxRow.due_at <= bindparam("now", type_=OutboxRow.due_at.type),
    )
    .order_by(OutboxRow.due_at, OutboxRow.id)
    .limit(bindparam("wanted", type_=Integer))
    .with_for_update(skip_locked=True)
)


def _take(session: Session, destination: str, wanted: int, now: datetime) -> list[Job]:
    due = session.execute(_DUE, {"destination": destination, "wanted": wanted, "now": now})
    return [
        Job(
            id=row.id,
            kind=row.kind,
            destination=destination,
            order_key=row.order_key,
            subject=(row.subject_type, row.subject_id),
            payload=row.payload,
            attempt=row.attempts + 1,
            fence=row.fence + 1,
            first_tried_at=row.first_tried_at or now,
            created_at=row.created_at,
        )
        for row in due
    ]
