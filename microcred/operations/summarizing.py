"""What is stored about a person, in numbers, for their privacy page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.models import Launch
from microcred.credentials.models import (
    Attempt,
    Award,
    CredentialVersion,
    EvidenceItem,
    EvidencePermission,
    Pursuit,
    Response,
    Review,
)
from microcred.operations.exporting import grade_rows, places_of
from microcred.people.models import (
    Organization,
    Person,
    RoleGrant,
)


@dataclass(frozen=True)
class Summary:
    """The same in numbers, for the privacy page."""

    names: tuple[str, ...]
    emails: tuple[str, ...]
    places: tuple[str, ...]
    """Course systems that know this person."""
    launches: int
    first_seen: datetime
    credentials: tuple[str, ...]
    answers: int
    files: int
    bytes: int
    grades: int
    awards: int
    reviews: int
    offices: tuple[str, ...]


def summary(session: Session, ids: Collection[int]) -> Summary:
    """What is stored about the human with these person ids."""
    people = session.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.id)).all()
    tries = (
        select(Attempt.id).join(Pursuit, Pursuit.id == Attempt.pursuit_id).where(Pursuit.person_id.in_(ids))
    )
    evidence = select(func.count(), func.coalesce(func.sum(EvidenceItem.size), 0)).where(
        EvidenceItem.attempt_id.in_(tries), EvidenceItem.removed_at.is_(None)
    )
    forms = (
        select(func.count(), func.coalesce(func.sum(EvidencePermission.form_size), 0))
        .join(Pursuit, Pursuit.id == EvidencePermission.pursuit_id)
        .where(Pursuit.person_id.in_(ids), EvidencePermission.form_key.is_not(None))
    )
    files, size = session.execute(evidence).one()
    form_files, form_size = session.execute(forms).one()
    titles = session.scalars(
        select(CredentialVersion.title)
        .join(Pursuit, Pursuit.version_id == CredentialVersion.id)
        .where(Pursuit.person_id.in_(ids))
        .order_by(Pursuit.id)
    )
    offices = session.execute(
        select(RoleGrant.role, Organization.name)
        .outerjoin(Organization, Organization.id == RoleGrant.organization_id)
        .where(RoleGrant.person_id.in_(ids))
        .order_by(RoleGrant.id)
    )
    return Summary(
        names=_distinct(person.name for person in people),
        emails=_distinct(person.email for person in people),
        places=tuple(dict.fromkeys(place for place, _ in places_of(session, ids))),
        launches=_count(session, select(Launch.id).where(Launch.person_id.in_(ids))),
        first_seen=min(person.created_at for person in people),
        credentials=tuple(dict.fromkeys(titles)),
        answers=_count(session, select(Response.id).where(Response.attempt_id.in_(tries))),
        files=files + form_files,
        bytes=int(size or 0) + int(form_size or 0),
        grades=_count(session, grade_rows(session, ids)),
        awards=_count(session, select(Award.id).where(Award.person_id.in_(ids))),
        reviews=_count(session, select(Review.id).where(Review.reviewer_id.in_(ids))),
        offices=tuple(dict.fromkeys(f"{role}, {name}" if name else role for role, name in offices)),
    )


def _count(session: Session, rows: Any) -> int:
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def _distinct(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
