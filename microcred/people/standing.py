"""Suspending a person and letting them in again. Every request looks the state up, so it holds at once."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.people import audit
from microcred.people.linked import ids_of
from microcred.people.models import Person


class PersonErased(Exception):
    """The person was erased: nothing is left to change."""


def suspend(session: Session, person_id: int, *, now: datetime, by: int | None) -> None:
    """Close every page and desk of this human, whichever system they come from. Raises PersonErased."""
    _set_state(session, person_id, "suspended", "person.suspend", now, by)


def restore(session: Session, person_id: int, *, now: datetime, by: int | None) -> None:
    """Let a suspended human in again. Raises PersonErased."""
    _set_state(session, person_id, "active", "person.restore", now, by)


def _set_state(
    session: Session, person_id: int, state: str, action: str, now: datetime, by: int | None
) -> None:
    people = session.scalars(
        select(Person).where(Person.id.in_(ids_of(session, person_id))).order_by(Person.id).with_for_update()
    ).all()
    if any(person.state == "erased" for person in people):
        raise PersonErased
    for person in people:
        if person.state == state:
            continue
        before, person.state = person.state, state
        audit.record(
            session,
            at=now,
            actor_id=by,
            action=action,
            subject=("person", person.id),
            before=before,
            after=state,
        )
    session.flush()
