"""Putting rows into the outbox, in the transaction of whatever makes them necessary."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from microcred.database import after_commit
from microcred.outbox.models import UNFINISHED, OutboxDestination, OutboxRow
from microcred.outbox.sets import OfMany
from microcred.outbox.wake import wake_of

_ROW = cast(Table, OutboxRow.__table__).c
_UNFINISHED_OF = OfMany(
    lambda among: (
        select(_ROW.id, _ROW.order_key, _ROW.state)
        .where(among(_ROW.order_key), _ROW.state.in_(UNFINISHED))
        .order_by(_ROW.id)
    )
)


def add(
    session: Session,
    *,
    kind: str,
    destination: str,
    order_key: str | None,
    subject: tuple[str, str],
    payload: Mapping[str, Any],
    now: datetime,
    due_at: datetime | None = None,
    supersede: bool = True,
) -> OutboxRow:
    """One more thing to do, written in `session`'s transaction; workers are woken once it has committed.

    Rows of one `order_key` leave in order, one at a time. With `supersede`, older ones of that key that are
    not being sent
    just now are superseded, and one that is being sent is not tried again. `due_at` is the earliest moment
    (default: now).
    """
    older = _unfinished(session, order_key)
    if supersede:
        in_flight = [row for row in older if row.leased_until is not None and row.leased_until > now]
        _supersede(session, [row.id for row in older if row not in in_flight], now)
        older = in_flight
    _know(session, destination)
    row = OutboxRow(
        kind=kind,
        destination=destination,
        order_key=order_key,
        replaces=supersede and order_key is not None,
        subject_type=subject[0],
        subject_id=subject[1],
        payload=dict(payload),
        state="held" if older else "waiting",
        due_at=due_at or now,
        fence=0,
        attempts=0,
        created_at=now,
    )
    session.add(row)
    session.flush()
    after_commit(session, wake_of(session.get_bind()).notify)
    return row


def cancel(session: Session, *, now: datetime, subject: tuple[str, str]) -> int:
    """Cancel everything unfinished about `subject` (type, id); how many rows that were.

    A row being sent just now is cancelled too: its result is dropped.
    """
    cancelled = session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.subject_type == subject[0],
            OutboxRow.subject_id == subject[1],
            OutboxRow.state.in_(UNFINISHED),
        )
        .values(
            state="cancelled",
            finished_at=now,
            leased_until=None,
            fence=OutboxRow.fence + 1,
            reason="cancelled",
        )
        .returning(OutboxRow.order_key)
    )
    keys = [key for (key,) in cancelled]
    release_next(session, [key for key in keys if key is not None])
    return len(keys)


def release_next(session: Session, order_keys: Sequence[str]) -> None:
    """Where nothing of a key is waiting any more, let its oldest held row wait for delivery."""
    if not order_keys:
        return
    unfinished = _UNFINISHED_OF.ask(session, set(order_keys))
    first: dict[str | None, tuple[int, str]] = {}
    for row in unfinished:
        first.setdefault(row.order_key, (row.id, row.state))
    freed = [row_id for row_id, state in first.values() if state == "held"]
    if freed:
        session.execute(update(OutboxRow).where(OutboxRow.id.in_(freed)).values(state="waiting"))


def _unfinished(session: Session, order_key: str | None) -> Sequence[OutboxRow]:
    """The unfinished rows of a key, oldest first, locked: a worker cannot finish the one in front
    meanwhile."""
    if order_key is None:
        return []
    query = (
        select(OutboxRow)
        .where(OutboxRow.order_key == order_key, OutboxRow.state.in_(UNFINISHED))
        .order_by(OutboxRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def _supersede(session: Session, row_ids: Sequence[int], now: datetime) -> None:
    if row_ids:
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.id.in_(row_ids))
            .values(
                state="superseded",
                finished_at=now,
                leased_until=None,
                fence=OutboxRow.fence + 1,
                reason="newer",
            )
        )


def _know(session: Session, destination: str) -> None:
    """Make sure that workers look at this destination."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(OutboxDestination).values(name=destination, failures=0).on_conflict_do_nothing())
