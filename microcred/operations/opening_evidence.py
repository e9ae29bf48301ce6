"""Opening a piece of one's own evidence; every opening is on record."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from mimetypes import guess_extension
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from microcred.credentials.models import Attempt, EvidenceItem
from microcred.operations.access import Relation, relations
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound
from microcred.operations.evidence import record
from microcred.operations.file_rows import check_unlocked
from microcred.people import audit

_ONE_OPENING = timedelta(hours=12)
"""As long as a page session lasts."""


@dataclass(frozen=True)
class Opened:
    """A piece of evidence that its owner may open now."""

    public_id: str
    kind: str
    storage_key: str | None
    size: int
    media_type: str
    file_name: str
    url: str | None


def open_item(
    session: Session, actor: Actor, *, public_id: str, now: datetime, count: bool, original: bool = False
) -> Opened:
    """A piece of the actor's own evidence, of any of their tries; the opening is put on record.

    `count` is false where only a later range was asked for. It is the copy that every browser plays, where
    there is one and not the `original` is asked for.
    Reviewers and approvers open it under a neutral name, from their own pages. Raises NotFound, and
    OperationRefused while it is locked away (`scanning`, `infected`).
    """
    item = session.scalar(
        select(EvidenceItem)
        .where(EvidenceItem.public_id == public_id, EvidenceItem.removed_at.is_(None))
        .options(joinedload(EvidenceItem.file))
    )
    if item is None:
        raise NotFound("no_such_evidence", "This piece is no longer here.")
    if Relation.OWNER not in relations(session, actor, session.get_one(Attempt, item.attempt_id)):
        raise NotFound("no_such_evidence", "This piece is no longer here.")
    check_unlocked(item.file)
    if count or not opening_stands(session, actor, item.id, now):
        record(session, actor, item, "evidence_opened", now)
    key, size, media_type, name = item.storage_key, item.size or 0, item.media_type, item.file_name
    if (file := item.file) is not None:
        size = file.size
        if file.view_key is not None and not (original and file.original_gone_at is None):
            key, size, media_type = file.view_key, file.view_size or 0, file.view_media_type
            name = f"{PurePosixPath(name or 'evidence').stem}{guess_extension(media_type or '') or ''}"
    return Opened(
        item.public_id,
        item.kind,
        key,
        size,
        media_type or "application/octet-stream",
        name or "evidence",
        item.url,
    )


def opening_stands(session: Session, actor: Actor, row_id: int, now: datetime) -> bool:
    """Whether the actor's opening of a piece is on record: a later range of the file then belongs to it."""
    return audit.was_recorded(
        session,
        actor_id=actor.own_id,
        action="evidence_opened",
        subject=("evidence_item", row_id),
        since=now - _ONE_OPENING,
    )
