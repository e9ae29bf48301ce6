"""Everything stored about a person, for themselves: one JSON document and their files, as a zip.

Reading it is one short transaction; the files are then streamed from the store, however large they are.
"""

import json
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.models import Context, Launch, Registration
from microcred.badges.backpack.models import Backpack, BackpackHost
from microcred.badges.importing.models import ImportedBadge
from microcred.badges.models import HoldersChoice
from microcred.credentials.models import (
    Award,
    CredentialVersion,
    Pursuit,
    Review,
)
from microcred.operations.exporting_work import ExportFile, pursuit_data
from microcred.outbox import OutboxRow
from microcred.people import audit, canonical_id, ids_of
from microcred.people.models import (
    AuditEvent,
    ContactAddress,
    LmsIdentity,
    Notice,
    Organization,
    Person,
    RoleGrant,
)
from microcred.storage import FileMissing, Storage

DOCUMENT = "your-data.json"
_NEWEST_LAUNCHES = 1000
_NEWEST_NOTICES = 1000
_NEWEST_EVENTS = 5000


@dataclass(frozen=True)
class Export:
    """What is stored about one human."""

    document: dict[str, Any]
    files: tuple[ExportFile, ...]


def export(session: Session, person_id: int, *, by: int | None, now: datetime) -> Export:
    """Everything about the human, with every identity linked to them; put on record as an audit event."""
    ids = ids_of(session, person_id)
    files: list[ExportFile] = []
    document = {
        "made_at": now,
        "people": [_person(session, one) for one in _people(session, ids)],
        "launches": _launches(session, ids),
        "credentials": [
            pursuit_data(session, pursuit, files)
            for pursuit in session.scalars(
                select(Pursuit).where(Pursuit.person_id.in_(ids)).order_by(Pursuit.id)
            )
        ],
        "awards": [_award(session, award) for award in _awards(session, ids)],
        "grades_sent": _grades(session, ids),
        "reviews_of_others": _reviews(session, ids),
        "record_of_actions": _events(session, ids),
    }
    audit.record(
        session,
        at=now,
        actor_id=by,
        action="person.export",
        subject=("person", canonical_id(session, person_id)),
        detail={"files": len(files)},
    )
    return Export(document, tuple(files))


def archive(made: Export, storage: Storage) -> Iterator[bytes]:
    """The export as the bytes of a zip, piece by piece; a file that is gone is named in `missing.txt`."""
    sink = _Sink()
    missing = []
    with zipfile.ZipFile(sink, "w") as packed:
        text = json.dumps(made.document, indent=2, ensure_ascii=False, default=_plain)
        packed.writestr(DOCUMENT, text, compress_type=zipfile.ZIP_DEFLATED)
        for file in made.files:
            try:
                with packed.open(file.name, "w", force_zip64=True) as entry:
                    for chunk in storage.stream(file.storage_key, 0, file.size):
                        entry.write(chunk)
                        yield sink.taken()
            except FileMissing:
                missing.append(file.name)
        if missing:
            packed.writestr("missing.txt", "\n".join(missing))
    yield sink.taken()


class _Sink:
    """Where the zip is written: bytes wait here until they are taken."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        data, self._waiting = bytes(self._waiting), bytearray()
        return data


def _people(session: Session, ids: Collection[int]) -> Sequence[Person]:
    return session.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.id)).all()


def _person(session: Session, person: Person) -> dict[str, Any]:
    addresses = session.scalars(select(ContactAddress).where(ContactAddress.person_id == person.id))
    offices = session.execute(
        select(RoleGrant.role, Organization.name, RoleGrant.valid_from, RoleGrant.valid_to)
        .outerjoin(Organization, Organization.id == RoleGrant.organization_id)
        .where(RoleGrant.person_id == person.id)
        .order_by(RoleGrant.id)
    )
    return {
        "id": person.public_id,
        "name": person.name,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "email": person.email,
        "language": person.locale,
        "known_since": person.created_at,
        "course_systems": [
            {"system": place, "user_id": sub} for place, sub in places_of(session, [person.id])
        ],
        "addresses": [{"address": one.address, "confirmed_at": one.confirmed_at} for one in addresses],
        "offices": [
            {"role": role, "organization": name, "from": start, "to": end}
            for role, name, start, end in offices
        ],
        "notices": _notices(session, person.id),
        "backpacks": _backpacks(session, person.id),
        "badges_from_elsewhere": _from_elsewhere(session, person.id),
    }


def _backpacks(session: Session, person_id: int) -> list[dict[str, Any]]:
    """Where badges go, without the keys to it."""
    rows = session.execute(
        select(BackpackHost.address, Backpack.state, Backpack.sends_by_itself, Backpack.connected_at)
        .join(BackpackHost, BackpackHost.id == Backpack.host_id)
        .where(Backpack.person_id == person_id)
        .order_by(Backpack.id)
    )
    return [
        {"address": address, "state": state, "sends_by_itself": by_itself, "connected_at": at}
        for address, state, by_itself, at in rows
    ]


def _from_elsewhere(session: Session, person_id: int) -> list[dict[str, Any]]:
    """Badges of other issuers, as they were handed in."""
    rows = session.scalars(
        select(ImportedBadge).where(ImportedBadge.person_id == person_id).order_by(ImportedBadge.id)
    )
    return [
        {"name": row.name, "issuer": row.issuer_name, "standing": row.standing, "badge": row.document}
        for row in rows
    ]


def _notices(session: Session, person_id: int) -> list[dict[str, Any]]:
    """The newest ones, newest first."""
    rows = session.execute(
        select(Notice.created_at, Notice.title, Notice.body, Notice.mail == "sent")
        .where(Notice.person_id == person_id)
        .order_by(Notice.id.desc())
        .limit(_NEWEST_NOTICES)
    )
    return [{"at": at, "title": title, "text": body, "mailed": mailed} for at, title, body, mailed in rows]


def places_of(session: Session, ids: Collection[int]) -> list[tuple[str, str]]:
    """Course systems that know a human, and how each names them."""
    rows = session.execute(
        select(Registration.name, LmsIdentity.sub)
        .join(LmsIdentity, LmsIdentity.registration_id == Registration.id)
        .where(LmsIdentity.person_id.in_(ids))
        .order_by(LmsIdentity.id)
    )
    return [(name, sub) for name, sub in rows]


def _launches(session: Session, ids: Collection[int]) -> list[dict[str, Any]]:
    """The newest ones, newest first."""
    rows = session.execute(
        select(Launch.created_at, Registration.name, Context.title, Launch.message_type, Launch.rights)
        .join(Registration, Registration.id == Launch.registration_id)
        .outerjoin(Context, Context.id == Launch.context_id)
        .where(Launch.person_id.in_(ids))
        .order_by(Launch.id.desc())
        .limit(_NEWEST_LAUNCHES)
    )
    return [
        {"at": at, "system": name, "course": title, "message": message, "rights": rights}
        for at, name, title, message, rights in rows
    ]


def _awards(session: Session, ids: Collection[int]) -> Sequence[Award]:
    return session.scalars(select(Award).where(Award.person_id.in_(ids)).order_by(Award.id)).all()


def _badge_shows(choice: HoldersChoice | None) -> dict[str, Any]:
    """What the holder chose to show with the badge."""
    return {
        "writing": choice.shared_text if choice else None,
        "recognised_by_email": choice.recognised_by_email if choice else False,
        "address_in_the_open": choice.shown_address_id is not None if choice else False,
    }


def _award(session: Session, award: Award) -> dict[str, Any]:
    version = session.get_one(CredentialVersion, award.version_id)
    issuer = session.get_one(Organization, award.issuer_id)
    return {
        "id": award.public_id,
        "credential": version.title,
        "issuer": issuer.name,
        "awarded_at": award.awarded_at,
        "valid_until": award.valid_until,
        "hours": award.clock_hours,
        "page_shows_name": award.shows_name,
        "badge_shows": _badge_shows(session.get(HoldersChoice, award.id)),
        "revoked_at": award.revoked_at,
    }


def grade_rows(session: Session, ids: Collection[int]) -> Any:
    """Query of the ids of all grades that were sent, or are to be."""
    identities = session.scalars(select(LmsIdentity.id).where(LmsIdentity.person_id.in_(ids)))
    subjects = [str(identity_id) for identity_id in identities]
    return select(OutboxRow.id).where(
        OutboxRow.subject_type == "lms_identity", OutboxRow.subject_id.in_(subjects)
    )


def _grades(session: Session, ids: Collection[int]) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(OutboxRow).where(OutboxRow.id.in_(grade_rows(session, ids))).order_by(OutboxRow.id)
    )
    return [
        {"at": row.created_at, "state": row.state, "sent": row.payload.get("content", {})} for row in rows
    ]


def _reviews(session: Session, ids: Collection[int]) -> list[dict[str, Any]]:
    """When, not what: the words are in the other person's export."""
    rows = session.scalars(select(Review).where(Review.reviewer_id.in_(ids)).order_by(Review.id))
    return [
        {"assigned_at": one.assigned_at, "finished_at": one.finished_at, "result": one.recommendation}
        for one in rows
    ]


def _events(session: Session, ids: Collection[int]) -> list[dict[str, Any]]:
    """What this person did, newest first."""
    rows = session.scalars(
        select(AuditEvent)
        .where(AuditEvent.actor_id.in_(ids))
        .order_by(AuditEvent.id.desc())
        .limit(_NEWEST_EVENTS)
    )
    return [{"at": one.at, "action": one.action} for one in rows]


def _plain(value: Any) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)
