"""Tables of placements: a credential in a course, its columns in the gradebook."""

from datetime import datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from microcred.database import BIGINT, Base, UtcDateTime, random_id

GRADE_SCHEMES = ("complete", "hundred", "rubric_points", "per_part", "graduate_letter")


class Placement(Base):
    """A credential in a course: version, grade scheme, dates. Found again by `placement` in the link's custom
    values.
    """

    __tablename__ = "placement"
    __table_args__ = (
        CheckConstraint(f"grade_scheme IN {GRADE_SCHEMES}", name="grade_scheme"),
        CheckConstraint("denied_as IN ('blank', 'zero')", name="denied_as"),
        CheckConstraint(
            "open_from IS NULL OR submit_by IS NULL OR open_from < submit_by", name="opens_before_it_closes"
        ),
        CheckConstraint("reviewer_pool_id IS NULL OR NOT outside_reviewers", name="one_pool"),
        # A choice made twice in one deep linking page is one placement, whichever button was pressed again.
        UniqueConstraint("made_in_launch_id", "version_id"),
        Index("ix_placement_context", "context_id"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True, default=random_id)
    context_id: Mapped[int | None] = mapped_column(ForeignKey("context.id"))
    """None only for a placement made before its course was known (deep linking without a context)."""
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("credential_version.id"), index=True)
    stack_version_id: Mapped[int | None] = mapped_column(ForeignKey("credential_version.id"), index=True)
    """The stack it was put there with, where it carries the column that counts what is earned of it."""
    copied_from_id: Mapped[int | None] = mapped_column(ForeignKey("placement.id"))
    """The placement this one was copied from with its course."""
    resource_link_id: Mapped[int | None] = mapped_column(ForeignKey("resource_link.id"), unique=True)
    """Set by the first launch of the link."""
    grade_scheme: Mapped[str] = mapped_column(String(30))
    denied_as: Mapped[str] = mapped_column(String(10), default="blank")
    open_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Nobody starts before; it can be read all the time."""
    submit_by: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outside_reviewers: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """Work from here is read by people of other organizations only; else by anybody in the issuer's pool."""
    reviewer_pool_id: Mapped[int | None] = mapped_column(ForeignKey("reviewer_pool.id"), index=True)
    """Work from here is read by these reviewers only."""
    made_in_launch_id: Mapped[int | None] = mapped_column(ForeignKey("launch.id"))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    columns: Mapped[list["GradeColumn"]] = relationship(order_by="GradeColumn.id", lazy="raise")


class GradeColumn(Base):
    """One gradebook column of a placement. `tag` is `main`, a part id or that of a stack; with `resourceId`
    it finds the line item again.
    """

    __tablename__ = "grade_column"
    __table_args__ = (
        UniqueConstraint("placement_id", "tag"),
        CheckConstraint("score_maximum > 0", name="score_maximum"),
    )

    id: Mapped[int] = mapped_column(BIGINT, primary_key=True)
    placement_id: Mapped[int] = mapped_column(ForeignKey("placement.id"))
    tag: Mapped[str] = mapped_column(String(60))
    label: Mapped[str] = mapped_column(String(300))
    score_maximum: Mapped[float] = mapped_column(Float)
    lineitem_url: Mapped[str | None] = mapped_column(Text)
    """Known from a launch, or found or created through AGS."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
