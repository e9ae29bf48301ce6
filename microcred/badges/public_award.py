"""An award as anybody may see it, and why there may be nothing to see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.badges import keys
from microcred.badges.endorsing import Endorsed, endorsed_by
from microcred.badges.lifecycle import is_withdrawn
from microcred.badges.models import Badge, HoldersChoice
from microcred.credentials import Definition, definition_of
from microcred.credentials.models import Award, CredentialVersion
from microcred.people import policies
from microcred.people.models import Organization, Person

Document = dict[str, Any]


class BadgeGone(Exception):
    """The badge was revoked or withdrawn; `document` is what its address answers with status 410."""

    def __init__(self, document: Document) -> None:
        super().__init__("gone")
        self.document = document


class NoSuchBadge(Exception):
    """There is nothing under this address."""


@dataclass(frozen=True)
class PublicAward:
    """What the verification page shows of an award; no evidence, and a name only by the holder's choice."""

    public_id: str
    """The one id of award and badge, in every public address."""
    is_issued: bool
    """False while the badge is still being made."""
    definition: Definition
    version_public_id: str
    issuer_name: str
    issuer_url: str | None
    holder_name: str | None
    awarded_at: datetime
    valid_until: datetime | None
    clock_hours: int
    revoked_at: datetime | None
    revocation_reason: str | None
    is_test: bool
    is_withdrawn: bool
    zone: ZoneInfo
    """The issuer's time zone: dates are shown in it."""
    is_trial: bool = False
    """The work of a test user or on a test site: no badge is ever made of it."""
    shared: tuple[str, str] | None = None
    """Heading and words of the one piece of writing that the holder shows."""
    endorsements: tuple[Endorsed, ...] = ()


def read_award(session: Session, award_id: str, badge_url: str) -> PublicAward:
    """What anybody may know of an award (by public id). Raises NoSuchBadge."""
    award = session.scalar(select(Award).where(Award.public_id == award_id))
    if award is None:
        raise NoSuchBadge
    version = session.get_one(CredentialVersion, award.version_id)
    issuer = session.get_one(Organization, award.issuer_id)
    person = session.get_one(Person, award.person_id)
    issued_at = session.scalar(select(Badge.issued_at).where(Badge.award_id == award.id))
    return PublicAward(
        public_id=award.public_id,
        is_issued=issued_at is not None,
        definition=definition_of(session, version),
        version_public_id=version.public_id,
        issuer_name=issuer.name,
        issuer_url=issuer.url,
        holder_name=person.name if award.shows_name else None,
        awarded_at=award.awarded_at,
        valid_until=award.valid_until,
        clock_hours=award.clock_hours,
        revoked_at=award.revoked_at,
        revocation_reason=award.revocation_reason,
        is_test=award.is_test or keys.is_test_address(badge_url),
        is_withdrawn=is_withdrawn(session, award, person),
        zone=policies.zone_of(session, award.issuer_id),
        is_trial=award.is_test,
        shared=_shared(session.get(HoldersChoice, award.id)),
        endorsements=endorsed_by(session, version.id),
    )


def _shared(choice: HoldersChoice | None) -> tuple[str, str] | None:
    if choice is None or choice.shared_title is None or choice.shared_text is None:
        return None
    return choice.shared_title, choice.shared_text
