"""Forgetting history: finished rows of long ago, but never the newest of a key that stands for something."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, aliased

from microcred.outbox.models import OutboxRow

_DONE = ("delivered", "accepted", "unverified")
_OPEN = ("blocked", "dead")


@dataclass(frozen=True)
class Purged:
    """A batch: how many rows went, and where the next batch begins (None: nothing is left up to the moment
    asked for)."""

    count: int
    following: tuple[datetime, int] | None


def purge(
    session: Session,
    *,
    until: datetime,
    after: tuple[datetime, int] | None,
    limit: int,
    keep_newest_of: Collection[str],
) -> Purged:
    """Delete rows that finished up to `until`, beginning after `after` (moment and id), `limit` at a time.

    What needs a person (blocked, dead) stays until something newer of its key is done. Of the kinds
    `keep_newest_of` the newest done row of each key stays whatever its age: it says what stands there now.
    Costs what has finished since `after`, however long the history is.
    """
    query = (
        select(OutboxRow.id, OutboxRow.finished_at, OutboxRow.kind, OutboxRow.state, OutboxRow.order_key)
        .where(OutboxRow.finished_at <= until)
        .order_by(OutboxRow.finished_at, OutboxRow.id)
        .limit(limit)
    )
    if after is not None:
        moment, row_id = after
        query = query.where(
            (OutboxRow.finished_at > moment) | ((OutboxRow.finished_at == moment) & (OutboxRow.id > row_id))
        )
    rows = session.execute(query).all()
    stays = [row.id for row in rows if row.state in _OPEN or row.kind in keep_newest_of]
    replaced = _replaced(session, stays)
    gone = [row.id for row in rows if row.id not in stays or row.id in replaced]
    # What stayed until now because nothing newer was done: now something is.
    done = [row.id for row in rows if row.state in _DONE and row.order_key is not None]
    gone += _before(session, done, until)
    session.execute(delete(OutboxRow).where(OutboxRow.id.in_(set(gone))))
    last = rows[-1] if len(rows) == limit else None
    return Purged(len(set(gone)), (last.finished_at, last.id) if last is not None else None)


def _replaced(session: Session, row_ids: Sequence[int]) -> set[int]:
    newer = aliased(OutboxRow)
    query = select(OutboxRow.id).where(
        OutboxRow.id.in_(row_ids),
        exists(
            select(newer.id).where(
                newer.order_key == OutboxRow.order_key, newer.id > OutboxRow.id, newer.state.in_(_DONE)
            )
        ),
    )
    return set(session.scalars(query))


def _before(session: Session, row_ids: Sequence[int], until: datetime) -> list[int]:
    """Older rows of the same keys that are finished as long."""
    newer = aliased(OutboxRow)
    query = (
        select(OutboxRow.id)
        .join(newer, (newer.order_key == OutboxRow.order_key) & (newer.id > OutboxRow.id))
        .where(newer.id.in_(row_ids), OutboxRow.finished_at <= until)
    )
    return list(session.scalars(query))
