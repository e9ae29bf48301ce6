"""What certificates and records say: an award in words and dates that are ready to be shown."""

from datetime import datetime

from microcred.badges.facts import Addresses
from microcred.badges.pdf import CertificateFacts
from microcred.badges.public_award import PublicAward
from microcred.credentials.labels import hours_in_words
from microcred.web.base import wording


def certificate_facts(
    award: PublicAward, addresses: Addresses, now: datetime, holder: str | None
) -> CertificateFacts:
    """The facts of one award; `holder` is the name to print, or None."""
    document = award.definition.document
    standards = (f"{one.framework} {one.code}: {one.label}" for one in document.standards_alignment)
    return CertificateFacts(
        badge_name=document.badge.name,
        title=document.title,
        issuer=award.issuer_name,
        awarded_on=wording.date(award.awarded_at, award.zone),
        hours=hours_in_words(award.definition),
        number=award.public_id,
        page_url=addresses.page(award.public_id),
        holder=holder,
        valid_until=wording.date(award.valid_until, award.zone) if award.valid_until else None,
        standards=tuple(standards),
        warning=_warning(award, now),
    )


def _warning(award: PublicAward, now: datetime) -> str | None:
    if award.revoked_at is not None:
        return f"Not valid any more: the issuer took it back on {wording.date(award.revoked_at, award.zone)}."
    if award.valid_until is not None and award.valid_until <= now:
        return f"Expired on {wording.date(award.valid_until, award.zone)}."
    return "Test badge: not a record of achievement." if award.is_test else None
