"""Who reads a try: nobody in conflict, nobody out of practice, and of the others whoever is least busy.

`Chance` is randomness passed in: each call gives a number from 0 up to, but not including, 1.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.models import CourseStaff, Launch, Registration
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Decision, Pursuit, Review
from microcred.credentials.review_models import ReviewConflict, ReviewerPoolMember
from microcred.credentials.steps import CLOSED, State
from microcred.operations import calibrated
from microcred.people import canonical_id, canonical_ids, holders, ids_of, policies
from microcred.people.models import LmsIdentity, Person, RoleGrant
from microcred.placements import Placement

Chance = Callable[[], float]
_STAFF = frozenset({"see_progress", "place"})
_NOBODYS = tuple(state for state in State if state in CLOSED or state in (State.WITHDRAWN, State.DRAFT))


@dataclass(frozen=True)
class Bar:
    """Why somebody does not read a try: a code, and words for them."""

    code: str
    message: str


OWN_WORK = Bar("own_work", "This is your own work, so somebody else reads it.")
MET_THE_NAME = Bar(
    "met_the_name", "You decided about this work before and know whose it is, so somebody else reads it."
)
HAD_IT = Bar("had_it", "This was with you before and somebody else reads it now.")
CONFLICT = Bar("conflict", "You said that you know whose work this is, so somebody else reads it.")
COURSE_STAFF = Bar("course_staff", "You work in the course this comes from, so somebody else reads it.")
SAME_ORGANIZATION = Bar(
    "same_organization", "This comes from an organization you belong to, so somebody from outside reads it."
)
OTHER_POOL = Bar("other_pool", "The course this comes from chose other reviewers.")
NOT_CALIBRATED = Bar(
    "not_calibrated", "Do a round of practice for this credential first. You find it under Practice."
)


@dataclass(frozen=True)
class _About:
    """What decides who may read a try."""

    attempt_id: int
    pursuit_id: int
    owner_id: int
    issuer_id: int
    credential_id: int
    context_id: int | None
    organization_id: int
    outside_reviewers: bool
    """The course asks for reviewers from outside its organization."""
    reviewer_pool_id: int | None
    """The reviewers whom the course chose, by name."""


def bar_for(session: Session, person_ids: Collection[int], attempt: Attempt, now: datetime) -> Bar | None:
    """What keeps one human, known by these ids, from reading the try; None if nothing does."""
    about = _about(session, attempt)
    human = canonical_id(session, next(iter(person_ids)))
    return _bars(session, about, {human: frozenset(person_ids)}, now).get(human)


def next_reader(session: Session, attempt: Attempt, now: datetime, chance: Chance) -> int | None:
    """The person to read the try next: of those who may, one with the fewest open reviews, drawn by `chance`
    where several have as few; None where there is nobody.
    """
    about = _about(session, attempt)
    humans = _reviewers(session, about.issuer_id, now)
    barred = _bars(session, about, humans, now)
    free = [human for human in humans if human not in barred]
    if not free:
        return None
    loads = open_reviews(session, [person for human in free for person in humans[human]])
    busy = {human: sum(loads.get(person, 0) for person in humans[human]) for human in free}
    fewest = min(busy.values())
    least = sorted(human for human, count in busy.items() if count == fewest)
    return least[int(chance() * len(least))]


def assign(
    session: Session, attempt: Attempt, reviewer_id: int, now: datetime, *, place: str, because: str | None
) -> Review:
    """Give the try to a reviewer, due when the decision is."""
    review = Review(
        attempt_id=attempt.id,
        reviewer_id=reviewer_id,
        due_at=attempt.decision_due_at or now,
        assigned_at=now,
        place=place,
        asked_because=because,
    )
    session.add(review)
    session.flush()
    return review


def release(review: Review, why: str, now: datetime) -> None:
    """Take an unfinished review from its reviewer; `why` is one of `models.RELEASED_BECAUSE`."""
    review.released_at, review.released_because = now, why


def active_reviews(session: Session, attempt: Attempt) -> Sequence[Review]:
    """The readings of the try that count, oldest first: those not taken from their reviewer."""
    return session.scalars(
        select(Review)
        .where(Review.attempt_id == attempt.id, Review.released_at.is_(None))
        .order_by(Review.id)
    ).all()


def open_reviews(session: Session, person_ids: Collection[int]) -> Mapping[int, int]:
    """How many tries each person has to read now."""
    rows = session.execute(
        select(Review.reviewer_id, func.count())
        .join(Attempt, Attempt.id == Review.attempt_id)
        .where(
            Review.reviewer_id.in_(person_ids),
            Review.finished_at.is_(None),
            Review.released_at.is_(None),
            Attempt.state.not_in(_NOBODYS),
        )
        .group_by(Review.reviewer_id)
    )
    return {row[0]: row[1] for row in rows}


def staffed_contexts(session: Session, person_ids: Collection[int]) -> frozenset[int]:
    """Courses that a human works in as staff, by their newest launch there or by the course's roster."""
    found = (*_staff(session, person_ids, None), *_staff_by_roster(session, person_ids, None))
    return frozenset(context for _, context in found)


def own_organizations(session: Session, person_ids: Collection[int]) -> frozenset[int]:
    """Organizations that a human belongs to: by their course system's account, or by an office."""
    return frozenset(organization for _, organization in _memberships(session, person_ids))


def pool_members(session: Session, pool_id: int) -> frozenset[int]:
    """The persons of a named pool."""
    query = select(ReviewerPoolMember.person_id).where(ReviewerPoolMember.pool_id == pool_id)
    return frozenset(session.scalars(query))


def own_pools(person_ids: Collection[int]) -> ColumnElement[bool]:
    """Whether the course of a query's placement chose no pool, or one with this human in it."""
    member = select(ReviewerPoolMember.pool_id).where(
        ReviewerPoolMember.pool_id == Placement.reviewer_pool_id,
        ReviewerPoolMember.person_id.in_(person_ids),
    )
    return or_(Placement.reviewer_pool_id.is_(None), member.exists())


def _reviewers(session: Session, issuer_id: int, now: datetime) -> dict[int, frozenset[int]]:
    """Every reviewer of the issuer who may come in, as one human, with all their ids."""
    found = canonical_ids(session, holders(session, "reviewer", issuer_id, now))
    active = session.scalars(select(Person.id).where(Person.id.in_(found), Person.state == "active"))
    return {human: ids_of(session, human) for human in sorted(active)}


def _about(session: Session, attempt: Attempt) -> _About:
    row = session.execute(
        select(
            Pursuit.id,
            Pursuit.person_id,
            Credential.issuer_id,
            Credential.id,
            Placement.context_id,
            Placement.organization_id,
            Placement.outside_reviewers,
            Placement.reviewer_pool_id,
        )
        .join(CredentialVersion, CredentialVersion.id == Pursuit.version_id)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .join(Placement, Placement.id == Pursuit.placement_id)
        .where(Pursuit.id == attempt.pursuit_id)
    ).one()
    pursuit_id, owner, issuer_id, credential_id, context_id, organization_id, outside, pool_id = row
    return _About(
        attempt.id,
        pursuit_id,
        canonical_id(session, owner),
        issuer_id,
        credential_id,
        context_id,
        organization_id,
        outside,
        pool_id,
    )


def _bars(
    session: Session, about: _About, humans: Mapping[int, frozenset[int]], now: datetime
) -> dict[int, Bar]:
    """What keeps each of `humans` (canonical id to all their ids) from reading the try."""
    whose = {person: human for human, persons in humans.items() for person in persons}
    barred: dict[int, Bar] = {}

    def bar(persons: Iterable[int], reason: Bar) -> None:
        for person in persons:
            if person in whose:
                barred.setdefault(whose[person], reason)

    bar([about.owner_id], OWN_WORK)
    bar(_deciders(session, about.pursuit_id), MET_THE_NAME)
    bar(session.scalars(select(Review.reviewer_id).where(Review.attempt_id == about.attempt_id)), HAD_IT)
    bar(
        session.scalars(
            select(ReviewConflict.reviewer_id).where(ReviewConflict.pursuit_id == about.pursuit_id)
        ),
        CONFLICT,
    )
    if about.context_id is not None:
        bar((person for person, _ in _staff(session, whose, about.context_id)), COURSE_STAFF)
        bar((person for person, _ in _staff_by_roster(session, whose, about.context_id)), COURSE_STAFF)
    if about.outside_reviewers or policies.reviewing_of(session, about.issuer_id).outside_only:
        members = _memberships(session, whose)
        bar((one for one, where in members if where == about.organization_id), SAME_ORGANIZATION)
    if about.reviewer_pool_id is not None:
        chosen = pool_members(session, about.reviewer_pool_id)
        bar((person for person in whose if not humans[whose[person]] & chosen), OTHER_POOL)
    closed = calibrated.not_calibrated(session, humans, about.credential_id, about.issuer_id, now)
    bar(closed, NOT_CALIBRATED)
    return barred


def _deciders(session: Session, pursuit_id: int) -> Iterable[int]:
    return session.scalars(
        select(Decision.decided_by_id)
        .join(Attempt, Attempt.id == Decision.attempt_id)
        .where(Attempt.pursuit_id == pursuit_id, Decision.kind != "request_revisions")
    )


def _staff(
    session: Session, person_ids: Collection[int], context_id: int | None
) -> Iterable[tuple[int, int]]:
    """(person, course) wherever the person's newest launch was that of staff."""
    newest = (
        select(func.max(Launch.id))
        .where(Launch.person_id.in_(person_ids), Launch.context_id.is_not(None))
        .group_by(Launch.person_id, Launch.context_id)
    )
    if context_id is not None:
        newest = newest.where(Launch.context_id == context_id)
    rows = session.execute(
        select(Launch.person_id, Launch.context_id, Launch.rights).where(Launch.id.in_(newest))
    )
    return [
        (person, context) for person, context, rights in rows if context is not None and _STAFF & set(rights)
    ]


def _staff_by_roster(
    session: Session, person_ids: Collection[int], context_id: int | None
) -> Iterable[tuple[int, int]]:
    """(person, course) wherever a roster calls the person staff; they may never have launched there."""
    query = (
        select(LmsIdentity.person_id, CourseStaff.context_id)
        .join(CourseStaff, CourseStaff.identity_id == LmsIdentity.id)
        .where(LmsIdentity.person_id.in_(person_ids))
    )
    if context_id is not None:
        query = query.where(CourseStaff.context_id == context_id)
    return [(person, context) for person, context in session.execute(query)]


def _memberships(session: Session, person_ids: Collection[int]) -> Iterable[tuple[int, int]]:
    accounts = session.execute(
        select(LmsIdentity.person_id, Registration.organization_id)
        .join(Registration, Registration.id == LmsIdentity.registration_id)
        .where(LmsIdentity.person_id.in_(person_ids))
    )
    offices = session.execute(
        select(RoleGrant.person_id, RoleGrant.organization_id).where(
            RoleGrant.person_id.in_(person_ids),
            RoleGrant.organization_id.is_not(None),
            RoleGrant.role != "reviewer",
        )
    )
    rows = [*accounts, *offices]
    return [(person, organization) for person, organization in rows if organization is not None]
