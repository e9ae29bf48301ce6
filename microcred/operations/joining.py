"""Evidence made of an upload that has arrived whole: the worker joins its pieces and adds the file."""

from collections.abc import Sequence

from sqlalchemy import select

from microcred import outbox
from microcred.credentials.evidence_types import HEAD_BYTES
from microcred.credentials.file_models import EvidenceUpload, EvidenceUploadPiece
from microcred.database import Clock, Database
from microcred.operations.actor import actor_for_desk
from microcred.operations.errors import OperationRefused
from microcred.operations.evidence import NewFile, add_to, open_requirement
from microcred.operations.reading_teacher import load_try
from microcred.operations.uploading import check_head, forget, refuse
from microcred.storage import FileMissing, Storage, StorageError


def join_handler(database: Database, storage: Storage, clock: Clock, *, scans: bool) -> outbox.Handler:
    """Handler of kind `join_upload`. Repeated, it writes the same file to the same place."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        with database.reading() as session:
            upload = session.get(EvidenceUpload, int(job.payload["upload"]))
            if upload is None or upload.state != "joining":
                return outbox.Delivered(answer={"joined": False})
            pieces = session.scalars(
                select(EvidenceUploadPiece)
                .where(EvidenceUploadPiece.upload_id == upload.id)
                .order_by(EvidenceUploadPiece.start)
            ).all()
        key = f"evidence/{upload.public_id}"
        try:
            problem = _join(database, storage, clock, upload, pieces, key, scans)
            if problem:
                storage.delete(key)
                with database.writing() as session:
                    refuse(session, upload.public_id, problem, clock.now())
        except (StorageError, OSError):
            return outbox.Retry(reason="storage_away", destination_failed=False)
        return outbox.Delivered(answer={"joined": not problem, "bytes": upload.length})

    return handle


def _join(
    database: Database,
    storage: Storage,
    clock: Clock,
    upload: EvidenceUpload,
    pieces: Sequence[EvidenceUploadPiece],
    key: str,
    scans: bool,
) -> str:
    """Write the whole file and add it; gives why it was not added, in words, or nothing."""
    try:
        found = check_head(_head(storage, pieces), upload.file_name, upload.length)
        storage.delete(key)  # what a killed worker left of an earlier time
        stored = storage.join([piece.storage_key for piece in pieces], key, limit=upload.length)
    except OperationRefused as refused:
        return refused.message
    except FileMissing:
        return "Part of this file was lost on our side. Add it once more; we are sorry."
    new = NewFile(
        key, stored.size, stored.sha256, upload.file_name, found.media_type, found.group, to_scan=scans
    )
    try:
        with database.writing() as session:
            row = session.get(EvidenceUpload, upload.id, with_for_update=True)
            if row is None:
                return "This upload was stopped."
            loaded = load_try(session, upload.attempt_id)
            owner = actor_for_desk(session, upload.person_id, clock.now())
            requirement = open_requirement(
                loaded, owner, upload.part_id, upload.requirement_id, arrived=upload.public_id
            )
            add_to(session, owner, loaded, requirement, file=new, caption=upload.caption, now=clock.now())
            forget(session, [row], clock.now())
    except OperationRefused as refused:
        return refused.message
    return ""


def _head(storage: Storage, pieces: Sequence[EvidenceUploadPiece]) -> bytes:
    head = b""
    for piece in pieces:
        if len(head) >= HEAD_BYTES:
            break
        head += b"".join(storage.stream(piece.storage_key, 0, min(piece.size, HEAD_BYTES - len(head))))
    return head
