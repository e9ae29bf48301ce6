"""An organization's policies, read from `Organization.policies` with a default for each."""

from collections.abc import Mapping
from dataclasses import dataclass
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


def counted_issuers(session: Session, organization_id: int | None) -> frozenset[str]:
    """Issuers of badges from elsewhere (`counts_badges_of`, their ids) whose verified badges count; `*` is
    all. By default none do.
    """
    listed = _policies(session, organization_id).get("counts_badges_of", [])
    return frozenset(str(one) for one in listed) if isinstance(listed, list) else frozenset()


def _policies(session: Session, organization_id: int | None) -> dict[str, Any]:
    organization = session.get(Organization, organization_id) if organization_id is not None else None
    return organization.policies if organization is not None else {}


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(name) if isinstance(name, str) else DEFAULT_ZONE
    except (ZoneInfoNotFoundError, ValueError):
        return DEFAULT_ZONE


@dataclass(frozen=True)
class Reviewing:
    """How an issuer's work is reviewed (`reviewing` in its policies); a default for what it does not say."""

    double_score_percent: int | None = None
    """Share of tries that a second reviewer reads, drawn at random; None: as the credential says."""
    double_score_borderline: bool = True
    take_percent: int = 20
    """Share of the time until the decision in which work is free to take; then it is assigned."""
    outside_only: bool = False
    """Reviewers read no work from an organization they belong to."""
    calibration_anchors: int = 3
    """Anchors in a round; a credential with fewer asks for no calibration."""
    calibration_percent: int = 80
    """Exact agreement with the agreed ratings that lets a reviewer in."""
    calibration_months: int = 12
    """How long a passed round counts."""
    appeal_days: int = 20
    """Business days in which a teacher may appeal."""
    appeal_decision_days: int = 10
    """Business days in which an appeal is decided."""
    coaching: bool = True
    """Whether a coach is offered after the tries that the credential names."""
    zero_when_withdrawn: bool = False
    """Whether the grade of a withdrawn award becomes 0 in this organization's courses; else it stays."""


REVIEWING_BOUNDS: Mapping[str, tuple[int, int]] = {
    "double_score_percent": (0, 100),
    "take_percent": (0, 100),
    "calibration_anchors": (1, 20),
    "calibration_percent": (1, 100),
    "calibration_months": (1, 120),
    "appeal_days": (1, 250),
    "appeal_decision_days": (1, 60),
}
"""The least and the most of each rule for reviewing that is a number."""
REVIEWING_SWITCHES = ("double_score_borderline", "outside_only", "coaching", "zero_when_withdrawn")
"""The rules for reviewing that hold or do not."""


def reviewing_of(session: Session, organization_id: int | None) -> Reviewing:
    """The issuer's rules for reviewing; anything that is not a number in its bounds counts as not said."""
    said = _policies(session, organization_id).get("reviewing")
    if not isinstance(said, dict):
        return Reviewing()
    known = {
        name: said[name]
        for name, (low, high) in REVIEWING_BOUNDS.items()
        if type(said.get(name)) is int and low <= said[name] <= high
    }
    known |= {name: said[name] for name in REVIEWING_SWITCHES if isinstance(said.get(name), bool)}
    return Reviewing(**known)
