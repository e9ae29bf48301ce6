"""Reviewers under a name: an issuer's approvers put some of its reviewers together, a course chooses them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from microcred.credentials.review_models import ReviewerPool, ReviewerPoolMember
from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.operations.reading_decide import display_name
from microcred.people import audit, canonical_ids, holders
from microcred.people.models import Organization, Person
from microcred.placements import Placement

ANYBODY = {"all": "All who are trained", "outside": "From elsewhere only"}
"""Who may read the work of a course that chooses no pool by name."""
_NAMED = "pool:"
_LONGEST_NAME = 120
_MOST = 200


@dataclass(frozen=True)
class Readers:
    """Who may read a course's work: all of the issuer's, those from elsewhere, or a pool (row id)."""

    outside: bool = False
    pool_id: int | None = None


@dataclass(frozen=True)
class Pool:
    """A pool for the page of its issuer. `members` are public ids of persons."""

    public_id: str
    name: str
    members: frozenset[str]
    courses: int
    """How many placements chose it."""


@dataclass(frozen=True)
class IssuerPools:
    """An issuer with its pools, and its reviewers by public id and name."""

    code: str
    name: str
    reviewers: Mapping[str, str]
    pools: tuple[Pool, ...]


# -- for courses


def choices(session: Session, organization_id: int) -> dict[str, str]:
    """Key and label of what a course may choose: pools of the issuers whose credentials it may have too."""
    rows = session.execute(
        select(ReviewerPool.public_id, ReviewerPool.name, Organization.name)
        .join(Organization, Organization.id == ReviewerPool.issuer_id)
        .where(or_(Organization.shares_catalogue, Organization.id == organization_id))
        .order_by(Organization.name, ReviewerPool.name)
        .limit(_MOST)
    )
    return ANYBODY | {f"{_NAMED}{public_id}": f"{name} ({issuer})" for public_id, name, issuer in rows}


def readers_of(session: Session, key: str, issuer_ids: Collection[int], unchanged: str) -> Readers:
    """What a key of `choices` stands for. Raises OperationRefused, with words that end in `unchanged`, for
    one that is none, and for a pool whose issuer is not that of all the credentials.
    """
    if key in ANYBODY:
        return Readers(outside=key == "outside")
    pool = _pool(session, key.removeprefix(_NAMED)) if key.startswith(_NAMED) else None
    if pool is None:
        raise OperationRefused("pool_unknown", f"Choose one of the reviewers' pools. {unchanged}")
    if set(issuer_ids) != {pool.issuer_id}:
        raise OperationRefused(
            "pool_of_another_issuer",
            f"The reviewers of “{pool.name}” read the credentials of their own issuer alone. Choose other"
            f" reviewers, or add the other credentials by themselves. {unchanged}",
        )
    return Readers(pool_id=pool.id)


def key_of(session: Session, placement: Placement) -> str:
    """The key of `choices` that a placement is set to."""
    if placement.reviewer_pool_id is not None:
        return f"{_NAMED}{session.get_one(ReviewerPool, placement.reviewer_pool_id).public_id}"
    return "outside" if placement.outside_reviewers else "all"


def readers_in(session: Session, key: str, now: datetime) -> tuple[str, int] | None:
    """Name and number of reviewers of the pool that a key names; None where it names none."""
    pool = _pool(session, key.removeprefix(_NAMED)) if key.startswith(_NAMED) else None
    if pool is None:
        return None
    active = canonical_ids(session, holders(session, "reviewer", pool.issuer_id, now))
    members = select(ReviewerPoolMember.person_id).where(ReviewerPoolMember.pool_id == pool.id)
    return pool.name, len(active & canonical_ids(session, session.scalars(members).all()))


# -- for the issuer


def managed(session: Session, actor: Actor, now: datetime) -> tuple[IssuerPools, ...]:
    """The pools of every issuer that the actor decides for. Raises NotAllowed."""
    issuers = session.scalars(
        select(Organization).where(Organization.id.in_(_own_issuers(actor))).order_by(Organization.name)
    )
    return tuple(_managed(session, issuer, now) for issuer in issuers)


def save(
    session: Session,
    actor: Actor,
    *,
    issuer: str,
    public_id: str | None,
    name: str,
    members: Collection[str],
    now: datetime,
) -> None:
    """Make a pool of the issuer (its code), or change the one with `public_id`; `members` are public ids of
    the issuer's reviewers, others are left out. Raises NotAllowed, NotFound, OperationRefused.
    """
    owner = session.scalar(
        select(Organization).where(Organization.code == issuer, Organization.id.in_(_own_issuers(actor)))
    )
    pool = _pool(session, public_id) if public_id is not None else None
    if owner is None or (public_id is not None and (pool is None or pool.issuer_id != owner.id)):
        raise NotFound("no_such_pool", "There is no such pool for you here.")
    name = " ".join(name.split())[:_LONGEST_NAME]
    people = {key: person for key, person in _reviewers(session, owner.id, now).items() if key in members}
    if not name or not people:
        raise OperationRefused(
            "pool_incomplete", "A pool needs a name and at least one reviewer. Nothing was changed."
        )
    same = select(ReviewerPool.id).where(ReviewerPool.issuer_id == owner.id, ReviewerPool.name == name)
    if session.scalar(same) not in (None, pool.id if pool is not None else None):
        raise OperationRefused("pool_name_taken", "Another pool has this name. Nothing was changed.")
    if pool is None:
        pool = ReviewerPool(issuer_id=owner.id, created_at=now)
    pool.name = name
    session.add(pool)
    session.flush()
    session.execute(delete(ReviewerPoolMember).where(ReviewerPoolMember.pool_id == pool.id))
    session.add_all(
        ReviewerPoolMember(pool_id=pool.id, person_id=person.id, added_at=now) for person in people.values()
    )
    _record(session, actor, "reviewer_pool_saved", pool, now, len(people))


def remove(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Take a pool away that no course has chosen. Raises NotAllowed, NotFound, OperationRefused."""
    own, pool = _own_issuers(actor), _pool(session, public_id)
    if pool is None or pool.issuer_id not in own:
        raise NotFound("no_such_pool", "There is no such pool for you here.")
    if _courses(session, pool.id):
        raise OperationRefused(
            "pool_in_use", "Courses have chosen this pool, so it stays. Change who is in it instead."
        )
    session.execute(delete(ReviewerPoolMember).where(ReviewerPoolMember.pool_id == pool.id))
    session.delete(pool)
    _record(session, actor, "reviewer_pool_removed", pool, now, 0)


def _own_issuers(actor: Actor) -> frozenset[int]:
    issuers = actor.organizations("approver")
    if not issuers:
        raise NotAllowed("not_yours", "Only approvers of an issuing organization put its reviewers together.")
    return issuers


def _pool(session: Session, public_id: str) -> ReviewerPool | None:
    return session.scalar(select(ReviewerPool).where(ReviewerPool.public_id == public_id))


def _managed(session: Session, issuer: Organization, now: datetime) -> IssuerPools:
    reviewers = _reviewers(session, issuer.id, now)
    keys = {person.id: key for key, person in reviewers.items()}
    rows = session.scalars(
        select(ReviewerPool).where(ReviewerPool.issuer_id == issuer.id).order_by(ReviewerPool.name)
    )
    found = []
    for row in rows:
        ids = session.scalars(
            select(ReviewerPoolMember.person_id).where(ReviewerPoolMember.pool_id == row.id)
        ).all()
        members = frozenset(keys[one] for one in canonical_ids(session, ids) if one in keys)
        found.append(Pool(row.public_id, row.name, members, _courses(session, row.id)))
    names = {key: display_name(person) for key, person in reviewers.items()}
    return IssuerPools(issuer.code, issuer.name, names, tuple(found))


def _reviewers(session: Session, issuer_id: int, now: datetime) -> dict[str, Person]:
    """The issuer's reviewers, each human once, by public id."""
    ids = canonical_ids(session, holders(session, "reviewer", issuer_id, now))
    people = session.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.name, Person.id))
    return {person.public_id: person for person in people}


def _courses(session: Session, pool_id: int) -> int:
    query = select(func.count()).select_from(Placement).where(Placement.reviewer_pool_id == pool_id)
    return session.scalar(query) or 0


def _record(
    session: Session, actor: Actor, action: str, pool: ReviewerPool, now: datetime, members: int
) -> None:
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action=action,
        subject=("reviewer_pool", pool.public_id),
        detail={"members": members},
    )
