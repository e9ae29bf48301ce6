"""Two LMS identities of one human: `Person.merged_into_id`, and how reads follow it.

A linked person's rows stay theirs, so that undoing the link puts everything back; whoever asks "is this the
same human" or "what belongs to this human" asks here. Links are one step deep: a person is merged into one
that is merged into nobody.
"""

from collections.abc import Collection

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from microcred.people.models import Person


def canonical_id(session: Session, person_id: int) -> int:
    """The one id of this human: the person merged into, or the person itself."""
    merged_into = session.scalar(select(Person.merged_into_id).where(Person.id == person_id))
    return merged_into if merged_into is not None else person_id


def canonical_ids(session: Session, person_ids: Collection[int]) -> frozenset[int]:
    """`canonical_id` of several, as a set of humans."""
    wanted = set(person_ids)
    if not wanted:
        return frozenset()
    rows = session.execute(
        select(Person.id, Person.merged_into_id).where(
            Person.id.in_(wanted), Person.merged_into_id.is_not(None)
        )
    )
    merged: dict[int, int] = {person_id: into for person_id, into in rows if into is not None}
    return frozenset(merged.get(person_id, person_id) for person_id in wanted)


def ids_of(session: Session, person_id: int) -> frozenset[int]:
    """Every person id of this human, `person_id` among them."""
    canonical = (
        select(func.coalesce(Person.merged_into_id, Person.id))
        .where(Person.id == person_id)
        .scalar_subquery()
    )
    rows = session.scalars(
        select(Person.id).where(or_(Person.id == canonical, Person.merged_into_id == canonical))
    )
    return frozenset(rows) | {person_id}
