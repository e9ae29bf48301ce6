"""Claiming due rows. The cost depends on the number of destinations and on the rows taken, never on the
rows waiting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    String,
    Table,
    Update,
    bindparam,
    column,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session

from microcred.outbox.models import OutboxDestination, OutboxRow, OutboxWorker
from microcred.outbox.outcomes import Job


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
    wanted: dict[str, int] = {}
    for view in views:
        opens_at = view.opens_at()
        if opens_at is not None and opens_at <= now and (count := room(view)) > 0:
            wanted[view.name] = count
    jobs = _take(session, wanted, now, now + lease)
    later = [opens_at for view in views if (opens_at := view.opens_at()) is not None]
    return Claim(jobs=jobs, destinations={v.name: v for v in views}, next_due_at=min(later, default=None))


def renew(session: Session, held: Sequence[Job], *, now: datetime, lease: timedelta) -> None:
    """A sign of life for jobs still in hand: their leases end at `now + lease`."""
    _for_each(session, _RENEW, held, {"until": now + lease})


def release(session: Session, jobs: Sequence[Job], *, now: datetime) -> None:
    """Give claimed jobs back that were not begun."""
    _for_each(session, _RELEASE, jobs, {"now": now})


def _for_each(
    session: Session, statement: Update, jobs: Sequence[Job], given: Mapping[str, datetime]
) -> None:
    if jobs:
        rows = [{"row_id": job.id, "row_fence": job.fence, **given} for job in jobs]
        session.connection().execute(statement, rows)


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


def _take(session: Session, wanted: Mapping[str, int], now: datetime, until: datetime) -> list[Job]:
    """Claim so many due rows of each destination, the earliest first, until the end of their lease."""
    if not wanted:
        return []
    given = {"now": now, "until": until}
    if session.get_bind().dialect.name == "postgresql":
        rows = session.execute(_TAKE_EACH, given | {"names": [*wanted], "counts": [*wanted.values()]}).all()
    else:
        asked = [given | {"name": name, "count": count} for name, count in wanted.items()]
        rows = [row for one in asked for row in session.execute(_TAKE, one)]
    return [
        Job(
            id=row.id,
            kind=row.kind,
            destination=row.destination,
            order_key=row.order_key,
            subject=(row.subject_type, row.subject_id),
            payload=row.payload,
            attempt=row.attempts,
            fence=row.fence,
            first_tried_at=row.first_tried_at,
            created_at=row.created_at,
        )
        for row in sorted(rows, key=lambda row: row.id)
    ]


# Statements are built once, of plain columns: building them, and asking through the mapped class, costs more
# than half of what running them does, many times a second.
_TABLE = cast(Table, OutboxRow.__table__)
_ROW = _TABLE.c
_DESTINATION = cast(Table, OutboxDestination.__table__).c
_NOW = bindparam("now", type_=_ROW.due_at.type)
_UNTIL = bindparam("until", type_=_ROW.due_at.type)

_LOOK = select(
    _DESTINATION.name,
    _DESTINATION.failures,
    _DESTINATION.paused_until,
    _DESTINATION.pause_reason,
    _DESTINATION.stopped,
    select(func.min(_ROW.due_at))
    .where(_ROW.destination == _DESTINATION.name, _ROW.state == "waiting")
    .scalar_subquery(),
)


def _due(destination: ColumnElement[str], count: ColumnElement[int]) -> Select[tuple[int]]:
    return (
        select(_ROW.id)
        .where(_ROW.destination == destination, _ROW.state == "waiting", _ROW.due_at <= _NOW)
        .order_by(_ROW.due_at, _ROW.id)
        .limit(count)
        .with_for_update(skip_locked=True)
    )


_CLAIM = (
    update(_TABLE)
    .values(
        fence=_ROW.fence + 1,
        attempts=_ROW.attempts + 1,
        leased_until=_UNTIL,
        due_at=_UNTIL,
        first_tried_at=func.coalesce(_ROW.first_tried_at, _NOW),
        last_tried_at=_NOW,
    )
    .returning(
        _ROW.id,
        _ROW.kind,
        _ROW.destination,
        _ROW.order_key,
        _ROW.subject_type,
        _ROW.subject_id,
        _ROW.payload,
        _ROW.attempts,
        _ROW.fence,
        _ROW.first_tried_at,
        _ROW.created_at,
    )
)
_MINE = _TABLE.update().where(
    _ROW.id == bindparam("row_id"), _ROW.fence == bindparam("row_fence"), _ROW.leased_until.is_not(None)
)
_RENEW = _MINE.values(leased_until=_UNTIL, due_at=_UNTIL)
_RELEASE = _MINE.values(leased_until=None, due_at=_NOW, attempts=_ROW.attempts - 1)
_TAKE = _CLAIM.where(_ROW.id.in_(_due(bindparam("name", type_=String), bindparam("count", type_=Integer))))
# PostgreSQL serves all destinations at once. Materialized: a plan that looked twice would take twice as many.
_ASKED = (
    func.unnest(bindparam("names", type_=ARRAY(String)), bindparam("counts", type_=ARRAY(Integer)))
    .table_valued(column("name", String), column("count", Integer))
    .render_derived(name="asked")
)
_TAKEN = select(_due(_ASKED.c.name, _ASKED.c.count).correlate(_ASKED).lateral("due").c.id).select_from(_ASKED)
_TAKEN_FIRST = _TAKEN.cte("taken").prefix_with("MATERIALIZED", dialect="postgresql")
_TAKE_EACH = _CLAIM.where(_ROW.id == _TAKEN_FIRST.c.id)
