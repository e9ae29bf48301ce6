"""Files that arrive in pieces: beginning, going on, stopping. `joining` makes evidence of whole ones.

The bytes of a piece are in the store before its row is written, so a row never speaks of bytes that are not
there. Which piece comes next is decided under the lock of the upload's row: of two that bring the same bytes,
the second is turned away. A folder of its own in the store holds the pieces of an upload, so that those which
no row came to speak of go with the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.credentials.errors import EvidenceRefused
from microcred.credentials.evidence_types import FileType, identify
from microcred.credentials.file_models import EvidenceUpload, EvidenceUploadPiece
from microcred.database import random_id
from microcred.operations.actor import Actor
from microcred.operations.deleting_files import delete_folders_later
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.evidence import clean_caption, largest, open_requirement
from microcred.operations.reading_teacher import load
from microcred.operations.teacher import may_change

JOIN = "join_upload"
"""Outbox kind: make one file of an upload's pieces, and evidence of it."""
PIECE = 8 * 1024 * 1024
"""Bytes of a piece, but for the last one and those that a broken connection cut short."""
KEPT = timedelta(days=7)
"""How long an upload that nobody goes on with is kept."""
JOINED_WITHIN = timedelta(minutes=30)
"""After so long the joining does not get on (the store is away): its owner may stop it."""
_SWEPT_AT_ONCE = 200


class WrongOffset(OperationRefused):
    """The bytes that were sent do not follow those that are there (tus 1.0, PATCH: 409)."""


@dataclass(frozen=True)
class Standing:
    """How far an upload is, in bytes. Bytes beyond `received` are not there."""

    public_id: str
    file_name: str
    length: int
    received: int
    state: str
    problem: str
    expires_at: datetime


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to upload. `length` in bytes."""

    part_id: str
    requirement_id: str
    file_name: str
    caption: str
    fingerprint: str
    length: int


def begin(session: Session, actor: Actor, wanted: Wanted, *, limit: int, now: datetime) -> Standing:
    """Begin an upload, or go on with the one of the same file that was begun before.

    Raises OperationRefused (`file_too_large`, `empty`, ...), NotFound.
    """
    loaded = load(session, actor, lock=True)
    for upload in loaded.uploads:
        same = (upload.requirement_id, upload.fingerprint) == (wanted.requirement_id, wanted.fingerprint)
        if same and upload.state == "receiving" and upload.length == wanted.length:
            return _standing(upload)
        if same and upload.state != "joining":
            forget(session, [upload], now)
    requirement = open_requirement(loaded, actor, wanted.part_id, wanted.requirement_id)
    most = largest(requirement, limit)
    if wanted.length > most:
        raise OperationRefused(
            "file_too_large",
            f"It is {round(wanted.length / 1_000_000)} MB and the limit is {most // 1_000_000} MB."
            " Choose a smaller one.",
        )
    if wanted.length < 1:
        raise OperationRefused(
            "empty", "This file is empty (0 bytes). Save it again and choose it once more."
        )
    upload = EvidenceUpload(
        attempt_id=loaded.attempt.id,
        person_id=actor.own_id,
        part_id=wanted.part_id,
        requirement_id=requirement.id,
        file_name=wanted.file_name[:300] or "file",
        caption=clean_caption(wanted.caption),
        fingerprint=wanted.fingerprint,
        length=wanted.length,
        received=0,
        state="receiving",
        problem="",
        created_at=now,
        touched_at=now,
    )
    session.add(upload)
    session.flush()
    return _standing(upload)


def standing(session: Session, actor: Actor, public_id: str) -> Standing:
    """How far one's own upload is. Raises NotFound."""
    return _standing(_own(session, actor, public_id))


def may_send(session: Session, actor: Actor, public_id: str, offset: int) -> Standing:
    """The same, if bytes from `offset` on are what it waits for.

    Raises NotFound, WrongOffset, and OperationRefused where the try is not open any more.
    """
    loaded = load(session, actor)
    upload = _own(session, actor, public_id)
    may_change(loaded, actor, upload.part_id)
    _check_offset(upload, offset)
    return _standing(upload)


def piece_key(public_id: str, start: int) -> str:
    """A new place for bytes from `start` on."""
    return f"{folder_of(public_id)}/{start}-{random_id(8)}"


def folder_of(public_id: str) -> str:
    """Where the pieces of an upload lie."""
    return f"uploads/{public_id}"


def take_piece(
    session: Session, actor: Actor, public_id: str, *, start: int, size: int, key: str, now: datetime
) -> Standing:
    """Put on record that `size` bytes from `start` on are in the store; the last ones start the joining.

    Raises NotFound, and WrongOffset where somebody else brought them meanwhile.
    """
    upload = _own(session, actor, public_id, lock=True)
    _check_offset(upload, start)
    session.add(EvidenceUploadPiece(upload_id=upload.id, start=start, size=size, storage_key=key))
    upload.received += size
    upload.touched_at = now
    if upload.received == upload.length:
        upload.state = "joining"
        outbox.add(
            session,
            kind=JOIN,
            destination="uploads",
            order_key=f"{JOIN}:{upload.id}",
            subject=("evidence_upload", str(upload.id)),
            payload={"upload": upload.id},
            now=now,
        )
    session.flush()
    return _standing(upload)


def pieces_before(session: Session, actor: Actor, public_id: str, end: int) -> list[str]:
    """Keys of the pieces that begin before `end`, in order."""
    upload = _own(session, actor, public_id)
    pieces = select(EvidenceUploadPiece.storage_key).where(
        EvidenceUploadPiece.upload_id == upload.id, EvidenceUploadPiece.start < end
    )
    return list(session.scalars(pieces.order_by(EvidenceUploadPiece.start)))


def check_head(head: bytes, file_name: str, length: int) -> FileType:
    """The type of a file from its first bytes. Raises OperationRefused."""
    try:
        return identify(head, file_name, length)
    except EvidenceRefused as refused:
        raise OperationRefused(refused.code, refused.message) from refused


def stop(session: Session, actor: Actor, public_id: str, now: datetime) -> tuple[str, str]:
    """Forget an upload and what has arrived of it; gives its part and requirement.

    Raises NotFound, and OperationRefused while it is being made into evidence.
    """
    upload = _own(session, actor, public_id, lock=True)
    if upload.state == "joining" and upload.touched_at > now - JOINED_WITHIN:
        raise OperationRefused(
            "being_joined", "All of it has arrived and it is being added. You can remove it in a moment."
        )
    place = (upload.part_id, upload.requirement_id)
    forget(session, [upload], now)
    return place


def refuse(session: Session, public_id: str, problem: str, now: datetime) -> None:
    """Say why an upload does not become evidence; its bytes go, its row stays until the owner has seen it."""
    upload = session.scalar(
        select(EvidenceUpload).where(EvidenceUpload.public_id == public_id).with_for_update()
    )
    if upload is None:
        return
    upload.state, upload.problem, upload.touched_at = "refused", problem, now
    session.execute(delete(EvidenceUploadPiece).where(EvidenceUploadPiece.upload_id == upload.id))
    delete_folders_later(session, [folder_of(public_id)], now)


def sweep(session: Session, now: datetime) -> int:
    """Forget uploads that nobody went on with for `KEPT`; gives how many."""
    old = session.scalars(
        select(EvidenceUpload)
        .where(EvidenceUpload.touched_at < now - KEPT)
        .order_by(EvidenceUpload.touched_at)
        .limit(_SWEPT_AT_ONCE)
    ).all()
    forget(session, old, now)
    return len(old)


def _own(session: Session, actor: Actor, public_id: str, *, lock: bool = False) -> EvidenceUpload:
    query = select(EvidenceUpload).where(
        EvidenceUpload.public_id == public_id, EvidenceUpload.person_id.in_(actor.person_ids)
    )
    upload = session.scalar(query.with_for_update() if lock else query)
    if upload is None:
        raise NotFound("no_such_upload", "This upload is over. Look at the page again to see what is there.")
    return upload


def _check_offset(upload: EvidenceUpload, offset: int) -> None:
    if upload.state == "refused":
        raise OperationRefused("refused", upload.problem)
    if upload.state != "receiving" or upload.received != offset:
        raise WrongOffset("wrong_offset", f"{upload.received} bytes of this file are here.")


def forget(session: Session, uploads: Sequence[EvidenceUpload], now: datetime) -> None:
    """Forget uploads and what has arrived of them."""
    for upload in uploads:
        session.execute(delete(EvidenceUploadPiece).where(EvidenceUploadPiece.upload_id == upload.id))
        session.delete(upload)
    session.flush()
    delete_folders_later(session, [folder_of(upload.public_id) for upload in uploads], now)


def _standing(upload: EvidenceUpload) -> Standing:
    return Standing(
        upload.public_id,
        upload.file_name,
        upload.length,
        upload.received,
        upload.state,
        upload.problem,
        upload.touched_at + KEPT,
    )
