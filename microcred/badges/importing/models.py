"""The table of badges earned elsewhere."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from microcred.badges.models import JsonDocument
from microcred.database import BIGINT, Base, Json, UtcDateTime, random_id


class ImportedBadge(Base):
    """A badge of another issuer in a person's portfolio, with what could be checked when it was looked at."""

    __tablename__ = "imported_badge"
    __table_args__ = (
        UniqueConstraint("person_id", "badge_id"),
        CheckConstraint("version IN ('2.0', '3.0')", name="version"),
        CheckConstraint("standing IN ('verified', 'partly', 'expired')", name="standing"),
        CheckConstraint("hours IS NULL OR hours > 0", name="hours"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    badge_id: Mapped[str] = mapped_column(String(1000))
    """The badge's own id, by which it is the same when it is brought again."""
    version: Mapped[str] = mapped_column(String(5))
    name: Mapped[str] = mapped_column(Text)
    issuer_id: Mapped[str] = mapped_column(Text)
    issuer_name: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    hours: Mapped[int | None] = mapped_column(Integer)
    standing: Mapped[str] = mapped_column(String(10))
    checks: Mapped[list[Any]] = mapped_column(Json)
    """Rows of what, outcome and code."""
    document: Mapped[dict[str, Any]] = mapped_column(JsonDocument)
    """As it was handed in, for whoever wants to check it again."""
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
