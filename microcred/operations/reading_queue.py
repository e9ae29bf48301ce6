"""The queue of reviewers: what waits for them, due soonest first, a page at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased, contains_eager

from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.models import (
    Attempt,
    Credential,
    CredentialVersion,
    Decision,
    EvidenceItem,
    Pursuit,
    Response,
    Review,
)
from microcred.credentials.review_models import ReviewConflict
from microcred.operations import assigning, calibrated
from microcred.operations.actor import Actor
from microcred.people import policies
from microcred.people.models import Person
from microcred.placements import Placement

QUEUE_PAGE = 25
WAITING = ("submitted", "checking")
"""States in which a try waits for its first reader."""
FREE = (*WAITING, "in_review")
"""States in which a try that nobody has is free to take: the second and third reading are assigned."""
READING = ("in_review", "second_review", "adjudication", "returned_to_reviewer")
"""States in which an assigned reviewer works."""


@dataclass(frozen=True)
class QueueRow:
    """A try that waits for this reviewer, or for any."""

    public_id: str
    alias: str
    definition: Definition
    number: int
    words: int
    items: int
    due_at: datetime
    mine: bool
    started: bool
    returned: bool
    """Sent back by the approver."""
    place: str
    """`first`, `second` or `third` reading."""


@dataclass(frozen=True)
class Queue:
    """A page of the queue, due soonest first; `after` opens the next page."""

    rows: tuple[QueueRow, ...]
    after: str | None


def queue(session: Session, actor: Actor, now: datetime, *, after: str | None = None) -> Queue:
    """What the actor may review now, due soonest first, a page at a time; `after` is from the page before.

    Their own unfinished readings, and what is free to take and nothing keeps them from (`assigning.Bar`).
    """
    owner = aliased(Person)
    anybodys = aliased(Review)
    taken = (
        select(anybodys.id)
        .where(
            anybodys.attempt_id == Attempt.id,
            or_(anybodys.released_at.is_(None), anybodys.reviewer_id.in_(actor.person_ids)),
        )
        .exists()
    )
    free = and_(Attempt.state.in_(FREE), ~taken, *_no_bar(session, actor, now))
    mine = and_(
        Review.attempt_id == Attempt.id,
        Review.reviewer_id.in_(actor.person_ids),
        Review.finished_at.is_(None),
        Review.released_at.is_(None),
    )
    query = (
        select(Attempt, Review)
        .join(Attempt.pursuit)
        .join(Pursuit.version)
        .join(CredentialVersion.credential)
        .join(owner, owner.id == Pursuit.person_id)
        .join(Placement, Placement.id == Pursuit.placement_id)
        .outerjoin(Review, mine)
        .options(
            contains_eager(Attempt.pursuit)
            .contains_eager(Pursuit.version)
            .contains_eager(CredentialVersion.credential)
        )
        .where(
            Attempt.state.in_((*WAITING, *READING)),
            or_(Review.id.is_not(None), free),
            Credential.issuer_id.in_(actor.organizations("reviewer")),
            func.coalesce(owner.merged_into_id, owner.id) != actor.person_id,
            ~decided_in_pursuit(actor.person_ids),
            *later_than(session, after),
        )
        .order_by(Attempt.decision_due_at, Attempt.id)
        .limit(QUEUE_PAGE + 1)
    )
    found = session.execute(query).all()
    shown = found[:QUEUE_PAGE]
    words, items = sizes(session, [attempt for attempt, _ in shown])
    rows = tuple(
        QueueRow(
            public_id=attempt.public_id,
            alias=attempt.pursuit.alias,
            definition=definition_of(session, attempt.pursuit.version),
            number=attempt.number,
            words=words.get(attempt.id, 0),
            items=items.get(attempt.id, 0),
            due_at=attempt.decision_due_at or attempt.created_at,
            mine=review is not None,
            started=review is not None and review.started_at is not None,
            returned=attempt.state == "returned_to_reviewer",
            place=review.place if review is not None else "first",
        )
        for attempt, review in shown
    )
    return Queue(rows, rows[-1].public_id if len(found) > QUEUE_PAGE else None)


def _no_bar(session: Session, actor: Actor, now: datetime) -> Sequence[ColumnElement[bool]]:
    """What nothing keeps the actor from reading: the query's form of `assigning.bar_for`."""
    issuers = actor.organizations("reviewer")
    outside = [one for one in issuers if policies.reviewing_of(session, one).outside_only]
    declared = select(ReviewConflict.id).where(
        ReviewConflict.pursuit_id == Attempt.pursuit_id, ReviewConflict.reviewer_id.in_(actor.person_ids)
    )
    conditions = [~declared.exists(), assigning.own_pools(actor.person_ids)]
    if contexts := assigning.staffed_contexts(session, actor.person_ids):
        conditions.append(or_(Placement.context_id.is_(None), Placement.context_id.not_in(contexts)))
    if closed := calibrated.closed_credentials(session, actor.person_ids, issuers, now):
        conditions.append(Credential.id.not_in(closed))
    if own := assigning.own_organizations(session, actor.person_ids):
        anybody = and_(Credential.issuer_id.not_in(outside), ~Placement.outside_reviewers)
        conditions.append(or_(anybody, Placement.organization_id.not_in(own)))
    return conditions


def decided_in_pursuit(person_ids: Collection[int]) -> ColumnElement[bool]:
    """Whether a human, known by these ids, decided about any try of the pursuit: they have met the name
    behind the alias.
    """
    tries = aliased(Attempt)
    return (
        select(Decision.id)
        .join(tries, tries.id == Decision.attempt_id)
        .where(
            tries.pursuit_id == Attempt.pursuit_id,
            Decision.decided_by_id.in_(person_ids),
            Decision.kind != "request_revisions",
        )
        .exists()
    )


def later_than(session: Session, after: str | None) -> Sequence[ColumnElement[bool]]:
    """Conditions for the tries after one of them, in order of due date; none where it is unknown."""
    last = session.scalar(select(Attempt).where(Attempt.public_id == after)) if after else None
    if last is None:
        return ()
    later = Attempt.decision_due_at > last.decision_due_at
    return (or_(later, and_(Attempt.decision_due_at == last.decision_due_at, Attempt.id > last.id)),)


def sizes(session: Session, attempts: Sequence[Attempt]) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """Words and evidence items to read of each try; parts kept from an earlier try are not counted."""
    locked = {attempt.id: set(attempt.locked_parts) for attempt in attempts}
    words = dict.fromkeys(locked, 0)
    items = dict.fromkeys(locked, 0)
    answers = (
        select(Response.attempt_id, Response.part_id, func.sum(Response.words))
        .where(Response.attempt_id.in_(locked))
        .group_by(Response.attempt_id, Response.part_id)
    )
    evidence = (
        select(EvidenceItem.attempt_id, EvidenceItem.part_id, func.count())
        .where(EvidenceItem.attempt_id.in_(locked), EvidenceItem.removed_at.is_(None))
        .group_by(EvidenceItem.attempt_id, EvidenceItem.part_id)
    )
    for counts, query in ((words, answers), (items, evidence)):
        for attempt_id, part_id, number in session.execute(query):
            if part_id not in locked[attempt_id]:
                counts[attempt_id] += number
    return words, items
