"""What an approver reads: the recommendations that wait, and one of them with ratings, comments and name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased, contains_eager

from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.models import (
    Attempt,
    Award,
    Credential,
    CredentialVersion,
    Decision,
    Pursuit,
    Review,
)
from microcred.operations.access import Access, require
from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed
from microcred.operations.reading_flags import Flag, flags_of
from microcred.operations.reading_queue import later_than
from microcred.operations.reading_review import Given, earlier_try, find_attempt, ratings_of
from microcred.operations.reading_work import PartWork, read_work
from microcred.people.models import Person
from microcred.placements.models import Placement

LIST_PAGE = 25
NAMELESS = "A teacher whose name the course did not share"


@dataclass(frozen=True)
class Waiting:
    """A recommendation that waits for a decision."""

    public_id: str
    name: str
    definition: Definition
    number: int
    recommendation: str
    differ: bool
    """Whether reviewers came to different results."""
    due_at: datetime


@dataclass(frozen=True)
class WaitingList:
    """A page of them, disagreements first, then due soonest; `after` opens the next page."""

    rows: tuple[Waiting, ...]
    after: str | None


@dataclass(frozen=True)
class Reading:
    """One reviewer's finished reading."""

    recommendation: str
    ratings: Mapping[str, Given]
    private_note: str
    place: str
    because: str | None
    """Why a second or third reading was asked for."""


@dataclass(frozen=True)
class Case:
    """All that a decision rests on."""

    public_id: str
    name: str
    alias: str
    definition: Definition
    number: int
    state: str
    due_at: datetime | None
    readings: tuple[Reading, ...]
    parts: tuple[PartWork, ...]
    locked_parts: frozenset[str]
    grade_scheme: str
    is_test: bool
    decision: str | None
    """What was decided last, if this try has been decided."""
    award_public_id: str | None
    flags: tuple[Flag, ...]


def waiting_list(session: Session, actor: Actor, *, after: str | None = None) -> WaitingList:
    """Recommendations that the actor may decide, disagreements first, a page at a time."""
    owner = aliased(Person)
    newest = (
        select(func.max(Review.id))
        .where(Review.attempt_id == Attempt.id, Review.finished_at.is_not(None))
        .correlate(Attempt)
        .scalar_subquery()
    )
    query = (
        select(Attempt, owner, Review.recommendation)
        .join(Attempt.pursuit)
        .join(Pursuit.version)
        .join(CredentialVersion.credential)
        .join(owner, owner.id == Pursuit.person_id)
        .join(Review, Review.id == newest)
        .options(
            contains_eager(Attempt.pursuit)
            .contains_eager(Pursuit.version)
            .contains_eager(CredentialVersion.credential)
        )
        .where(
            Attempt.state == "recommended",
            Credential.issuer_id.in_(actor.organizations("approver")),
            func.coalesce(owner.merged_into_id, owner.id) != actor.person_id,
            ~_reviewed_by(actor.person_ids),
            *_further_down(session, after),
        )
        .order_by(Attempt.readings_differ.desc(), Attempt.decision_due_at, Attempt.id)
        .limit(LIST_PAGE + 1)
    )
    found = session.execute(query).all()
    rows = tuple(
        Waiting(
            public_id=attempt.public_id,
            name=display_name(person),
            definition=definition_of(session, attempt.pursuit.version),
            number=attempt.number,
            recommendation=recommendation,
            differ=attempt.readings_differ,
            due_at=attempt.decision_due_at or attempt.created_at,
        )
        for attempt, person, recommendation in found[:LIST_PAGE]
        if recommendation is not None  # as the query has it
    )
    return WaitingList(rows, rows[-1].public_id if len(found) > LIST_PAGE else None)


def _further_down(session: Session, after: str | None) -> Sequence[ColumnElement[bool]]:
    """Conditions for what comes after one of the list; none where it is unknown."""
    later = later_than(session, after)
    if not later:
        return ()
    differs = session.scalar(select(Attempt.readings_differ).where(Attempt.public_id == after))
    same = and_(Attempt.readings_differ.is_(bool(differs)), *later)
    return (or_(Attempt.readings_differ.is_(False), same) if differs else same,)


def case(session: Session, actor: Actor, public_id: str) -> Case:
    """What the actor decides about. Raises NotFound, NotAllowed."""
    attempt = find_attempt(session, public_id)
    require_decider(session, actor, attempt)
    return case_of(session, attempt)


def case_of(session: Session, attempt: Attempt) -> Case:
    """The case of a try that `find_attempt` gave, for somebody whose right has been checked."""
    pursuit = attempt.pursuit
    definition = definition_of(session, pursuit.version)
    owner = session.get_one(Person, pursuit.person_id)
    decision = session.scalar(
        select(Decision).where(Decision.attempt_id == attempt.id).order_by(Decision.id.desc()).limit(1)
    )
    award = (
        session.scalar(select(Award).where(Award.decision_id == decision.id))
        if decision is not None
        else None
    )
    return Case(
        public_id=attempt.public_id,
        name=display_name(owner),
        alias=pursuit.alias,
        definition=definition,
        number=attempt.number,
        state=attempt.state,
        due_at=attempt.decision_due_at,
        readings=_readings(session, attempt),
        parts=read_work(session, attempt, definition, earlier=earlier_try(session, attempt)),
        locked_parts=frozenset(attempt.locked_parts),
        grade_scheme=session.get_one(Placement, pursuit.placement_id).grade_scheme,
        is_test=pursuit.is_test,
        decision=decision.kind if decision is not None else None,
        award_public_id=award.public_id if award is not None else None,
        flags=flags_of(session, attempt),
    )


def display_name(person: Person) -> str:
    """The person's name, or what to say where the LMS gives none."""
    composed = " ".join(name for name in (person.given_name, person.family_name) if name)
    return person.name or composed or NAMELESS


def _readings(session: Session, attempt: Attempt) -> tuple[Reading, ...]:
    reviews = session.scalars(
        select(Review)
        .where(Review.attempt_id == attempt.id, Review.finished_at.is_not(None))
        .order_by(Review.id)
    )
    return tuple(
        Reading(
            recommendation=review.recommendation or "",
            ratings=ratings_of(session, review),
            private_note=review.private_note,
            place=review.place,
            because=review.asked_because,
        )
        for review in reviews
    )


def require_decider(session: Session, actor: Actor, attempt: Attempt) -> None:
    """Whether the actor may decide about the try. Raises NotFound, NotAllowed.

    Whoever reviewed any try of the pursuit does not: kept ratings of an earlier try are part of the decision.
    """
    require(session, actor, attempt, Access.DECIDE)
    if actor.person_ids & reviewers_of_pursuit(session, attempt):
        raise NotAllowed(
            "reviewed_it", "You reviewed this teacher's work, so somebody else decides about it."
        )


def reviewers_of_pursuit(session: Session, attempt: Attempt) -> frozenset[int]:
    """Everybody who was given this or an earlier try of the pursuit to review."""
    return frozenset(
        session.scalars(
            select(Review.reviewer_id)
            .join(Attempt, Attempt.id == Review.attempt_id)
            .where(Attempt.pursuit_id == attempt.pursuit_id)
        )
    )


def _reviewed_by(person_ids: Collection[int]) -> ColumnElement[bool]:
    own, tries = aliased(Review), aliased(Attempt)
    return (
        select(own.id)
        .join(tries, tries.id == own.attempt_id)
        .where(tries.pursuit_id == Attempt.pursuit_id, own.reviewer_id.in_(person_ids))
        .exists()
    )
