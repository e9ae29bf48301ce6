"""Tables around reviewing: conflicts, kept comments, flags, practice, appeals, what teachers ask for."""

from datetime import datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from microcred.database import BIGINT, Base, Json, UtcDateTime, random_id

FLAG_KINDS = ("copying", "unreadable", "concern")
REQUEST_KINDS = ("coaching", "renewal")


class ReviewConflict(Base):
    """A reviewer said that they know whose work a pursuit is: they never read any of it again."""

    __tablename__ = "review_conflict"
    __table_args__ = (UniqueConstraint("reviewer_id", "pursuit_id"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    pursuit_id: Mapped[int] = mapped_column(ForeignKey("pursuit.id"), index=True)
    declared_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReviewerPool(Base):
    """Some of an issuer's reviewers under a name, whom a course may choose for its work."""

    __tablename__ = "reviewer_pool"
    __table_args__ = (UniqueConstraint("issuer_id", "name"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    issuer_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    name: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReviewerPoolMember(Base):
    """A reviewer in a pool. Whether they are a reviewer still is asked of their grants."""

    __tablename__ = "reviewer_pool_member"

    pool_id: Mapped[int] = mapped_column(ForeignKey("reviewer_pool.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SavedComment(Base):
    """A comment that a reviewer keeps for using again; theirs alone."""

    __tablename__ = "saved_comment"
    __table_args__ = (
        Index("ix_saved_comment_reviewer_credential", "reviewer_id", "credential_id", "criterion_id"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    credential_id: Mapped[int] = mapped_column(ForeignKey("credential.id"))
    criterion_id: Mapped[str] = mapped_column(String(60))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReviewFlag(Base):
    """Something a reviewer wants the issuer to look at before deciding."""

    __tablename__ = "review_flag"
    __table_args__ = (
        CheckConstraint(f"kind IN {FLAG_KINDS}", name="kind"),
        CheckConstraint("(settled_at IS NULL) = (settled_by_id IS NULL)", name="settled"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), index=True)
    raised_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(20))
    detail: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Anchor(Base):
    """A decided try with agreed ratings, on which reviewers train. It is read under a name of its own."""

    __tablename__ = "anchor"
    __table_args__ = (Index("ix_anchor_credential_retired_at", "credential_id", "retired_at"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), unique=True)
    credential_id: Mapped[int] = mapped_column(ForeignKey("credential.id"))
    agreed: Mapped[dict[str, str]] = mapped_column(Json)
    """Level key by criterion id: what was agreed on."""
    reasons: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    """Why that level, by criterion id; shown after a round."""
    marked_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    marked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CalibrationRound(Base):
    """A reviewer's ratings of several anchors, compared with the agreed ones when all are given."""

    __tablename__ = "calibration_round"
    __table_args__ = (
        CheckConstraint("(finished_at IS NULL) = (passed IS NULL)", name="finished"),
        CheckConstraint("valid_until IS NULL OR passed", name="valid_if_passed"),
        CheckConstraint("agreed BETWEEN 0 AND compared", name="agreed"),
        Index(
            "uq_calibration_round_open",
            "reviewer_id",
            "credential_id",
            unique=True,
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
        Index("ix_calibration_round_standing", "reviewer_id", "credential_id", "valid_until"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    credential_id: Mapped[int] = mapped_column(ForeignKey("credential.id"))
    anchor_ids: Mapped[list[int]] = mapped_column(Json)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    compared: Mapped[int] = mapped_column(Integer, default=0)
    """How many points were compared."""
    agreed: Mapped[int] = mapped_column(Integer, default=0)
    """How many of them were exactly as agreed."""
    passed: Mapped[bool | None] = mapped_column(Boolean)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CalibrationRating(Base):
    """A level given for one point of one anchor in a round."""

    __tablename__ = "calibration_rating"
    __table_args__ = (UniqueConstraint("round_id", "anchor_id", "criterion_id"),)

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("calibration_round.id"))
    anchor_id: Mapped[int] = mapped_column(ForeignKey("anchor.id"))
    criterion_id: Mapped[str] = mapped_column(String(60))
    level: Mapped[str] = mapped_column(String(40))


class Appeal(Base):
    """A teacher's appeal against a decision about a try, and the decision that answered it."""

    __tablename__ = "appeal"
    __table_args__ = (
        CheckConstraint("(closed_at IS NULL) = (decision_id IS NULL)", name="closed"),
        Index(
            "uq_appeal_open",
            "attempt_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_appeal_issuer", "issuer_id", "closed_at", "id"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"))
    issuer_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"), unique=True)


class TeacherRequest(Base):
    """What a teacher asks of the issuer beside the workflow: a coach, or the renewal of an award."""

    __tablename__ = "teacher_request"
    __table_args__ = (
        CheckConstraint(f"kind IN {REQUEST_KINDS}", name="kind"),
        CheckConstraint("(answered_at IS NULL) = (answered_by_id IS NULL)", name="answered"),
        Index(
            "uq_teacher_request_open",
            "pursuit_id",
            "kind",
            unique=True,
            sqlite_where=text("answered_at IS NULL"),
            postgresql_where=text("answered_at IS NULL"),
        ),
        Index("ix_teacher_request_issuer", "issuer_id", "answered_at", "id"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    pursuit_id: Mapped[int] = mapped_column(ForeignKey("pursuit.id"))
    issuer_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    kind: Mapped[str] = mapped_column(String(20))
    message: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    answer: Mapped[str] = mapped_column(Text, default="")
