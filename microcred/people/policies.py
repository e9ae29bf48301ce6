"""An organization's policies, read from `Organization.policies` with a default for each."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.orm import Session

from microcred.people.models import Organization

DEFAULT_ZONE = ZoneInfo("America/New_York")


def zone_of(session: Session, organization_id: int | None) -> ZoneInfo:
    """The time zone (`time_zone`, an IANA name) in which the organization's people read dates."""
    return _zone(_policies(session, organization_id).get("time_zone"))


def holidays_of(session: Session, organization_id: int | None) -> frozenset[date]:
    """Days (`holidays`, ISO dates) that are not business days there, beside Saturdays and Sundays."""
    return frozenset(
        date.fromisoformat(text) for text in _policies(session, organization_id).get("holidays", [])
    )


def _policies(session: Session, organization_id: int | None) -> dict[str, Any]:
    organization = session.get(Organization, organization_id) if organization_id is not None else None
    return organization.policies if organization is not None else {}


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(name) if isinstance(name, str) else DEFAULT_ZONE
    except (ZoneInfoNotFoundError, ValueError):
        return DEFAULT_ZONE
