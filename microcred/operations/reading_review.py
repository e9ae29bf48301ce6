"""What a reviewer reads of one try. Nothing here names the teacher; there is only an alias."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.models import (
    Attempt,
    CredentialVersion,
    Decision,
    EvidenceItem,
    Pursuit,
    Rating,
    Review,
)
from microcred.credentials.passing import Outcome, evaluate
from microcred.credentials.schema import Criterion, Part
from microcred.operations.access import Access, Relation, require
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.reading_queue import FREE, READING, WAITING, sizes
from microcred.operations.reading_work import Item, PartWork, read_work
from microcred.people import canonical_id


@dataclass(frozen=True)
class Given:
    """What the reviewer gave for a criterion so far."""

    level: str | None
    comment: str
    rated_at: datetime


@dataclass(frozen=True)
class Desk:
    """One try on the reviewer's desk."""

    public_id: str
    alias: str
    definition: Definition
    number: int
    state: str
    due_at: datetime
    parts: tuple[PartWork, ...]
    locked_parts: frozenset[str]
    ratings: Mapping[str, Given]
    """By criterion id; kept ratings of locked parts are among them."""
    outcome: Outcome
    private_note: str
    return_note: str
    """Why the approver sent it back; empty if they did not."""
    recommendation: str | None
    """Set when this review is finished."""
    place: str = "first"
    """`first`, `second` or `third` reading; they are independent of one another."""

    @property
    def is_open(self) -> bool:
        """Whether ratings can still be given."""
        return self.state in READING and self.recommendation is None

    @property
    def levels(self) -> Mapping[str, str]:
        """Level key by criterion id, where one was given."""
        return levels(self.ratings)

    @property
    def to_rate(self) -> tuple[tuple[Part, Criterion], ...]:
        """The criteria of this try: those of parts that are not kept."""
        return tuple(each for each in self.definition.criteria() if each[0].id not in self.locked_parts)

    @property
    def unrated(self) -> tuple[tuple[Part, Criterion], ...]:
        """Criteria that have no level yet."""
        return tuple(each for each in self.to_rate if each[1].id not in self.levels)

    @property
    def uncommented(self) -> tuple[tuple[Part, Criterion], ...]:
        """Criteria whose level does not pass and that say nothing to the teacher yet."""
        return uncommented(self.definition, self.locked_parts, self.ratings)

    @property
    def saved_at(self) -> datetime | None:
        """When something was last saved in this try's open parts."""
        moments = [
            given.rated_at
            for part in self.definition.parts
            if part.id not in self.locked_parts
            for criterion in part.criteria
            if (given := self.ratings.get(criterion.id)) is not None
        ]
        return max(moments, default=None)


@dataclass(frozen=True)
class Waiting:
    """A try that is free to take: what can be said of it before."""

    public_id: str
    alias: str
    definition: Definition
    number: int
    due_at: datetime
    words: int
    items: int
    first: bool
    """Whether nobody has begun to read it: then it may be looked through for completeness."""
    checking: bool
    """Whether the actor has taken it for that look."""


def waiting(session: Session, actor: Actor, public_id: str) -> Waiting | None:
    """The try if the actor could begin it now, None if it is on their desk already.

    Raises NotFound, NotAllowed, and OperationRefused (`taken`) when somebody else reads it.
    """
    attempt = find_attempt(session, public_id)
    review = review_of(session, actor, attempt)
    if review is not None:
        require(session, actor, attempt, Access.RATE)
        if review.started_at is not None and attempt.state not in WAITING:
            return None  # in those states it came back to the teacher meanwhile, and is begun again
    else:
        require(session, actor, attempt, Access.TAKE_REVIEW)
        others = session.scalar(
            select(Review.id).where(Review.attempt_id == attempt.id, Review.released_at.is_(None)).limit(1)
        )
        if others is not None or attempt.state not in FREE:
            raise OperationRefused(
                "taken", "This does not wait for a reviewer any more. Your queue shows what is free."
            )
    words, items = sizes(session, [attempt])
    return Waiting(
        public_id=attempt.public_id,
        alias=attempt.pursuit.alias,
        definition=definition_of(session, attempt.pursuit.version),
        number=attempt.number,
        due_at=attempt.decision_due_at or attempt.created_at,
        words=words[attempt.id],
        items=items[attempt.id],
        first=attempt.state in WAITING,
        checking=review is not None and attempt.state == "checking",
    )


def desk(session: Session, actor: Actor, public_id: str) -> Desk:
    """The try on its assigned reviewer's desk. Raises NotFound, NotAllowed."""
    attempt = find_attempt(session, public_id)
    require(session, actor, attempt, Access.RATE)
    review = review_of(session, actor, attempt)
    assert review is not None  # what `require` has just established
    definition = definition_of(session, attempt.pursuit.version)
    given = ratings_of(session, review)
    return Desk(
        public_id=attempt.public_id,
        alias=attempt.pursuit.alias,
        definition=definition,
        number=attempt.number,
        state=attempt.state,
        due_at=review.due_at,
        parts=read_work(session, attempt, definition, earlier=earlier_try(session, attempt)),
        locked_parts=frozenset(attempt.locked_parts),
        ratings=given,
        outcome=evaluate(definition, levels(given)),
        private_note=review.private_note,
        return_note=_return_note(session, attempt),
        recommendation=review.recommendation,
        place=review.place,
    )


@dataclass(frozen=True)
class Piece:
    """A piece of evidence for somebody who may open it."""

    row_id: int
    item: Item
    part_id: str
    part_number: int
    storage_key: str | None
    """None for a link, and for a file that is not ready."""
    url: str | None
    seen_as: Relation
    """Whether the actor looks at it as assigned reviewer, approver, appeal reader or for practice."""


_OPENING = (
    Relation.ASSIGNED_REVIEWER,
    Relation.APPROVER,
    Relation.APPEAL_READER,
    Relation.PRACTISING,
    Relation.OWNER,
)


def piece(session: Session, actor: Actor, public_id: str, item_id: str) -> Piece:
    """A piece of evidence for the assigned reviewer or the approver. Raises NotFound, NotAllowed."""
    attempt = find_attempt(session, public_id)
    held = require(session, actor, attempt, Access.OPEN_EVIDENCE)
    definition = definition_of(session, attempt.pursuit.version)
    row = session.scalar(
        select(EvidenceItem).where(
            EvidenceItem.public_id == item_id,
            EvidenceItem.attempt_id == attempt.id,
            EvidenceItem.removed_at.is_(None),
        )
    )
    works = read_work(session, attempt, definition)
    named = {item.public_id: item for work in works for item in work.items}
    if row is None or row.public_id not in named:
        raise NotFound("no_such_piece", "This piece of evidence is not here any more.")
    item = named[row.public_id]
    return Piece(
        row_id=row.id,
        item=item,
        part_id=row.part_id,
        part_number=definition.part(row.part_id).number,
        storage_key=item.storage_key if item.state == "ready" else None,
        url=row.url,
        seen_as=next(each for each in _OPENING if each in held),
    )


def find_attempt(session: Session, public_id: str, *, lock: bool = False) -> Attempt:
    """A try with pursuit, version and credential; locked against other writers if `lock`. Raises NotFound."""
    query = (
        select(Attempt)
        .join(Attempt.pursuit)
        .join(Pursuit.version)
        .join(CredentialVersion.credential)
        .options(
            contains_eager(Attempt.pursuit)
            .contains_eager(Pursuit.version)
            .contains_eager(CredentialVersion.credential)
        )
        .where(Attempt.public_id == public_id)
    )
    attempt = session.scalar(query.with_for_update(of=Attempt) if lock else query)
    if attempt is None:
        raise NotFound("no_such_try", "There is no such page for you here. Open it again from your queue.")
    return attempt


def review_of(session: Session, actor: Actor, attempt: Attempt) -> Review | None:
    """The actor's own review of the try, begun as whichever of their linked identities; None where it was
    given to somebody else.
    """
    return session.scalar(
        select(Review)
        .where(
            Review.attempt_id == attempt.id,
            Review.reviewer_id.in_(actor.person_ids),
            Review.released_at.is_(None),
        )
        .order_by((Review.reviewer_id != actor.own_id), Review.id)
        .limit(1)
    )


def ratings_of(session: Session, review: Review) -> dict[str, Given]:
    """What was given in a review, by criterion."""
    rows = session.scalars(select(Rating).where(Rating.review_id == review.id))
    return {row.criterion_id: Given(row.level, row.comment, row.rated_at) for row in rows}


def levels(given: Mapping[str, Given]) -> dict[str, str]:
    """The level keys alone, by criterion, as the passing rule wants them."""
    return {criterion_id: one.level for criterion_id, one in given.items() if one.level is not None}


def uncommented(
    definition: Definition, locked_parts: frozenset[str], given: Mapping[str, Given]
) -> tuple[tuple[Part, Criterion], ...]:
    """Criteria of open parts whose level does not pass and that say nothing to the teacher yet."""
    return tuple(
        (part, criterion)
        for part, criterion in definition.criteria()
        if part.id not in locked_parts
        and (one := given.get(criterion.id)) is not None
        and one.level is not None
        and not definition.level(criterion, one.level).passes
        and not one.comment.strip()
    )


def canonical_owner(session: Session, attempt: Attempt) -> int:
    """The person whose try it is; where two were merged, the one merged into."""
    return canonical_id(session, attempt.pursuit.person_id)


def earlier_try(session: Session, attempt: Attempt) -> Attempt | None:
    """The try before this one."""
    return session.scalar(
        select(Attempt).where(Attempt.pursuit_id == attempt.pursuit_id, Attempt.number == attempt.number - 1)
    )


def _return_note(session: Session, attempt: Attempt) -> str:
    note = session.scalar(
        select(Decision.reason)
        .where(Decision.attempt_id == attempt.id, Decision.kind == "return_to_reviewer")
        .order_by(Decision.id.desc())
        .limit(1)
    )
    return note or ""
