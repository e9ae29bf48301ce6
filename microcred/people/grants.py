"""Offices: who holds which role in which organization, now."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from microcred.people.models import Organization, RoleGrant


@dataclass(frozen=True)
class Office:
    """A role held in an organization; `organization_id` is None only for an operator of the whole
    installation.
    """

    role: str
    organization_id: int | None


def offices_of(session: Session, person_ids: Collection[int], now: datetime) -> tuple[Office, ...]:
    """The offices that a human, known by these person ids, holds at `now`, in a stable order."""
    rows = session.execute(
        select(RoleGrant.role, RoleGrant.organization_id)
        .where(
            RoleGrant.person_id.in_(person_ids),
            RoleGrant.valid_from <= now,
            or_(RoleGrant.valid_to.is_(None), RoleGrant.valid_to > now),
        )
        .order_by(RoleGrant.role, RoleGrant.organization_id)
    )
    return tuple(dict.fromkeys(Office(role, organization_id) for role, organization_id in rows))


def holders(session: Session, role: str, organization_id: int, now: datetime) -> list[int]:
    """Ids of the persons who hold `role` in the organization at `now`."""
    return list(
        session.scalars(
            select(RoleGrant.person_id)
            .where(
                RoleGrant.role == role,
                RoleGrant.organization_id == organization_id,
                RoleGrant.valid_from <= now,
                or_(RoleGrant.valid_to.is_(None), RoleGrant.valid_to > now),
            )
            .order_by(RoleGrant.person_id)
        )
    )


def grant(
    session: Session,
    *,
    person_id: int,
    role: str,
    organization_id: int | None,
    now: datetime,
    by: int | None,
    until: datetime | None = None,
) -> None:
    """Give a person an office from now on; a grant that already stands is left as it is."""
    if Office(role, organization_id) in offices_of(session, [person_id], now):
        return
    session.add(
        RoleGrant(
            person_id=person_id,
            role=role,
            organization_id=organization_id,
            valid_from=now,
            valid_to=until,
            granted_by_id=by,
        )
    )
    session.flush()


def organization_by_code(session: Session, code: str) -> Organization | None:
    """The organization that data files call `code`."""
    return session.scalar(select(Organization).where(Organization.code == code))


def ensure_organization(session: Session, *, code: str, name: str, kind: str, now: datetime) -> Organization:
    """The organization called `code`, made if there is none."""
    found = organization_by_code(session, code)
    if found is None:
        found = Organization(code=code, name=name, kind=kind, created_at=now, policies={})
        session.add(found)
        session.flush()
    return found


def home_organization(session: Session, now: datetime) -> Organization:
    """The organization of whatever is registered without naming one, made if there is none."""
    return ensure_organization(session, code="home", name="This installation", kind="district", now=now)
