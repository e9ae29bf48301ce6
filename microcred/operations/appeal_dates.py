"""Until when a teacher may appeal and by when that is decided: business days of the course's owner."""

from datetime import datetime

from sqlalchemy.orm import Session

from microcred.credentials.due import add_business_days
from microcred.people import policies
from microcred.placements import Placement


def until(session: Session, placement: Placement, issuer_id: int, decided_at: datetime) -> datetime:
    """The last moment for an appeal against a decision of `decided_at`."""
    days = policies.reviewing_of(session, issuer_id).appeal_days
    return _days_later(session, placement, decided_at, days)


def decision_by(session: Session, placement: Placement, issuer_id: int, opened_at: datetime) -> datetime:
    """The day by which an appeal opened at `opened_at` is decided."""
    days = policies.reviewing_of(session, issuer_id).appeal_decision_days
    return _days_later(session, placement, opened_at, days)


def _days_later(session: Session, placement: Placement, moment: datetime, days: int) -> datetime:
    return add_business_days(
        moment,
        days,
        policies.zone_of(session, placement.organization_id),
        policies.holidays_of(session, placement.organization_id),
    )
