"""Open Badges 2.0, hosted: Assertion, BadgeClass and issuer Profile, each served at its own id."""

from collections.abc import Sequence
from typing import Any

from microcred.badges.errors import FactsError
from microcred.badges.facts import (
    Addresses,
    AlignmentFacts,
    AwardFacts,
    ClassFacts,
    EvidenceFacts,
    OrganizationFacts,
    check,
    identity_hash,
)
from microcred.badges.values import (
    TEST_NARRATIVE,
    Document,
    address,
    moment,
    optional,
    optional_moment,
    text,
    without_none,
)

OPEN_BADGES_2 = "https://w3id.org/openbadges/v2"


def ob2_assertion(facts: AwardFacts) -> Document:
    """The Assertion of one award. Raises FactsError."""
    check(facts)
    known_by = ("email", facts.recipient.email) if facts.recipient.email else ("url", facts.recipient.url)
    recipient: dict[str, Any] = {
        "type": known_by[0],
        "identity": identity_hash(
            text(known_by[1]) if known_by[0] == "email" else address(known_by[1]), facts.recipient.salt
        ),
        "hashed": True,
        "salt": facts.recipient.salt,
    }
    return without_none(
        {
            "@context": OPEN_BADGES_2,
            "id": facts.addresses.assertion(facts.public_id),
            "type": "Assertion",
            "recipient": recipient,
            "badge": facts.addresses.badge_class(facts.achievement.id),
            "verification": {"type": "HostedBadge"},
            "image": facts.addresses.baked(facts.public_id),
            "issuedOn": moment(facts.awarded_date),
            "expires": optional_moment(facts.valid_until),
            "narrative": TEST_NARRATIVE if facts.test else None,
            "evidence": [_evidence(item) for item in facts.evidence] or None,
        }
    )


def ob2_badge_class(facts: ClassFacts) -> Document:
    """The BadgeClass of one version of a credential."""
    addresses, achievement = facts.addresses, facts.achievement
    image = {"id": addresses.art(achievement.id), "caption": optional(achievement.image_alt)}
    criteria = {
        "id": address(achievement.criteria_url) if achievement.criteria_url else None,
        "narrative": text(achievement.criteria_narrative),
    }
    return without_none(
        {
            "@context": OPEN_BADGES_2,
            "id": addresses.badge_class(achievement.id),
            "type": "BadgeClass",
            "name": text(achievement.name),
            "description": text(achievement.description),
            "image": without_none(image),
            "criteria": without_none(criteria),
            "issuer": addresses.issuer(facts.issuer.id),
            "alignment": [_alignment(item) for item in dict.fromkeys(achievement.alignments)] or None,
            "tags": [text(tag) for tag in achievement.tags] or None,
        }
    )


def ob2_issuer_profile(addresses: Addresses, issuer: OrganizationFacts, keys: Sequence[str] = ()) -> Document:
    """The issuer's Profile; `keys` are the addresses of those that sign its assertions, where it has any.

    Raises FactsError `issuer_email`: OB 2.0 requires an address for questions.
    """
    if not issuer.email:
        raise FactsError("issuer_email", "an OB 2.0 issuer needs an e-mail address")
    return without_none(
        {
            "@context": OPEN_BADGES_2,
            "id": addresses.issuer(issuer.id),
            "type": "Issuer",
            "name": text(issuer.name),
            "url": address(issuer.url),
            "email": text(issuer.email),
            "description": optional(issuer.description),
            "publicKey": list(keys) or None,
            "revocationList": addresses.revocations(issuer.id) if keys else None,
        }
    )


def ob2_revoked(addresses: Addresses, public_id: str, reason: str) -> Document:
    """What a revoked Assertion's address answers, with status 410 (section Revocation)."""
    return {
        "@context": OPEN_BADGES_2,
        "id": addresses.assertion(public_id),
        "type": "Assertion",
        "revoked": True,
        "revocationReason": text(reason),
    }


def _alignment(item: AlignmentFacts) -> Document:
    return without_none(
        {
            "targetName": text(item.name),
            "targetUrl": address(item.url),
            "targetCode": optional(item.code),
            "targetFramework": optional(item.framework),
            "targetDescription": optional(item.description),
        }
    )


def _evidence(item: EvidenceFacts) -> Document:
    return without_none(
        {
            "id": address(item.url),
            "type": "Evidence",
            "name": text(item.name),
            "narrative": optional(item.narrative),
        }
    )
