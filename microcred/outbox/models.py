"""Tables of the outbox: what must happen later or leave the building, where it goes, and who works on it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, String, false
from sqlalchemy.orm import Mapped, mapped_column

from microcred.database import BIGINT, Base, Json, UtcDateTime

OUTBOX_STATES = (
    "waiting",
    "held",
    "delivered",
    "accepted",
    "unverified",
    "blocked",
    "superseded",
    "dead",
    "cancelled",
)
UNFINISHED = ("waiting", "held")


class OutboxRow(Base):
    """One thing to deliver or to do. Its payload holds the final bytes and timestamp; a retry repeats
    both."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(f"state IN {OUTBOX_STATES}", name="state"),
        CheckConstraint("state NOT IN ('blocked', 'dead') OR reason IS NOT NULL", name="stuck_has_reason"),
        CheckConstraint("(state IN ('waiting', 'held')) = (finished_at IS NULL)", name="finished_at"),
        CheckConstraint("leased_until IS NULL OR state = 'waiting'", name="leased_is_waiting"),
        CheckConstraint("state <> 'held' OR order_key IS NOT NULL", name="held_has_order_key"),
        # What a claim reads: its rows lie together in the order of their turn, so that neither a long history
        # nor a long queue costs anything, whatever the planner believes about how many wait.
        Index("ix_outbox_state", "state", "destination", "due_at", "id"),
        Index("ix_outbox_order", "order_key", "id"),
        Index("ix_outbox_subject", "subject_type", "subject_id"),
        Index("ix_outbox_finished_at", "finished_at"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    """Names the handler: `score`, `badge`, `mail` ..."""
    destination: Mapped[str] = mapped_column(String(80))
    """Limits, rate and breaker are kept per destination, such as `registration:7`; `local` for work of our
    own."""
    order_key: Mapped[str | None] = mapped_column(String(300))
    """Rows with the same key leave in order, one in flight; the later ones are `held` until their turn."""
    replaces: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """This row makes older unsent ones of its key pointless: they are superseded."""
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(80))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    reason: Mapped[str | None] = mapped_column(String(60))
    """What happened last, as a code; on blocked and dead rows what a person must look at."""
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it may next be claimed. A claim moves it to the end of the lease, so a lost lease is simply due
    again."""
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Set while a worker has it."""
    fence: Mapped[int] = mapped_column(Integer, default=0)
    """Rises with every claim; a result is written only by the holder of the newest number."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    first_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_answer: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """Redacted: status, code, up to 500 characters of body."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OutboxDestination(Base):
    """Where rows go, and whether it may be talked to now. Shared by all workers."""

    __tablename__ = "outbox_destination"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    """Failures of the destination itself in a row; a success makes it 0."""
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Nothing is sent before: the destination asked for it, or its breaker is open."""
    pause_reason: Mapped[str | None] = mapped_column(String(60))
    stopped: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """A person stopped it, such as by disabling a registration; nothing is sent until it is started again."""


class OutboxWorker(Base):
    """A living worker. Limits per destination are divided among them."""

    __tablename__ = "outbox_worker"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
