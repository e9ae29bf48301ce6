"""People as operators see them: finding one, suspending, undoing links, answering wishes to be erased.

Every change writes an audit event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from lti_tool.models import Launch, Registration
from microcred import outbox
from microcred.operations import linking, privacy
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.operating import PAGE, own_people, own_platforms, require_operator
from microcred.operations.privacy import Erasing, Grades
from microcred.people import audit, canonical_id, ids_of, standing
from microcred.people.models import AuditEvent, EraseRequest, LmsIdentity, Organization, Person, RoleGrant

_HISTORY = (
    "person.link",
    "person.unlink",
    "person.suspend",
    "person.restore",
    "person.erase_asked",
    "person.erase_ask_taken_back",
    "person.erase_declined",
    "person.erase_begun",
    "person.erase_stopped",
    "person.erase",
    "person.export",
)


@dataclass(frozen=True)
class PersonRow:
    """A person in a list."""

    public_id: str
    name: str
    state: str
    identities: tuple[str, ...]
    """`<registration_id>:<sub>`, as the command line calls them."""
    places: tuple[str, ...]


@dataclass(frozen=True)
class Event:
    """A line of a person's history."""

    at: datetime
    action: str
    by: str
    """Empty where the system or the command line did it."""


@dataclass(frozen=True)
class PersonPage:
    """One human with every identity linked."""

    person: PersonRow
    linked: tuple[PersonRow, ...]
    """The other accounts of this human."""
    main_public_id: str
    """The account that the others point to."""
    offices: tuple[str, ...]
    last_seen: datetime | None
    history: tuple[Event, ...]
    request: EraseRequest | None
    queued_grades: int
    is_being_erased: bool
    is_self: bool


@dataclass(frozen=True)
class RequestRow:
    """A wish to be erased that waits for an answer."""

    person: PersonRow
    created_at: datetime
    keeps_badges: bool


def find_people(session: Session, actor: Actor, text: str) -> tuple[PersonRow, ...]:
    """People by `<registration_id>:<sub>`, by `sub` alone, or by their id here; at most PAGE.

    Raises NotAllowed.
    """
    require_operator(actor)
    wanted = text.strip()
    if not wanted:
        return ()
    head, _, tail = wanted.partition(":")
    known = select(LmsIdentity.person_id).join(Registration, Registration.id == LmsIdentity.registration_id)
    # By registration first, so that the index on (registration, sub) serves.
    own = select(Registration.id).where(own_platforms(actor))
    public_id = tail if head == "person" else wanted
    query = (
        select(Person)
        .where(
            or_(
                Person.id.in_(known.where(Registration.public_id == head, LmsIdentity.sub == tail)),
                Person.id.in_(known.where(LmsIdentity.registration_id.in_(own), LmsIdentity.sub == wanted)),
                Person.public_id == public_id,
            ),
            own_people(actor),
        )
        .order_by(Person.id)
        .limit(PAGE)
    )
    return tuple(_person_row(session, person) for person in session.scalars(query))


def person(session: Session, actor: Actor, public_id: str, now: datetime) -> PersonPage:
    """One human. Raises NotAllowed, NotFound."""
    row = _person(session, actor, public_id)
    ids = ids_of(session, row.id)
    everybody = session.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.id)).all()
    main = next(one for one in everybody if one.merged_into_id is None)
    offices = session.execute(
        select(RoleGrant.role, Organization.name)
        .outerjoin(Organization, Organization.id == RoleGrant.organization_id)
        .where(
            RoleGrant.person_id.in_(ids),
            RoleGrant.valid_from <= now,
            or_(RoleGrant.valid_to.is_(None), RoleGrant.valid_to > now),
        )
        .order_by(RoleGrant.id)
    )
    return PersonPage(
        person=_person_row(session, row),
        linked=tuple(_person_row(session, one) for one in everybody if one.id != row.id),
        main_public_id=main.public_id,
        offices=tuple(f"{role}, {name}" if name else role for role, name in offices),
        last_seen=session.scalar(select(func.max(Launch.created_at)).where(Launch.person_id.in_(ids))),
        history=_history(session, sorted(ids)),
        request=session.scalar(
            select(EraseRequest)
            .where(EraseRequest.person_id.in_(ids), EraseRequest.closed_at.is_(None))
            .limit(1)
        ),
        queued_grades=privacy.queued_grades(session, ids, now),
        is_being_erased=privacy.is_being_erased(session, row.id),
        is_self=row.id in actor.person_ids,
    )


def suspend(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Shut a person out at once. Raises NotAllowed, NotFound, OperationRefused."""
    row = _person(session, actor, public_id)
    if row.id in actor.person_ids:
        raise OperationRefused("yourself", "You cannot suspend yourself. Ask another operator.")
    try:
        standing.suspend(session, row.id, now=now, by=actor.own_id)
    except standing.PersonErased as erased:
        raise _erased() from erased


def restore(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Let a person in again; an erasure that still waits for grades is stopped."""
    let_in(session, _person(session, actor, public_id).id, by=actor.own_id, now=now)


def let_in(session: Session, person_id: int, *, by: int | None, now: datetime) -> None:
    """`restore` without asking who: for the command line. Raises OperationRefused."""
    try:
        standing.restore(session, person_id, now=now, by=by)
    except standing.PersonErased as erased:
        raise _erased() from erased
    root = canonical_id(session, person_id)
    if privacy.is_being_erased(session, root):
        outbox.cancel(session, now=now, subject=("person", str(root)))
        audit.record(session, at=now, actor_id=by, action="person.erase_stopped", subject=("person", root))


def unlink(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Undo the link of a person who was merged into another. Raises NotAllowed, NotFound."""
    row = _person(session, actor, public_id)
    if not linking.separate(session, row.id, by=actor.own_id, now=now):
        raise NotFound("not_linked", "This account is not linked any more. Nothing was changed.")


def erase(
    session: Session, actor: Actor, public_id: str, *, grades: Grades, keep_badges: bool, now: datetime
) -> Erasing:
    """Erase a human. Raises NotAllowed, NotFound, OperationRefused."""
    row = _person(session, actor, public_id)
    if row.id in actor.person_ids:
        raise OperationRefused("yourself", "You cannot erase yourself. Ask another operator.")
    return privacy.erase(session, row.id, grades=grades, keep_badges=keep_badges, by=actor.own_id, now=now)


def requests(session: Session, actor: Actor) -> tuple[RequestRow, ...]:
    """Wishes to be erased that wait, the oldest first. Raises NotAllowed."""
    require_operator(actor)
    rows = session.execute(
        select(EraseRequest, Person)
        .join(Person, Person.id == EraseRequest.person_id)
        .where(EraseRequest.closed_at.is_(None), own_people(actor))
        .order_by(EraseRequest.id)
        .limit(200)
    )
    return tuple(
        RequestRow(_person_row(session, row), request.created_at, request.keeps_badges)
        for request, row in rows
    )


def decline(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Answer a wish to be erased with no. Raises NotAllowed, NotFound."""
    ids = ids_of(session, _person(session, actor, public_id).id)
    for request in session.scalars(
        select(EraseRequest).where(EraseRequest.person_id.in_(ids), EraseRequest.closed_at.is_(None))
    ):
        privacy.decline_request(session, request, by=actor.own_id, now=now)


def _person(session: Session, actor: Actor, public_id: str) -> Person:
    require_operator(actor)
    row = session.scalar(select(Person).where(Person.public_id == public_id, own_people(actor)))
    if row is None:
        raise NotFound("no_such_person", "There is no such person for you here.")
    return row


def _person_row(session: Session, row: Person) -> PersonRow:
    known = session.execute(
        select(Registration.public_id, Registration.name, LmsIdentity.sub)
        .join(LmsIdentity, LmsIdentity.registration_id == Registration.id)
        .where(LmsIdentity.person_id == row.id)
        .order_by(LmsIdentity.id)
    ).all()
    composed = " ".join(name for name in (row.given_name, row.family_name) if name)
    return PersonRow(
        row.public_id,
        row.name or composed,
        row.state,
        tuple(f"{registration}:{sub}" for registration, _, sub in known),
        tuple(dict.fromkeys(name for _, name, _ in known)),
    )


def _history(session: Session, ids: Sequence[int]) -> tuple[Event, ...]:
    rows = session.execute(
        select(AuditEvent, Person.name)
        .outerjoin(Person, Person.id == AuditEvent.actor_id)
        .where(
            AuditEvent.subject_type == "person",
            AuditEvent.subject_id.in_([str(person_id) for person_id in ids]),
            AuditEvent.action.in_(_HISTORY),
        )
        .order_by(AuditEvent.id.desc())
        .limit(50)
    )
    return tuple(Event(event.at, event.action, name or "") for event, name in rows)


def _erased() -> OperationRefused:
    return OperationRefused("already_erased", "This person was erased; nothing is left to change.")
