"""The badge as its holder sees it: the award, whether it is signed, and what became of grade and hours."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.badges.models import Badge
from microcred.credentials.models import Award
from microcred.outbox.models import OutboxRow

GradeState = Literal["none", "waiting", "delivered", "stuck"]
_ARRIVED = ("delivered", "accepted", "unverified")


@dataclass(frozen=True)
class EarnedBadge:
    """An award for its holder's page."""

    public_id: str
    awarded_at: datetime
    valid_until: datetime | None
    clock_hours: int
    is_signed: bool
    is_test: bool
    grade: GradeState
    grade_at: datetime | None


def earned_badge(session: Session, pursuit_id: int, attempt_id: int) -> EarnedBadge | None:
    """The award of a pursuit that stands; None where there is none."""
    award = session.scalar(
        select(Award)
        .where(Award.pursuit_id == pursuit_id, Award.revoked_at.is_(None))
        .order_by(Award.id.desc())
        .limit(1)
    )
    if award is None:
        return None
    image = session.scalar(select(Badge.image_key).where(Badge.award_id == award.id))
    grade, at = _grade(session, attempt_id)
    return EarnedBadge(
        award.public_id,
        award.awarded_at,
        award.valid_until,
        award.clock_hours,
        bool(image),
        award.is_test,
        grade,
        at,
    )


def _grade(session: Session, attempt_id: int) -> tuple[GradeState, datetime | None]:
    """How far the newest score of the try is."""
    row = session.execute(
        select(OutboxRow.state, OutboxRow.finished_at)
        .where(
            OutboxRow.kind == "score",
            OutboxRow.subject_type == "attempt",
            OutboxRow.subject_id == str(attempt_id),
        )
        .order_by(OutboxRow.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return "none", None
    if row.state in _ARRIVED:
        return "delivered", row.finished_at
    return ("waiting" if row.state == "waiting" else "stuck"), None
