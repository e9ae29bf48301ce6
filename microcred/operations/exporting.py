"""Everything stored about a person, for themselves: one JSON document and their files, as a zip.

Reading it is one short transaction; the files are then streamed from the store, however large they are.
"""

import json
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from lti_tool.models import Context, Launch, Registration
from microcred.badges.backpack.models import Backpack, BackpackHost
from microcred.badges.importing.models import ImportedBadge
from microcred.badges.models import HoldersChoice
from microcred.credentials.models import (
    Attempt,
    Award,
    CredentialVersion,
    Decision,
    EvidenceItem,
    EvidencePermission,
    Pursuit,
    Rating,
    Response,
    Review,
)
from microcred.credentials.review_models import Appeal, TeacherRequest
from microcred.operations.reading_feedback import SHOWN
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
from microcred.placements import Placement
from microcred.storage import FileMissing, Storage

DOCUMENT = "your-data.json"
_NEWEST_LAUNCHES = 1000
_NEWEST_NOTICES = 1000
_NEWEST_EVENTS = 5000


@dataclass(frozen=True)
class ExportFile:
    """A file of the export: its name in the zip and where it is stored."""

    name: str
    storage_key: str
    size: int


@dataclass(frozen=True)
class Export:
    """What is stored about one human."""

    document: dict[str, Any]
    files: tuple[ExportFile, ...]


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
        places=tuple(dict.fromkeys(place for place, _ in _places(session, ids))),
        launches=_count(session, select(Launch.id).where(Launch.person_id.in_(ids))),
        first_seen=min(person.created_at for person in people),
        credentials=tuple(dict.fromkeys(titles)),
        answers=_count(session, select(Response.id).where(Response.attempt_id.in_(tries))),
        files=files + form_files,
        bytes=int(size or 0) + int(form_size or 0),
        grades=_count(session, _grade_rows(session, ids)),
        awards=_count(session, select(Award.id).where(Award.person_id.in_(ids))),
        reviews=_count(session, select(Review.id).where(Review.reviewer_id.in_(ids))),
        offices=tuple(dict.fromkeys(f"{role}, {name}" if name else role for role, name in offices)),
    )


def export(session: Session, person_id: int, *, by: int | None, now: datetime) -> Export:
    """Everything about the human, with every identity linked to them; put on record as an audit event."""
    ids = ids_of(session, person_id)
    files: list[ExportFile] = []
    document = {
        "made_at": now,
        "people": [_person(session, one) for one in _people(session, ids)],
        "launches": _launches(session, ids),
        "credentials": [
            _pursuit(session, pursuit, files)
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
        "course_systems": [{"system": place, "user_id": sub} for place, sub in _places(session, [person.id])],
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


def _places(session: Session, ids: Collection[int]) -> list[tuple[str, str]]:
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


def _pursuit(session: Session, pursuit: Pursuit, files: list[ExportFile]) -> dict[str, Any]:
    version = session.get_one(CredentialVersion, pursuit.version_id)
    placement = session.get_one(Placement, pursuit.placement_id)
    course = session.get(Context, placement.context_id) if placement.context_id is not None else None
    permissions = session.scalars(
        select(EvidencePermission)
        .where(EvidencePermission.pursuit_id == pursuit.id)
        .options(joinedload(EvidencePermission.form))
        .order_by(EvidencePermission.id)
    )
    tries = session.scalars(
        select(Attempt).where(Attempt.pursuit_id == pursuit.id).order_by(Attempt.number)
    ).all()
    return {
        "credential": version.title,
        "code": version.code,
        "version": version.version,
        "course": course.title if course is not None else None,
        "begun_at": pursuit.created_at,
        "name_for_reviewers": pursuit.alias,
        "permissions": [
            {
                "student": one.student_code,
                "kind": one.kind,
                "given_at": one.given_at,
                "basis": one.basis,
                **_form(one, files),
                "holds_until": one.expires_on,
                "withdrawn_at": one.withdrawn_at,
                "ended_because": one.ended_because,
            }
            for one in permissions
        ],
        "tries": [_try(session, attempt, files) for attempt in tries],
        "appeals": [
            {"opened_at": one.opened_at, "reason": one.reason, "closed_at": one.closed_at}
            for one in session.scalars(
                select(Appeal)
                .where(Appeal.attempt_id.in_([attempt.id for attempt in tries]))
                .order_by(Appeal.id)
            )
        ],
        "requests": [
            {"kind": one.kind, "message": one.message, "asked_at": one.asked_at, "answer": one.answer}
            for one in session.scalars(
                select(TeacherRequest)
                .where(TeacherRequest.pursuit_id == pursuit.id)
                .order_by(TeacherRequest.id)
            )
        ],
    }


def _try(session: Session, attempt: Attempt, files: list[ExportFile]) -> dict[str, Any]:
    responses = session.scalars(
        select(Response).where(Response.attempt_id == attempt.id).order_by(Response.id)
    )
    items = session.scalars(
        select(EvidenceItem)
        .where(EvidenceItem.attempt_id == attempt.id, EvidenceItem.removed_at.is_(None))
        .options(joinedload(EvidenceItem.file))
        .order_by(EvidenceItem.id)
    )
    decisions = session.scalars(
        select(Decision)
        .where(Decision.attempt_id == attempt.id, Decision.kind.in_(SHOWN))
        .order_by(Decision.id)
    )
    return {
        "number": attempt.number,
        "state": attempt.state,
        "submitted_at": attempt.submitted_at,
        "decided_at": attempt.decided_at,
        "came_back_because": attempt.incomplete_because or None,
        "answers": [
            {
                "question": one.prompt_id,
                "student": one.student_code or None,
                "text": one.body,
                "saved_at": one.saved_at,
            }
            for one in responses
        ],
        "evidence": [_evidence(item, files) for item in items],
        "feedback": _feedback(session, attempt),
        "decisions": [
            {"decision": one.kind, "reason": one.reason, "at": one.decided_at} for one in decisions
        ],
    }


def _evidence(item: EvidenceItem, files: list[ExportFile]) -> dict[str, Any]:
    said = {
        "for": item.requirement_id,
        "student": item.student_code or None,
        "title": item.caption,
        "added_at": item.created_at,
    }
    if item.storage_key is None:
        return {**said, "link": item.url}
    name = f"evidence/{item.public_id}-{_file_name(item.file_name or 'file')}"
    key, size, media_type = item.storage_key, item.size or 0, item.media_type
    if (file := item.file) is not None:
        if file.state not in ("ready", "preparing"):
            return {**said, "file": None, "locked_away": file.state}
        size = file.size
        if file.original_gone_at is not None and file.view_key is not None:
            key, size, media_type = file.view_key, file.view_size or 0, file.view_media_type
    files.append(ExportFile(name, key, size))
    return {**said, "file": name, "type": media_type, "bytes": size, "transcript": item.transcript or None}


def _form(row: EvidencePermission, files: list[ExportFile]) -> dict[str, Any]:
    """The form of a permission, as its teacher gave it."""
    if row.form_key is None or row.form is None:
        return {"form": None}
    if row.form.state != "ready":
        return {"form": None, "form_name": row.form_name, "locked_away": row.form.state}
    name = f"permissions/{row.public_id}-{_file_name(row.form_name or 'form')}"
    files.append(ExportFile(name, row.form_key, row.form.size))
    return {"form": name, "form_name": row.form_name}


def _feedback(session: Session, attempt: Attempt) -> list[dict[str, Any]]:
    """Ratings and comments of a decided try, as the teacher's own page shows them: reviewers have no name."""
    if attempt.decided_at is None:
        return []
    rows = session.scalars(
        select(Rating)
        .join(Review, Review.id == Rating.review_id)
        .where(Review.attempt_id == attempt.id, Review.finished_at.is_not(None))
        .order_by(Review.id, Rating.id)
    ).all()
    numbers = {
        review_id: number for number, review_id in enumerate(dict.fromkeys(r.review_id for r in rows), 1)
    }
    return [
        {
            "reviewer": numbers[one.review_id],
            "point": one.criterion_id,
            "level": one.level,
            "comment": one.comment,
        }
        for one in rows
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


def _grade_rows(session: Session, ids: Collection[int]) -> Any:
    identities = session.scalars(select(LmsIdentity.id).where(LmsIdentity.person_id.in_(ids)))
    subjects = [str(identity_id) for identity_id in identities]
    return select(OutboxRow.id).where(
        OutboxRow.subject_type == "lms_identity", OutboxRow.subject_id.in_(subjects)
    )


def _grades(session: Session, ids: Collection[int]) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(OutboxRow).where(OutboxRow.id.in_(_grade_rows(session, ids))).order_by(OutboxRow.id)
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


def _count(session: Session, rows: Any) -> int:
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def _distinct(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _file_name(name: str) -> str:
    """A name that every system can unpack, in the folder it belongs to."""
    kept = "".join(c if c.isalnum() or c in " ._-" else "_" for c in name).strip(" .")
    return kept[-120:] or "file"


def _plain(value: Any) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)
