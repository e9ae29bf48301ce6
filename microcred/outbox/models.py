"""The outbox table: everything that must happen later or leave the building."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from microcred.database import BIGINT, Base, Json, UtcDateTime

OUTBOX_STATES = ("waiting", "delivered", "accepted", "unverified", "blocked", "superseded", "dead", "cancelled")


class OutboxRow(Base):
    """One thing to deliver or to do. Its payload holds the final bytes and timestamp; a retry repeats both."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(f"state IN {OUTBOX_STATES}", name="state"),
        CheckConstraint("state <> 'blocked' OR reason IS NOT NULL", name="blocked_has_reason"),
        Index("ix_outbox_due", "due_at", "id", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
        Index("ix_outbox_order", "order_key", "id"),
        Index("ix_outbox_destination_state", "destination", "state"),
        Index("ix_outbox_subject", "subject_type", "subject_id"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    """Names the handler: `score`, `badge`, `mail` ..."""
    destination: Mapped[str] = mapped_column(String(80))
    """Limits, rate and breaker are kept per destination, such as `registration:7`; `local` for work of our own."""
    order_key: Mapped[str | None] = mapped_column(String(300))
    """Rows with the same key leave in order, one in flight; an older unsent one is superseded by a newer."""
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(80))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    reason: Mapped[str | None] = mapped_column(String(60))
    """For blocked and dead rows: the code of what a person must do."""
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int] = mapped_column(Integer, default=0)
    """Rises with every claim; a result is written only by the holder of the newest number."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    first_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_answer: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """Redacted: status, code, up to 500 characters of body."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
