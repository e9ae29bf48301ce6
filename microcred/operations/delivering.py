"""The outbox as operators see it: what waits, what stopped, which platforms are in trouble; send again, stop,
start.

An operator of one organization sees what goes to that organization's platforms; one of the whole installation
sees everything, the tool's own timed work too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import grade_passback
from lti_tool.models import Registration
from microcred import outbox
from microcred.badges import lifecycle
from microcred.badges.backpack.connections import destination_of
from microcred.badges.backpack.models import BackpackHost
from microcred.operations import notifying
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.operating import is_of_all, own_platforms, require_operator
from microcred.outbox import OutboxRow
from microcred.people import audit

PAGE = 50
STATES = ("blocked", "dead", "unverified", "waiting", "held")
"""States that an operator may look at; what is done is history."""
_MOST = 1000
_REFUSALS = {
    "unknown": "There is no such delivery for you here.",
    "not_stuck": "This one is not stuck: it was delivered, or is being sent now. Nothing was changed.",
    "newer": "A newer version of this was sent or is waiting; this one stays unsent.",
}


@dataclass(frozen=True)
class Destination:
    """Where rows go."""

    name: str
    label: str
    """The platform's name, or that it is work of our own."""
    stopped: bool
    trouble: outbox.DestinationStatus | None
    """None while all is well."""
    stuck: int
    """How many rows for it stopped."""


@dataclass(frozen=True)
class Overview:
    """How the outbox stands, for this operator."""

    counts: Mapping[str, int]
    oldest_due_at: datetime | None
    destinations: Sequence[Destination]


@dataclass(frozen=True)
class Delivery:
    """One row with the name of where it goes."""

    entry: outbox.Entry
    label: str
    cell: grade_passback.Cell | None
    """Of a grade: whose it is, and for which column."""


def overview(session: Session, actor: Actor, now: datetime) -> Overview:
    """Counts by state, and every destination with its trouble. Raises NotAllowed."""
    labels = _labels(session, actor)
    status = outbox.status(session, now=now, destinations=_only(actor, labels))
    troubles = {trouble.name: trouble for trouble in status.troubled}
    counted = session.execute(
        select(OutboxRow.destination, func.count())
        .where(OutboxRow.state.in_(("blocked", "dead")))
        .group_by(OutboxRow.destination)
    )
    stuck = {row[0]: row[1] for row in counted}
    names = dict.fromkeys([*labels, *troubles])
    return Overview(
        status.counts,
        status.oldest_due_at,
        [
            Destination(
                name,
                labels.get(name, name),
                name in troubles and troubles[name].stopped,
                troubles.get(name),
                stuck.get(name, 0),
            )
            for name in names
        ],
    )


def deliveries(
    session: Session, actor: Actor, *, state: str | None, after: int = 0
) -> tuple[Sequence[Delivery], int | None]:
    """Rows by key, a page at a time, and where the next page begins; `state` None: what needs a person.
    Raises NotAllowed.
    """
    labels = _labels(session, actor)
    states = (state,) if state in STATES else ("blocked", "dead", "unverified")
    found = outbox.entries(
        session, states=states, after_id=max(after, 0), limit=PAGE + 1, destinations=_only(actor, labels)
    )
    cells = grade_passback.cells(session, [entry.id for entry in found[:PAGE]])
    rows = [
        Delivery(entry, labels.get(entry.destination, entry.destination), cells.get(entry.id))
        for entry in found[:PAGE]
    ]
    return rows, found[PAGE - 1].id if len(found) > PAGE else None


def send_again(session: Session, actor: Actor, row_id: int, now: datetime) -> None:
    """Send one row again. Raises NotAllowed, NotFound, OperationRefused."""
    row = session.get(OutboxRow, row_id)
    labels = _labels(session, actor)
    if row is None or not (is_of_all(actor) or row.destination in labels):
        raise NotFound("no_such_delivery", _REFUSALS["unknown"])
    try:
        outbox.retry(session, row_id, now=now)
    except outbox.RetryRefused as refused:
        raise OperationRefused(f"delivery_{refused.code}", _REFUSALS[refused.code]) from refused
    record_sending(session, actor, "delivery_retried", ("outbox", row_id), now)


def send_stopped(session: Session, actor: Actor, destination: str | None, now: datetime) -> int:
    """Send everything again that stopped, to one destination or to all of the actor's; how many. Raises
    NotAllowed, NotFound.
    """
    labels = _labels(session, actor)
    chosen = _only(actor, labels) if destination is None else [_known(labels, destination)]
    count = outbox.retry_all(session, now=now, destinations=chosen)
    record_sending(
        session, actor, "deliveries_retried", ("outbox_destination", destination or "all"), now, count
    )
    return count


def stop(session: Session, actor: Actor, destination: str, now: datetime) -> None:
    """Send nothing there until somebody starts it again; everything is kept. Raises NotAllowed, NotFound."""
    _known(_labels(session, actor), destination)
    outbox.stop_destination(session, destination)
    record_sending(session, actor, "destination_stopped", ("outbox_destination", destination), now)


def start(session: Session, actor: Actor, destination: str, now: datetime) -> None:
    """Send there again, at once. Raises NotAllowed, NotFound, OperationRefused (a platform shut out)."""
    _known(_labels(session, actor), destination)
    if is_shut_out(session, destination):
        raise OperationRefused(
            "platform_shut_out", "This platform is shut out. Let it in under Platforms; its grades follow."
        )
    outbox.start_destination(session, destination)
    record_sending(session, actor, "destination_started", ("outbox_destination", destination), now)


def is_shut_out(session: Session, destination: str) -> bool:
    """Whether it is a platform that may not be talked to at all."""
    shut = session.scalars(select(Registration.id).where(Registration.state != "approved"))
    return destination in {grade_passback.destination_of(row_id) for row_id in shut}


def _labels(session: Session, actor: Actor) -> dict[str, str]:
    """The destinations that an operator answers for, by name."""
    require_operator(actor)
    rows = session.execute(
        select(Registration.id, Registration.name)
        .where(own_platforms(actor))
        .order_by(Registration.name)
        .limit(_MOST)
    )
    labels = {grade_passback.destination_of(row_id): name for row_id, name in rows}
    if not is_of_all(actor):
        return labels
    hosts = session.execute(select(BackpackHost.id, BackpackHost.name).order_by(BackpackHost.id).limit(_MOST))
    backpacks = {destination_of(host_id): f"Backpacks at {name}" for host_id, name in hosts}
    own = {"local": "This tool's own work", lifecycle.DESTINATION: "Badges", notifying.MAIL: "Mail server"}
    return labels | own | backpacks


def _only(actor: Actor, labels: Mapping[str, str]) -> list[str] | None:
    return None if is_of_all(actor) else list(labels)


def _known(labels: Mapping[str, str], destination: str) -> str:
    if destination not in labels:
        raise NotFound("no_such_destination", "There is no such destination for you here.")
    return destination


def record_sending(
    session: Session,
    actor: Actor,
    action: str,
    subject: tuple[str, int | str],
    now: datetime,
    count: int | None = None,
) -> None:
    """Put on record that somebody had deliveries sent again, stopped or started, and how many."""
    detail = {} if count is None else {"count": count}
    audit.record(session, at=now, actor_id=actor.own_id, action=action, subject=subject, detail=detail)
