"""Looking a try through for names before it is sent: texts, titles, file names, and what documents say.

Names come from the course's roster (NRPS) and from the teacher's own account; mail addresses are found by
their form. It is done by the worker, because an LMS and files have to be read; the page of the last look
begins it and shows what was found. It can miss: pictures, sound and handwriting are not read, and faces are
not looked for at all.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from lti_tool.models import Context, Deployment, Registration
from lti_tool.protocol.connector import ServiceClient
from lti_tool.roster import Roster, read_roster
from microcred import media, outbox
from microcred.credentials.completeness import prompt_place
from microcred.credentials.models import Attempt, EvidenceItem, NamesCheck, Pursuit, Response
from microcred.credentials.steps import State
from microcred.database import Clock, Database
from microcred.operations import course_people
from microcred.operations.names_words import Names
from microcred.operations.reading_teacher import Loaded
from microcred.people import ids_of
from microcred.people.models import Person
from microcred.placements import Placement
from microcred.storage import Storage, StorageError

KIND = "names_check"
"""Outbox kind: look a try through."""
MOST_FINDINGS = 100
MOST_BYTES = 50_000_000
"""Documents larger than this are not read."""
_READERS: Mapping[str, str] = {
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.presentation": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "odt",
    "text/plain": "text",
    "text/csv": "text",
    "text/markdown": "text",
    "text/vtt": "text",
}
_TEXT_GROUPS = ("document", "pdf")


@dataclass(frozen=True)
class Finding:
    """One place to look at again."""

    part_id: str
    place_id: str
    """The box or requirement it stands in."""
    where: str
    """Such as `the text` or `the file notes.docx`."""
    what: str
    """`mail`, `name` or `part_of_name`."""
    words: str


@dataclass(frozen=True)
class Looked:
    """What is known about the present state of a try."""

    is_done: bool
    roster: str
    findings: tuple[Finding, ...]
    unread: tuple[str, ...]
    """File names that could not be read."""
    pictures: tuple[EvidenceItem, ...]
    """Pictures and videos, which nobody but a person can judge."""


@dataclass(frozen=True)
class _Work:
    """What is looked through, read before the slow part begins."""

    fingerprint: str
    texts: tuple[tuple[str, str, str, str], ...]
    """(part id, place id, where, text)"""
    names: tuple[tuple[str, str, str], ...]
    """(part id, requirement id, file name)"""
    files: tuple[tuple[str, str, str, str, str], ...]
    """(public id, part id, requirement id, storage key, reader)"""
    unread: tuple[str, ...]
    people: tuple[tuple[str | None, str | None, str | None], ...]
    registration: Registration | None
    context_row_id: int | None
    memberships_url: str | None


def look(session: Session, loaded: Loaded) -> Looked | None:
    """What was found in the present state of the work; None where it has not been looked through yet."""
    row = session.get(NamesCheck, loaded.attempt.id)
    if row is None or row.fingerprint != _fingerprint(loaded.responses.values(), loaded.items):
        return None
    names = {item.public_id: item.caption or item.file_name or "" for item in loaded.items}
    return Looked(
        row.checked_at is not None,
        row.roster,
        tuple(Finding(**finding) for finding in row.findings),
        tuple(names[public_id] for public_id in row.unread if public_id in names),
        tuple(item for item in loaded.items if item.type_group in ("image", "video")),
    )


def begin(session: Session, loaded: Loaded, now: datetime) -> None:
    """See to it that the present state is looked through."""
    if look(session, loaded) is not None or loaded.attempt.state != State.DRAFT:
        return
    row = session.get(NamesCheck, loaded.attempt.id)
    if row is None:
        row = NamesCheck(attempt_id=loaded.attempt.id)
        session.add(row)
    row.fingerprint = _fingerprint(loaded.responses.values(), loaded.items)
    row.roster, row.findings, row.unread, row.begun_at, row.checked_at = "waiting", [], [], now, None
    session.flush()
    outbox.add(
        session,
        kind=KIND,
        destination="documents",
        order_key=f"{KIND}:{loaded.attempt.id}",
        subject=("attempt", str(loaded.attempt.id)),
        payload={"attempt": loaded.attempt.id},
        now=now,
    )


def handler(
    database: Database,
    storage: Storage,
    clock: Clock,
    client_for: Callable[[Registration], ServiceClient],
    work_folder: Path,
) -> outbox.Handler:
    """Handler of kind `names_check`. Files are read in `work_folder`, which is on disk."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        attempt_id = int(job.payload["attempt"])
        with database.reading() as session:
            work = _read(session, attempt_id)
        if work is None:
            return outbox.Superseded()
        roster = Roster(problem="not_told")
        if work.registration is not None and work.memberships_url is not None:
            roster = read_roster(client_for(work.registration), work.memberships_url)
        names = Names(
            [*work.people, *((one.name, one.given_name, one.family_name) for one in roster.members)]
        )
        try:
            found, unread = _look_through(work, names, storage, work_folder)
        except (StorageError, OSError):
            return outbox.Retry(reason="storage_away", destination_failed=False)
        told = "whole" if roster.is_whole and roster.members else "part" if roster.members else "none"

        def record(session: Session) -> None:
            if work.context_row_id is not None:
                course_people.learn(session, work.context_row_id, roster, clock.now())
            row = session.get(NamesCheck, attempt_id, with_for_update=True)
            if row is not None and row.fingerprint == work.fingerprint:
                row.roster, row.checked_at = told, clock.now()
                row.findings, row.unread = [vars(one) for one in found], unread

        return outbox.Delivered(record=record, answer={"findings": len(found), "roster": told})

    return handle


def _look_through(
    work: _Work, names: Names, storage: Storage, folder: Path
) -> tuple[list[Finding], list[str]]:
    found: list[Finding] = []
    unread = list(work.unread)
    for part_id, place_id, where, text in work.texts:
        found += (Finding(part_id, place_id, where, one.what, one.words) for one in names.in_text(text))
    for part_id, place_id, name in work.names:
        where = f"the file name {name}"
        found += (Finding(part_id, place_id, where, one.what, one.words) for one in names.in_file_name(name))
    for public_id, part_id, place_id, key, kind in work.files:
        words = _text_of(storage, key, kind, folder)
        if words is None:
            unread.append(public_id)
            continue
        found += (
            Finding(part_id, place_id, "a document", one.what, one.words) for one in names.in_text(words)
        )
    return found[:MOST_FINDINGS], unread


def _text_of(storage: Storage, key: str, kind: str, folder: Path) -> str | None:
    """What a document says; None where it cannot be read. Raises StorageError, OSError."""
    size = storage.size(key)
    if size > MOST_BYTES:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as made:
        here = Path(made)
        with (here / "file").open("wb") as file:
            for chunk in storage.stream(key, 0, size - 1) if size else ():
                file.write(chunk)
        return media.words_of(here / "file", kind)


def _read(session: Session, attempt_id: int) -> _Work | None:
    attempt = session.get(Attempt, attempt_id)
    if attempt is None or attempt.state != State.DRAFT:
        return None
    pursuit = session.get_one(Pursuit, attempt.pursuit_id)
    responses = session.scalars(select(Response).where(Response.attempt_id == attempt_id)).all()
    items = session.scalars(
        select(EvidenceItem)
        .where(EvidenceItem.attempt_id == attempt_id, EvidenceItem.removed_at.is_(None))
        .options(joinedload(EvidenceItem.file))
        .order_by(EvidenceItem.id)
    ).all()
    place = session.execute(
        select(Registration, Context.id, Context.memberships_url)
        .join(Deployment, Deployment.registration_id == Registration.id)
        .join(Placement, Placement.deployment_id == Deployment.id)
        .outerjoin(Context, Context.id == Placement.context_id)
        .where(Placement.id == pursuit.placement_id)
    ).first()
    own = session.scalars(select(Person).where(Person.id.in_(ids_of(session, pursuit.person_id))))
    documents = [item for item in items if item.storage_key and item.type_group in _TEXT_GROUPS]
    readable = [item for item in documents if _is_readable(item)]
    return _Work(
        _fingerprint(responses, items),
        tuple(_texts(responses, items)),
        tuple((item.part_id, item.requirement_id, item.file_name) for item in items if item.file_name),
        tuple(
            (
                item.public_id,
                item.part_id,
                item.requirement_id,
                item.storage_key or "",
                _READERS[item.media_type or ""],
            )
            for item in readable
        ),
        tuple(item.public_id for item in documents if item not in readable),
        tuple((person.name, person.given_name, person.family_name) for person in own),
        place[0] if place else None,
        place[1] if place else None,
        place[2] if place else None,
    )


def _is_readable(item: EvidenceItem) -> bool:
    locked = item.file is not None and item.file.state in ("scanning", "infected")
    return not locked and (item.media_type or "") in _READERS


def _texts(
    responses: Iterable[Response], items: Iterable[EvidenceItem]
) -> Iterator[tuple[str, str, str, str]]:
    for row in responses:
        yield row.part_id, prompt_place(row.prompt_id, row.student_code), "your text", row.body
    for item in items:
        yield item.part_id, item.requirement_id, "a title", item.caption
        yield item.part_id, item.requirement_id, "what is said in a recording", item.transcript
        yield item.part_id, item.requirement_id, "a link", item.url or ""


def _fingerprint(responses: Iterable[Response], items: Iterable[EvidenceItem]) -> str:
    told = sorted(f"r{row.id}:{row.revision}" for row in responses)
    told += sorted(
        f"i{item.id}:{item.caption}:{hashlib.sha256(item.transcript.encode()).hexdigest()}" for item in items
    )
    return hashlib.sha256("\n".join(told).encode()).hexdigest()
