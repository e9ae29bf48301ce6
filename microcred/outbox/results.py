"""Storing what came of jobs: one transaction for a batch, each result written only by the holder of the
newest claim."""

import random
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import structlog
from sqlalchemy import Connection, Table, bindparam, column, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from microcred.database import BIGINT
from microcred.outbox.models import OutboxDestination, OutboxRow
from microcred.outbox.outcomes import (
    Accepted,
    Blocked,
    Delivered,
    Job,
    Outcome,
    Retry,
    Superseded,
    Throttled,
    Unverified,
)
from microcred.outbox.policy import Policy
from microcred.outbox.queue import release_next
from microcred.outbox.sets import OfMany

# Sent through the connection, not the session: a batch of this size need not pass the unit of work.
_NEW = ("state", "due_at", "finished_at", "reason", "last_answer")
_TABLE = cast(Table, OutboxRow.__table__)
_WRITE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("row_id"))
    .values(leased_until=None, **{name: bindparam(f"new_{name}") for name in _NEW})
)
# PostgreSQL takes the whole batch as one document: one statement a row cost more than sending the scores.
_BATCH = (
    func.jsonb_to_recordset(bindparam("changes", type_=JSONB))
    .table_valued(column("row_id", BIGINT), *(column(f"new_{name}", _TABLE.c[name].type) for name in _NEW))
    .render_derived(name="changed", with_types=True)
)
_WRITE_BATCH = (
    update(_TABLE)
    .where(_TABLE.c.id == _BATCH.c.row_id)
    .values(leased_until=None, **{name: _BATCH.c[f"new_{name}"] for name in _NEW})
)
_LOCKED = OfMany(
    lambda among: (
        select(_TABLE.c.id, _TABLE.c.fence, _TABLE.c.state)
        .where(among(_TABLE.c.id))
        .with_for_update(skip_locked=True)
    )
)
_EXISTING = OfMany(lambda among: select(_TABLE.c.id).where(among(_TABLE.c.id)))
_REPLACED = OfMany(
    lambda among: select(_TABLE.c.order_key).where(
        among(_TABLE.c.order_key), _TABLE.c.state == "held", _TABLE.c.replaces
    )
)
_log = structlog.get_logger("microcred.outbox")
Result = tuple[Job, Outcome]
Write = Callable[[Session, Sequence[Any]], None]


@dataclass
class _Tally:
    """What one batch says about one destination."""

    succeeded: bool = False
    failed: int = 0
    throttled: list[Throttled] = field(default_factory=list)


def store(
    session: Session,
    results: Sequence[Result],
    *,
    now: datetime,
    policy: Policy,
    rng: random.Random,
    failing: Collection[str] | None = None,
) -> list[Result]:
    """Write a batch of results; what could not be written now (somebody holds the row) is returned for the
    next batch. `failing` are the destinations that had failures or a pause a moment ago (None: not known);
    success at another one changes nothing about it.

    A result whose row was claimed again, superseded or cancelled meanwhile is dropped, with its `record`.
    """
    if not results:
        return []
    mine, left = _still_mine(session, results)
    broken = _shared(session, mine)
    settled = [(job, _recorded(session, outcome, broken)) for job, outcome in mine]
    retried = [
        job.order_key for job, outcome in settled if isinstance(outcome, Retry | Throttled) and job.order_key
    ]
    replaced = _keys_with_newer(session, retried)
    changes = [_change(job, outcome, job.order_key in replaced, now, policy, rng) for job, outcome in settled]
    if changes:
        _write(session.connection(), changes)
    finished = [
        job.order_key for (job, _), change in zip(settled, changes, strict=True) if change["new_finished_at"]
    ]
    release_next(session, [key for key in finished if key is not None])
    _judge_destinations(session, settled, failing, now, policy, rng)
    return left


def _write(connection: Connection, changes: Sequence[dict[str, Any]]) -> None:
    if connection.dialect.name != "postgresql":
        connection.execute(_WRITE, changes)
        return
    document = [
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in change.items()}
        for change in changes
    ]
    connection.execute(_WRITE_BATCH, {"changes": document})


def _still_mine(session: Session, results: Sequence[Result]) -> tuple[list[Result], list[Result]]:
    """The results whose rows are still theirs, and those whose rows somebody else holds just now.

    Rows are never waited for: whoever adds a newer version holds the older row, and may wait for something
    we hold.
    """
    ids = [job.id for job, _ in results]
    current = {row.id: (row.fence, row.state) for row in _LOCKED.ask(session, ids)}
    existing: set[int] = set(current)
    if len(current) < len(ids):
        existing = set(_EXISTING.ask(session, ids).scalars())
    mine: list[Result] = []
    left: list[Result] = []
    for job, outcome in results:
        if job.id in current and current[job.id] == (job.fence, "waiting"):
            mine.append((job, outcome))
        elif job.id in existing and job.id not in current:
            left.append((job, outcome))
        else:
            _log.warning("result_dropped", row=job.id, kind=job.kind, outcome=type(outcome).__name__)
    return mine, left


def _shared(session: Session, results: Sequence[Result]) -> set[Write]:
    """Write what outcomes have in common; those of it that could not be written together."""
    values: defaultdict[Write, list[Any]] = defaultdict(list)
    for _, outcome in results:
        if outcome.share is not None:
            values[outcome.share.write].append(outcome.share.value)
    broken = set()
    for write, given in values.items():
        try:
            with session.begin_nested():
                write(session, given)
        except Exception as error:  # noqa: BLE001 - each is then written alone
            _log.warning("record_broken", error=type(error).__name__, together=len(given))
            broken.add(write)
    return broken


def _recorded(session: Session, outcome: Outcome, broken: Collection[Write]) -> Outcome:
    """Run the outcome's own record; where that fails the job is tried again."""
    alone = outcome.share if outcome.share is not None and outcome.share.write in broken else None
    if outcome.record is None and alone is None:
        return outcome
    try:
        with session.begin_nested():
            if outcome.record is not None:
                outcome.record(session)
            if alone is not None:
                alone.write(session, [alone.value])
    except Exception as error:  # noqa: BLE001 - one broken record must not lose the batch
        _log.exception("record_broken", error=type(error).__name__)
        return Retry(reason="internal_error", destination_failed=False, answer=outcome.answer)
    return outcome


def _keys_with_newer(session: Session, order_keys: Sequence[str]) -> set[str]:
    """Keys in which a newer version waits: trying the old one again would be pointless."""
    if not order_keys:
        return set()
    return set(_REPLACED.ask(session, set(order_keys)).scalars())


def _change(
    job: Job, outcome: Outcome, replaced: bool, now: datetime, policy: Policy, rng: random.Random
) -> dict[str, Any]:
    """The new values of one row."""
    change: dict[str, Any] = {
        "row_id": job.id,
        "new_due_at": now,
        "new_finished_at": now,
        "new_reason": getattr(outcome, "reason", None),
        "new_last_answer": dict(outcome.answer) if outcome.answer is not None else None,
    }
    match outcome:
        case Retry() | Throttled() if replaced:
            return change | {"new_state": "superseded"}
        case Throttled():
            return change | {"new_state": "waiting", "new_finished_at": None}
        case Retry() if now - job.first_tried_at < policy.window:
            due_at = now + policy.row_delay(job.attempt, outcome.after, rng)
            return change | {"new_state": "waiting", "new_finished_at": None, "new_due_at": due_at}
        case Retry():
            _log.error(
                "outbox_dead", row=job.id, kind=job.kind, destination=job.destination, reason=outcome.reason
            )
            return change | {"new_state": "dead"}
        case Delivered():
            return change | {"new_state": "delivered"}
        case Accepted():
            return change | {"new_state": "accepted"}
        case Unverified():
            return change | {"new_state": "unverified"}
        case Superseded():
            return change | {"new_state": "superseded"}
        case Blocked():
            return change | {"new_state": "blocked"}
    raise TypeError(f"{type(outcome).__name__} is not an outcome of the outbox")


def _judge_destinations(
    session: Session,
    settled: Sequence[Result],
    failing: Collection[str] | None,
    now: datetime,
    policy: Policy,
    rng: random.Random,
) -> None:
    """Count failures, open and close breakers, keep the pauses that destinations asked for."""
    tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
    for job, outcome in settled:
        tally = tallies[job.destination]
        match outcome:
            case Throttled():
                tally.throttled.append(outcome)
            case Retry():
                tally.failed += outcome.destination_failed
            case _:
                tally.succeeded = True
    troubled = {name for name, tally in tallies.items() if tally.failed or tally.throttled}
    concerned = troubled | (tallies.keys() if failing is None else tallies.keys() & failing)
    if not concerned:
        return
    query = (
        select(OutboxDestination)
        .where(OutboxDestination.name.in_(concerned))
        .where((OutboxDestination.failures > 0) | OutboxDestination.name.in_(troubled))
        .order_by(OutboxDestination.name)
        .with_for_update()
    )
    recovered = [
        destination.name
        for destination in session.scalars(query)
        if _is_recovered(destination, tallies[destination.name], now, policy, rng)
    ]
    if recovered:
        _wake(session, recovered, now)


def _wake(session: Session, destinations: Sequence[str], now: datetime) -> None:
    """Let what waits out a failure of these destinations go at once. After two days of silence each row alone
    would wait up to an hour more, while the destination has answered again.
    """
    waiting = (
        select(OutboxRow.id)
        .where(
            OutboxRow.destination.in_(destinations),
            OutboxRow.state == "waiting",
            OutboxRow.attempts > 0,
            OutboxRow.leased_until.is_(None),
            OutboxRow.due_at > now,
        )
        .with_for_update(skip_locked=True)
    )
    session.execute(
        update(OutboxRow).where(OutboxRow.id.in_(waiting)).values(due_at=now),
        execution_options={"synchronize_session": False},
    )


def _is_recovered(
    destination: OutboxDestination, tally: _Tally, now: datetime, policy: Policy, rng: random.Random
) -> bool:
    """Count what happened; whether a destination whose breaker was open has answered again."""
    if tally.succeeded and not tally.throttled:
        recovered = destination.failures >= policy.breaker_after
        if recovered:
            _log.info("destination_recovered", destination=destination.name)
        destination.failures, destination.failing_since = 0, None
        rested = destination.paused_until is None or destination.paused_until <= now
        if rested or destination.pause_reason == "not_answering":
            destination.paused_until = destination.pause_reason = None
        return recovered
    destination.failures += tally.failed + (1 if tally.throttled else 0)
    destination.failing_since = destination.failing_since or now
    reason, pause = None, None
    if tally.throttled:
        worst = max(tally.throttled, key=lambda t: t.after or 0.0)
        reason, pause = worst.reason, policy.pause(destination.failures, worst.after, rng)
    elif destination.failures >= policy.breaker_after:
        beyond = destination.failures - policy.breaker_after + 1
        reason, pause = "not_answering", policy.pause(beyond, None, rng)
    if pause is None:
        return False
    if destination.pause_reason != reason:
        _log.warning(
            "destination_paused", destination=destination.name, reason=reason, seconds=pause.total_seconds()
        )
    until = now + pause
    destination.pause_reason = reason
    destination.paused_until = max(until, destination.paused_until) if destination.paused_until else until
    return False
