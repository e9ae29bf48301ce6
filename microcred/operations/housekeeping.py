"""Timed work of the installation itself: what has served its time is deleted, once a day, by a row of the
outbox that adds the next one.

Every part costs what has become old since the last time, not what there is.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, aliased

import grade_passback
from lti_tool.models import Launch, UsedHandover
from microcred import outbox
from microcred.database import Clock, Database
from microcred.operations import preparing, uploading
from microcred.outbox import OutboxRow
from microcred.people.models import DeskSession, LinkCode, Notice, OneTimeLink
from microcred.placements import Placement

KIND = "housekeeping"
KEPT = timedelta(days=90)
"""How long finished deliveries and old launches stay, for questions about them."""
NOTICES_KEPT = timedelta(days=400)
_EVERY = timedelta(days=1)
_SOON = timedelta(minutes=1)
_BATCH = 500
_BATCHES = 40
"""So many batches of each part in one run; the rest a minute later, so that other work has its turn."""
_SPENT = timedelta(days=7)
"""How long used or expired one-time things stay."""


def ensure(session: Session, now: datetime) -> None:
    """See to it that the next time is planned; called when a worker begins."""
    planned = select(OutboxRow.id).where(
        OutboxRow.order_key == KIND, OutboxRow.state.in_(("waiting", "held"))
    )
    if session.scalar(planned.limit(1)) is None:
        _plan(session, {}, now, now)


def handler(database: Database, clock: Clock) -> outbox.Handler:
    """Handler of kind `housekeeping`."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        now = clock.now()
        with database.writing() as session:
            _forget_spent(session, now)
            swept = uploading.sweep(session, now) + preparing.let_originals_go(session, now)
        deliveries, rows = _in_batches(database, _deliveries, job.payload.get("deliveries"), now - KEPT)
        launches, opened = _in_batches(database, _launches, job.payload.get("launches"), now - KEPT)
        going_on = deliveries["more"] or launches["more"] or swept
        state = {"deliveries": deliveries["after"], "launches": launches["after"]}

        def record(session: Session) -> None:
            _plan(session, state, now, now + (_SOON if going_on else _EVERY))

        return outbox.Delivered(answer={"deliveries": rows, "launches": opened}, record=record)

    return handle


_Batch = Callable[[Session, Any, datetime], tuple[int, Any, bool]]
"""One batch: (session, after, until) to (how many went, after, whether there is more)."""


def _in_batches(database: Database, batch: _Batch, after: Any, until: datetime) -> tuple[dict[str, Any], int]:
    count, more = 0, True
    for _ in range(_BATCHES):
        with database.writing() as session:
            gone, after, more = batch(session, after, until)
        count += gone
        if not more:
            break
    return {"after": after, "more": more}, count


def _deliveries(session: Session, after: Any, until: datetime) -> tuple[int, Any, bool]:
    start = (datetime.fromisoformat(after[0]), int(after[1])) if after else None
    purged = outbox.purge(
        session, until=until, after=start, limit=_BATCH, keep_newest_of=(grade_passback.KIND,)
    )
    if purged.following is None:
        return purged.count, [until.isoformat(), 0], False
    return purged.count, [purged.following[0].isoformat(), purged.following[1]], True


def _launches(session: Session, after: Any, until: datetime) -> tuple[int, Any, bool]:
    """Launches of long ago, but for the newest of a person in a link: grades still go by it."""
    query = (
        select(Launch.id, Launch.created_at)
        .where(Launch.created_at <= until)
        .order_by(Launch.created_at, Launch.id)
        .limit(_BATCH)
    )
    if after:
        moment, row_id = datetime.fromisoformat(after[0]), int(after[1])
        query = query.where(
            (Launch.created_at > moment) | ((Launch.created_at == moment) & (Launch.id > row_id))
        )
    launches = session.execute(query).all()
    ids = [launch.id for launch in launches]
    newer, older = aliased(Launch), aliased(Launch)
    same = (
        (newer.person_id == older.person_id)
        & (newer.registration_id == older.registration_id)
        & newer.context_id.is_not_distinct_from(older.context_id)
        & newer.resource_link_id.is_not_distinct_from(older.resource_link_id)
        & (newer.identity_id == older.identity_id)
        & (newer.id > older.id)
        & (newer.lineitem_url.is_not(None) | older.lineitem_url.is_(None))
    )
    unused = ~exists(select(Placement.id).where(Placement.made_in_launch_id == older.id))
    replaced = select(older.id).join(newer, same).where(older.created_at <= until, unused)
    gone = set(session.scalars(replaced.where(older.id.in_(ids))))
    # And those that stayed until now because they were the newest.
    gone |= set(session.scalars(replaced.where(newer.id.in_(ids))))
    session.execute(delete(Launch).where(Launch.id.in_(gone)))
    last = launches[-1] if launches else None
    return len(gone), [last.created_at.isoformat(), last.id] if last else after, len(launches) == _BATCH


def _forget_spent(session: Session, now: datetime) -> None:
    """One-time things that nobody can use any more."""
    long_ago = now - _SPENT
    for statement in (
        delete(UsedHandover).where(UsedHandover.expires_at < now),
        delete(OneTimeLink).where(OneTimeLink.expires_at < long_ago),
        delete(LinkCode).where(LinkCode.expires_at < now),
        delete(DeskSession).where(DeskSession.created_at < long_ago),
        delete(Notice).where(Notice.created_at < now - NOTICES_KEPT),
    ):
        session.execute(statement)


def _plan(session: Session, state: dict[str, Any], now: datetime, due_at: datetime) -> None:
    outbox.add(
        session,
        kind=KIND,
        destination="local",
        order_key=KIND,
        subject=("installation", "1"),
        payload=state,
        now=now,
        due_at=due_at,
    )
