"""Tables of files on their way: uploads that arrive in pieces, and what became of a file once it was there.

A piece of evidence (`models.EvidenceItem`) is a line in a try; several tries may carry the same file along.
What is true of the file itself, whichever try shows it, stands here once.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from microcred.database import BIGINT, Base, UtcDateTime, random_id

FILE_STATES = ("scanning", "preparing", "ready", "infected")
"""scanning: locked away until the malware scan is through. preparing: location data is being taken out, a
copy that every browser plays is being made. infected: deleted, only this row is left."""
LOCATIONS = ("unknown", "none", "removed", "kept")
"""What is known of location data in it; `kept` means that it could not be looked for or taken out."""
UPLOAD_STATES = ("receiving", "joining", "refused")


class EvidenceFile(Base):
    """A stored file. Its row is written with the first piece of evidence that shows it."""

    __tablename__ = "evidence_file"
    __table_args__ = (
        CheckConstraint(f"state IN {FILE_STATES}", name="state"),
        CheckConstraint(f"location IN {LOCATIONS}", name="location"),
        CheckConstraint("(state IN ('ready', 'infected')) = (settled_at IS NOT NULL)", name="settled_at"),
        CheckConstraint(
            "(view_key IS NULL) = (view_size IS NULL) AND (view_key IS NULL) = (view_media_type IS NULL)",
            name="view",
        ),
        CheckConstraint("state <> 'infected' OR view_key IS NULL", name="infected_is_gone"),
        CheckConstraint("original_gone_at IS NULL OR view_key IS NOT NULL", name="original_gone_at"),
        Index(
            "ix_evidence_file_original",
            "settled_at",
            sqlite_where=text("view_key IS NOT NULL AND original_gone_at IS NULL"),
            postgresql_where=text("view_key IS NOT NULL AND original_gone_at IS NULL"),
        ),
    )

    storage_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    size: Mapped[int] = mapped_column(BIGINT)
    """Bytes as they are stored now; taking location data out may have changed it."""
    location: Mapped[str] = mapped_column(String(20), server_default="unknown")
    view_key: Mapped[str | None] = mapped_column(String(200))
    """The copy that every browser shows or plays, where the original is of another kind."""
    view_media_type: Mapped[str | None] = mapped_column(String(120))
    view_size: Mapped[int | None] = mapped_column(BIGINT)
    seconds: Mapped[int | None] = mapped_column(Integer)
    """How long a recording is; None where it is none, or could not be read."""
    view_problem: Mapped[str] = mapped_column(String(40), server_default="")
    """Why no such copy could be made; empty where there is one, or none is needed."""
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    original_gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the original was deleted, after the decision; the copy stays."""


class EvidenceUpload(Base):
    """A file that arrives in pieces (tus 1.0), until it has become a piece of evidence."""

    __tablename__ = "evidence_upload"
    __table_args__ = (
        CheckConstraint(f"state IN {UPLOAD_STATES}", name="state"),
        CheckConstraint("length > 0 AND received >= 0 AND received <= length", name="received"),
        CheckConstraint("state <> 'joining' OR received = length", name="joining_is_whole"),
        CheckConstraint("(state = 'refused') = (problem <> '')", name="problem"),
        # The same file, chosen again after a reload, goes on where it was.
        Index(
            "uq_evidence_upload_fingerprint",
            "attempt_id",
            "requirement_id",
            "fingerprint",
            unique=True,
            sqlite_where=text("state = 'receiving'"),
            postgresql_where=text("state = 'receiving'"),
        ),
        Index("ix_evidence_upload_touched_at", "touched_at"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    part_id: Mapped[str] = mapped_column(String(60))
    requirement_id: Mapped[str] = mapped_column(String(60))
    file_name: Mapped[str] = mapped_column(String(300))
    caption: Mapped[str] = mapped_column(String(300), server_default="")
    fingerprint: Mapped[str] = mapped_column(String(64))
    """Of name, size and date of change, made by the browser; it only finds an upload of one's own again."""
    length: Mapped[int] = mapped_column(BIGINT)
    """Bytes of the whole file."""
    received: Mapped[int] = mapped_column(BIGINT)
    state: Mapped[str] = mapped_column(String(20))
    problem: Mapped[str] = mapped_column(Text, server_default="")
    """Why it did not become evidence, in words for its owner."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EvidenceUploadPiece(Base):
    """Bytes `start` up to `start + size` of an upload, an object of their own in the store."""

    __tablename__ = "evidence_upload_piece"
    __table_args__ = (
        UniqueConstraint("upload_id", "start"),
        CheckConstraint("start >= 0 AND size > 0", name="size"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("evidence_upload.id", ondelete="CASCADE"))
    start: Mapped[int] = mapped_column(BIGINT)
    size: Mapped[int] = mapped_column(Integer)
    storage_key: Mapped[str] = mapped_column(String(200))
