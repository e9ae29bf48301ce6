"""Tables of grade passback: a learner's cell in a gradebook column, and who is making a column just now."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from microcred.database import BIGINT, Base, UtcDateTime


class ScoreLine(Base):
    """One learner in one column. What was sent and what came of it is in the outbox rows of its order key."""

    __tablename__ = "score_line"
    __table_args__ = (
        UniqueConstraint("column_id", "identity_id"),
        Index("ix_score_line_identity_id", "identity_id"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    column_id: Mapped[int] = mapped_column(ForeignKey("grade_column.id"))
    identity_id: Mapped[int] = mapped_column(ForeignKey("lms_identity.id"))
    lineitem_url: Mapped[str | None] = mapped_column(Text)
    """The line item of this learner's own launch; with linked sections each learner may have another."""
    last_stamp: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The newest timestamp given to a score of this cell; the next one is at least a second later."""
    row_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id", ondelete="SET NULL"))
    """The newest outbox row of this cell."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LineItemClaim(Base):
    """Somebody creates a column's line item just now. Kept after a lost answer until the platform must
    have settled."""

    __tablename__ = "line_item_claim"

    column_id: Mapped[int] = mapped_column(ForeignKey("grade_column.id"), primary_key=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
