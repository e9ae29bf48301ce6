"""What operators and coordinators see of the outbox, and what they may do: look, send again, stop, start."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from microcred.database import after_commit, utc
from microcred.outbox.models import UNFINISHED, OutboxDestination, OutboxRow, OutboxWorker
from microcred.outbox.wake import wake_of

_COUNTED = (*UNFINISHED, "blocked", "dead", "unverified", "accepted")
OPEN_STATES = (*UNFINISHED, "blocked", "dead", "unverified")
"""What waits or needs somebody."""
_LIVING = timedelta(minutes=1)
_RETRIABLE = ("blocked", "dead", "unverified")


class RetryRefused(Exception):
    """A row that cannot be sent again. `code`: unknown, not_stuck (nothing to do) or newer (a newer
    version exists)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class DestinationStatus:
    """A destination that is resting, failing or stopped."""

    name: str
    failures: int
    failing_since: datetime | None
    paused_until: datetime | None
    pause_reason: str | None
    stopped: bool


@dataclass(frozen=True)
class Status:
    """Counts by state (history is not counted), the oldest moment something has been due, destinations in
    trouble."""

    counts: Mapping[str, int]
    oldest_due_at: datetime | None
    troubled: Sequence[DestinationStatus]


@dataclass(frozen=True)
class Entry:
    """One row as a list shows it."""

    id: int
    kind: str
    destination: str
    state: str
    reason: str | None
    attempts: int
    due_at: datetime
    created_at: datetime
    last_tried_at: datetime | None
    last_answer: Mapping[str, Any] | None
    may_retry: bool


def status(session: Session, *, now: datetime, destinations: Collection[str] | None = None) -> Status:
    """How the outbox stands; `destinations`: those alone. What is to happen later and was never tried counts
    as `planned`, not as waiting.
    """
    is_planned = (OutboxRow.state == "waiting") & (OutboxRow.due_at > now) & (OutboxRow.attempts == 0)
    state = case((is_planned, "planned"), else_=OutboxRow.state)
    counted = select(state, func.count()).where(OutboxRow.state.in_(_COUNTED)).group_by(state)
    oldest = select(func.min(OutboxRow.due_at)).where(OutboxRow.state == "waiting", OutboxRow.due_at <= now)
    troubled = select(OutboxDestination).where(
        OutboxDestination.stopped | (OutboxDestination.failures > 0) | (OutboxDestination.paused_until > now)
    )
    if destinations is not None:
        counted = counted.where(OutboxRow.destination.in_(destinations))
        oldest = oldest.where(OutboxRow.destination.in_(destinations))
        troubled = troubled.where(OutboxDestination.name.in_(destinations))
    by_state = session.execute(counted)
    counts = dict.fromkeys((*_COUNTED, "planned"), 0) | {row[0]: row[1] for row in by_state}
    return Status(
        counts,
        session.scalar(oldest),
        [
            DestinationStatus(d.name, d.failures, d.failing_since, d.paused_until, d.pause_reason, d.stopped)
            for d in session.scalars(troubled.order_by(OutboxDestination.name))
        ],
    )


def a_worker_lives(session: Session, *, now: datetime) -> bool:
    """Whether any worker has given a sign of life within the last minute."""
    newest = session.scalar(select(func.max(OutboxWorker.seen_at)))
    return newest is not None and utc(newest) > now - _LIVING


def entries(
    session: Session,
    *,
    states: Sequence[str] = OPEN_STATES,
    after_id: int = 0,
    limit: int = 100,
    destinations: Collection[str] | None = None,
    kind: str | None = None,
) -> list[Entry]:
    """Rows in these states by id, `limit` at most, beginning after `after_id`; `destinations`, `kind`: of
    those alone.
    """
    query = (
        select(OutboxRow)
        .where(OutboxRow.state.in_(states), OutboxRow.id > after_id)
        .order_by(OutboxRow.id)
        .limit(limit)
    )
    if destinations is not None:
        query = query.where(OutboxRow.destination.in_(destinations))
    if kind is not None:
        query = query.where(OutboxRow.kind == kind)
    return [entry_of(row) for row in session.scalars(query)]


def entry_of(row: OutboxRow) -> Entry:
    """A row as a list shows it."""
    return Entry(
        row.id,
        row.kind,
        row.destination,
        row.state,
        row.reason,
        row.attempts,
        row.due_at,
        row.created_at,
        row.last_tried_at,
        row.last_answer,
        row.state in _RETRIABLE,
    )


def retry(session: Session, row_id: int, *, now: datetime) -> None:
    """Send a blocked, dead or unverified row again, now, with a new window; a waiting one loses its delay.

    Raises RetryRefused.
    """
    row = session.get(OutboxRow, row_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise RetryRefused("unknown")
    if row.state == "waiting" and row.leased_until is None:
        row.due_at = now
    elif row.state in _RETRIABLE:
        if row.order_key is not None and session.scalar(_newer_than(row.order_key, row.id)):
            raise RetryRefused("newer")
        row.state, row.reason, row.finished_at = "waiting", None, None
        row.due_at, row.attempts, row.first_tried_at = now, 0, None
    else:
        raise RetryRefused("not_stuck")
    session.flush()
    after_commit(session, wake_of(session.get_bind()).notify)


def retry_all(
    session: Session,
    *,
    now: datetime,
    destinations: Collection[str] | None = None,
    rows: Select[Any] | None = None,
) -> int:
    """Send every blocked and dead row again that nothing newer has replaced (of these destinations, or of
    all; only of `rows`, a query for ids, where given); how many.
    """
    newer = aliased(OutboxRow)
    query = (
        update(OutboxRow)
        .where(OutboxRow.state.in_(("blocked", "dead")))
        .where(
            ~exists(
                select(newer.id).where(
                    newer.order_key == OutboxRow.order_key,
                    newer.id > OutboxRow.id,
                    newer.state.not_in(("superseded", "cancelled")),
                )
            )
        )
        .values(state="waiting", reason=None, finished_at=None, due_at=now, attempts=0, first_tried_at=None)
        .returning(OutboxRow.id)
        .execution_options(synchronize_session=False)
    )
    if destinations is not None:
        query = query.where(OutboxRow.destination.in_(destinations))
    if rows is not None:
        query = query.where(OutboxRow.id.in_(rows))
    count = len(session.execute(query).all())
    after_commit(session, wake_of(session.get_bind()).notify)
    return count


def stop_destination(session: Session, destination: str) -> None:
    """Send nothing there until `start_destination`; rows are kept."""
    session.merge(OutboxDestination(name=destination, stopped=True))


def start_destination(session: Session, destination: str) -> None:
    """Send there again, at once."""
    session.merge(
        OutboxDestination(
            name=destination,
            stopped=False,
            failures=0,
            failing_since=None,
            paused_until=None,
            pause_reason=None,
        )
    )
    after_commit(session, wake_of(session.get_bind()).notify)


def _newer_than(order_key: str, row_id: int) -> Any:
    return select(
        exists().where(
            OutboxRow.order_key == order_key,
            OutboxRow.id > row_id,
            OutboxRow.state.not_in(("superseded", "cancelled")),
        )
    )
