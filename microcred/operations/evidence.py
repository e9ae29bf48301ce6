"""Evidence: adding files and links, naming them, removing them."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from microcred.credentials.codes import code_in_label
from microcred.credentials.models import EvidenceItem
from microcred.credentials.schema import ArtefactRequirement, Part
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.file_rows import begin_preparing
from microcred.operations.reading_teacher import Loaded, find_part, load
from microcred.operations.teacher import may_change
from microcred.people import audit

LONGEST_CAPTION = 300
LONGEST_TRANSCRIPT = 100_000
"""Characters: an hour of speech has about 60,000."""
LONGEST_URL = 2000
RECORDINGS = frozenset({"audio", "video"})


@dataclass(frozen=True)
class NewFile:
    """A file that is in the store already, with what its content says."""

    storage_key: str
    size: int
    sha256: str
    file_name: str
    media_type: str
    type_group: str
    to_scan: bool = False
    """Whether it stays locked away until a malware scan is through."""


@dataclass(frozen=True)
class Place:
    """Where a piece of evidence stands or stood; `orphans` are files that nothing refers to any more."""

    part_id: str
    requirement_id: str
    orphans: tuple[str, ...] = ()


def check_space(session: Session, actor: Actor, *, part_id: str, requirement_id: str) -> ArtefactRequirement:
    """The requirement, if it takes another piece; asked before a file is written to the store.

    Raises OperationRefused, NotFound.
    """
    _, requirement = _open_requirement(session, actor, part_id, requirement_id, lock=False)
    return requirement


def add_file(
    session: Session,
    actor: Actor,
    *,
    part_id: str,
    requirement_id: str,
    file: NewFile,
    caption: str,
    now: datetime,
) -> str:
    """Add a stored file to a requirement; gives the item's public id. Raises OperationRefused."""
    loaded, requirement = _open_requirement(session, actor, part_id, requirement_id, lock=True)
    return add_to(session, actor, loaded, requirement, file=file, caption=caption, now=now)


def add_to(
    session: Session,
    actor: Actor,
    loaded: Loaded,
    requirement: ArtefactRequirement,
    *,
    file: NewFile,
    caption: str,
    now: datetime,
) -> str:
    """Add a stored file to a requirement of loaded rows. Raises OperationRefused."""
    part, _ = loaded.definition.requirement(requirement.id)
    _check_type(requirement, file.type_group)
    for item in loaded.items:
        if item.sha256 == file.sha256:
            where = _label(loaded, item)
            raise OperationRefused(
                "duplicate_file",
                f"You added this file already, under “{where}”. It is there once; nothing was changed.",
            )
    begin_preparing(
        session,
        storage_key=file.storage_key,
        size=file.size,
        media_type=file.media_type,
        to_scan=file.to_scan,
        now=now,
    )
    return _add(
        session,
        actor,
        EvidenceItem(
            attempt_id=loaded.attempt.id,
            part_id=part.id,
            requirement_id=requirement.id,
            student_code=code_in_label(requirement),
            kind="file",
            caption=clean_caption(caption),
            file_name=file.file_name[:300],
            media_type=file.media_type,
            type_group=file.type_group,
            size=file.size,
            sha256=file.sha256,
            storage_key=file.storage_key,
            created_at=now,
        ),
        now,
    )


def check_url(text: str) -> str:
    """The address as it will be kept. Raises OperationRefused(`link_malformed`)."""
    url = text.strip()
    if "://" not in url and url and not url.startswith("/"):
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if (
        not good
        or any(character.isspace() for character in url)
        or len(url) > LONGEST_URL
        or "@" in parts.netloc
    ):
        raise OperationRefused(
            "link_malformed",
            "This does not look like a link. Copy the whole address of the page, such as https://example.org/page.",
        )
    return url


def add_link(
    session: Session,
    actor: Actor,
    *,
    part_id: str,
    requirement_id: str,
    url: str,
    caption: str,
    now: datetime,
) -> str:
    """Add a checked link to a requirement; gives the item's public id. Raises OperationRefused."""
    loaded, requirement = _open_requirement(session, actor, part_id, requirement_id, lock=True)
    _check_type(requirement, "link")
    if any(item.url == url for item in loaded.items):
        raise OperationRefused(
            "duplicate_link", "You added this link already. It is there once; nothing was changed."
        )
    return _add(
        session,
        actor,
        EvidenceItem(
            attempt_id=loaded.attempt.id,
            part_id=part_id,
            requirement_id=requirement.id,
            student_code=code_in_label(requirement),
            kind="link",
            caption=clean_caption(caption),
            type_group="link",
            url=url,
            created_at=now,
        ),
        now,
    )


def set_caption(session: Session, actor: Actor, *, public_id: str, caption: str, now: datetime) -> Place:
    """Name a piece of evidence. Raises OperationRefused."""
    item = _own_item(session, actor, public_id)
    item.caption = clean_caption(caption)
    record(session, actor, item, "evidence_named", now)
    return Place(item.part_id, item.requirement_id)


def set_transcript(session: Session, actor: Actor, *, public_id: str, text: str, now: datetime) -> Place:
    """Keep what is said in a recording, as words or as WebVTT captions. Raises OperationRefused."""
    item = _own_item(session, actor, public_id)
    if item.type_group not in RECORDINGS:
        raise OperationRefused("no_recording", "Only a recording has captions. Nothing was changed.")
    words = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
    if len(words) > LONGEST_TRANSCRIPT:
        raise OperationRefused(
            "transcript_too_long",
            f"This has more than {LONGEST_TRANSCRIPT:,} characters and was not saved. Shorten it, then save.",
        )
    item.transcript = words
    record(session, actor, item, "evidence_transcribed", now)
    return Place(item.part_id, item.requirement_id)


def remove(session: Session, actor: Actor, *, public_id: str, now: datetime) -> Place:
    """Take a piece of evidence out of the try. Raises OperationRefused, NotFound."""
    item = _own_item(session, actor, public_id)
    item.removed_at = now
    session.flush()
    record(session, actor, item, "evidence_removed", now)
    return Place(item.part_id, item.requirement_id, _orphans(session, item))


def replace(session: Session, actor: Actor, *, public_id: str, file: NewFile, now: datetime) -> Place:
    """Put a changed picture in the place of the one it was made from; the old one is removed for good.

    Raises OperationRefused, NotFound.
    """
    item = _own_item(session, actor, public_id)
    if item.type_group != "image" or file.type_group != "image":
        raise OperationRefused(
            "no_picture", "Only a picture takes the place of a picture. Nothing was changed."
        )
    item.removed_at = now
    session.flush()
    record(session, actor, item, "evidence_removed", now)
    loaded = load(session, actor, lock=True)
    _, requirement = loaded.definition.requirement(item.requirement_id)
    add_to(session, actor, loaded, requirement, file=file, caption=item.caption, now=now)
    return Place(item.part_id, item.requirement_id, _orphans(session, item))


def _open_requirement(
    session: Session, actor: Actor, part_id: str, requirement_id: str, *, lock: bool
) -> tuple[Loaded, ArtefactRequirement]:
    loaded = load(session, actor, lock=lock)
    return loaded, open_requirement(loaded, actor, part_id, requirement_id)


def largest(requirement: ArtefactRequirement, limit: int) -> int:
    """The largest file in bytes that a requirement takes, where the installation takes `limit`."""
    return min(limit, (requirement.max_megabytes or limit) * 1_000_000)


def open_requirement(
    loaded: Loaded, actor: Actor, part_id: str, requirement_id: str, *, arrived: str = ""
) -> ArtefactRequirement:
    """The requirement, if it takes another piece; `arrived` is the upload that is to become this piece.

    Raises OperationRefused, NotFound.
    """
    requirement = _requirement(find_part(loaded.definition, part_id), requirement_id)
    may_change(loaded, actor, part_id)
    have = sum(item.requirement_id == requirement.id for item in loaded.items)
    coming = sum(
        upload.requirement_id == requirement.id and upload.state != "refused" and upload.public_id != arrived
        for upload in loaded.uploads
    )
    if have + coming >= requirement.max_count:
        on_the_way = f", with {coming} more on the way" if coming else ""
        raise OperationRefused(
            "too_many_pieces",
            f"“{requirement.label}” has {have} of at most {requirement.max_count} pieces{on_the_way}. "
            "Remove one first; nothing was changed.",
        )
    return requirement


def _requirement(part: Part, requirement_id: str) -> ArtefactRequirement:
    for requirement in part.artefact_requirements:
        if requirement.id == requirement_id:
            return requirement
    raise NotFound("no_such_requirement", "This part does not ask for that piece of evidence.")


def _check_type(requirement: ArtefactRequirement, group: str) -> None:
    if group not in requirement.accepted_types:
        taken = ", ".join(requirement.accepted_types)
        raise OperationRefused(
            "type_not_accepted",
            f"“{requirement.label}” takes {taken}, and this is of the kind {group}. Nothing was added.",
        )


def _own_item(session: Session, actor: Actor, public_id: str) -> EvidenceItem:
    loaded = load(session, actor, lock=True)
    item = next((item for item in loaded.items if item.public_id == public_id), None)
    if item is None:
        raise NotFound("no_such_evidence", "This piece is no longer here.")
    may_change(loaded, actor, item.part_id)
    return item


def _add(session: Session, actor: Actor, item: EvidenceItem, now: datetime) -> str:
    session.add(item)
    session.flush()
    record(session, actor, item, "evidence_added", now)
    return item.public_id


def record(session: Session, actor: Actor, item: EvidenceItem, action: str, now: datetime) -> None:
    """Add an audit event about a piece of evidence."""
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action=action,
        subject=("evidence_item", item.id),
        detail={"kind": item.kind, "group": item.type_group, "sha256": item.sha256},
    )


def _orphans(session: Session, item: EvidenceItem) -> tuple[str, ...]:
    """The file and its copy, where no try shows them any more."""
    if item.storage_key is None:
        return ()
    used = session.scalar(
        select(func.count())
        .select_from(EvidenceItem)
        .where(EvidenceItem.storage_key == item.storage_key, EvidenceItem.removed_at.is_(None))
    )
    if used:
        return ()
    view_key = item.file.view_key if item.file is not None else None
    return (item.storage_key, view_key) if view_key is not None else (item.storage_key,)


def _label(loaded: Loaded, item: EvidenceItem) -> str:
    _, requirement = loaded.definition.requirement(item.requirement_id)
    return requirement.label


def clean_caption(text: str) -> str:
    """A title as it is kept. Raises OperationRefused."""
    caption = " ".join(text.replace("\x00", "").split())
    if len(caption) > LONGEST_CAPTION:
        raise OperationRefused(
            "caption_too_long", f"A title may have {LONGEST_CAPTION} characters. Nothing was changed."
        )
    return caption
