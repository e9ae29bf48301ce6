"""The documents of a badge: OB 3.0 credential, OB 2.0 Assertion, BadgeClass and Profile, from one `AwardFacts`.

Only terms that every published copy of the OB 3.0.3 context defines are used, and what may be many is always a list,
since verifiers differ in what else they accept. Text from outside goes in as text: JSON needs no escaping, and
control characters, which verifiers canonicalise in different ways, are left out.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from microcred.badges.errors import FactsError
from microcred.badges.facts import (
    AchievementFacts,
    Addresses,
    AlignmentFacts,
    AwardFacts,
    CriterionFacts,
    EvidenceFacts,
    IdentifierFacts,
    LevelFacts,
    OrganizationFacts,
    RecipientFacts,
    ResultFacts,
    StatusEntry,
    identity_hash,
)
from microcred.badges.integrity import xsd_datetime
from microcred.badges.linked_data import CREDENTIALS_V2, OPEN_BADGES_3

__all__ = [
    "AchievementFacts",
    "Addresses",
    "AlignmentFacts",
    "AwardFacts",
    "CriterionFacts",
    "EvidenceFacts",
    "IdentifierFacts",
    "LevelFacts",
    "OrganizationFacts",
    "RecipientFacts",
    "ResultFacts",
    "StatusEntry",
    "ob2_assertion",
    "ob2_badge_class",
    "ob2_issuer",
    "ob2_revoked",
    "ob3_achievement",
    "ob3_credential",
]

OPEN_BADGES_2 = "https://w3id.org/openbadges/v2"

_TEST_NARRATIVE = (
    "Test badge. It was issued from an address that is not public on the internet, so that others cannot look up "
    "its issuer. It is not a record of achievement."
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_AN_ADDRESS = re.compile(r"[\x00-\x20\x7f<>\"{}|\\^`]")

Document = dict[str, Any]


def ob3_credential(facts: AwardFacts) -> Document:
    """The unsigned OB 3.0 credential (OpenBadgeCredential, VC data model 2.0). Raises FactsError."""
    _check(facts)
    urls = facts.addresses
    return _without_none(
        {
            "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
            "id": urls.credential(facts.public_id),
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": _text(facts.achievement.name),
            "issuer": _profile(facts.issuer_did, facts.issuer),
            "awardedDate": xsd_datetime(facts.awarded_date),
            "validFrom": xsd_datetime(facts.valid_from),
            "validUntil": _moment(facts.valid_until),
            "credentialSubject": _subject(facts),
            "evidence": [_evidence(item) for item in facts.evidence] or None,
            "credentialStatus": {
                "id": f"{facts.status.list_url}#{facts.status.index}",
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
                "statusListIndex": str(facts.status.index),
                "statusListCredential": facts.status.list_url,
            },
        }
    )


def ob3_achievement(facts: AwardFacts) -> Document:
    """The OB 3.0 Achievement, as it stands in the credential and is served at its own id."""
    achievement, urls = facts.achievement, facts.addresses
    own_id = urls.achievement(achievement.id)
    return _without_none(
        {
            "id": own_id,
            "type": ["Achievement"],
            "achievementType": achievement.achievement_type,
            "name": _text(achievement.name),
            "description": _text(achievement.description),
            "criteria": _without_none(
                {
                    "id": _url(achievement.criteria_url) if achievement.criteria_url else None,
                    "narrative": _text(achievement.criteria_narrative),
                }
            ),
            "creator": _profile(facts.issuer_did, facts.issuer),
            "humanCode": _optional(achievement.code),
            "version": _optional(achievement.version),
            "inLanguage": _optional(achievement.language),
            "creditsAvailable": _number(achievement.credits_available),
            "image": _without_none(
                {
                    "id": urls.art(achievement.id),
                    "type": "Image",
                    "caption": _optional(achievement.image_alt),
                }
            ),
            "alignment": [_alignment(item) for item in achievement.alignments] or None,
            "resultDescription": [_description(own_id, item) for item in achievement.criteria] or None,
            "tag": [_text(tag) for tag in achievement.tags] or None,
        }
    )


def ob2_assertion(facts: AwardFacts) -> Document:
    """The OB 2.0 Assertion, served at its own id (hosted verification). Raises FactsError."""
    _check(facts)
    urls = facts.addresses
    return _without_none(
        {
            "@context": OPEN_BADGES_2,
            "id": urls.assertion(facts.public_id),
            "type": "Assertion",
            "recipient": {
                "type": "url",
                "identity": identity_hash(facts.recipient.url, facts.recipient.salt),
                "hashed": True,
                "salt": facts.recipient.salt,
            },
            "badge": urls.badge_class(facts.achievement.id),
            "verification": {"type": "HostedBadge"},
            "image": urls.baked(facts.public_id),
            "issuedOn": xsd_datetime(facts.awarded_date),
            "expires": _moment(facts.valid_until),
            "narrative": _TEST_NARRATIVE if facts.test else None,
            "evidence": [
                _without_none(
                    {
                        "id": _url(item.url),
                        "type": "Evidence",
                        "name": _text(item.name),
                        "narrative": _optional(item.narrative),
                    }
                )
                for item in facts.evidence
            ]
            or None,
        }
    )


def ob2_badge_class(facts: AwardFacts) -> Document:
    """The OB 2.0 BadgeClass of the credential version, served at its own id."""
    achievement, urls = facts.achievement, facts.addresses
    return _without_none(
        {
            "@context": OPEN_BADGES_2,
            "id": urls.badge_class(achievement.id),
            "type": "BadgeClass",
            "name": _text(achievement.name),
            "description": _text(achievement.description),
            "image": _without_none(
                {"id": urls.art(achievement.id), "caption": _optional(achievement.image_alt)}
            ),
            "criteria": _without_none(
                {
                    "id": _url(achievement.criteria_url) if achievement.criteria_url else None,
                    "narrative": _text(achievement.criteria_narrative),
                }
            ),
            "issuer": urls.issuer(facts.issuer.id),
            "alignment": [_ob2_alignment(item) for item in achievement.alignments] or None,
            "tags": [_text(tag) for tag in achievement.tags] or None,
        }
    )


def ob2_issuer(facts: AwardFacts) -> Document:
    """The OB 2.0 issuer Profile, served at its own id. Raises FactsError `issuer_email` (OB 2.0 requires one)."""
    issuer = facts.issuer
    if not issuer.email:
        raise FactsError("issuer_email", "an OB 2.0 issuer needs an e-mail address for questions")
    return _without_none(
        {
            "@context": OPEN_BADGES_2,
            "id": facts.addresses.issuer(issuer.id),
            "type": "Issuer",
            "name": _text(issuer.name),
            "url": _url(issuer.url),
            "email": _text(issuer.email),
            "description": _optional(issuer.description),
        }
    )


def ob2_revoked(addresses: Addresses, public_id: str, reason: str) -> Document:
    """What a revoked assertion's address answers, with status 410 (OB 2.0, section Revocation)."""
    return {
        "@context": OPEN_BADGES_2,
        "id": addresses.assertion(public_id),
        "type": "Assertion",
        "revoked": True,
        "revocationReason": _text(reason),
    }


def _subject(facts: AwardFacts) -> Document:
    recipient = facts.recipient
    level_url = _level_url(facts)
    return _without_none(
        {
            "id": _url(recipient.subject_id) if recipient.subject_id else None,
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": True,
                    "identityHash": item.hashed,
                    "identityType": item.kind,
                    "salt": item.salt,
                }
                for item in recipient.identifiers
            ]
            or None,
            "achievement": ob3_achievement(facts),
            "narrative": _TEST_NARRATIVE if facts.test else None,
            "creditsEarned": _number(facts.credits_earned),
            "source": _source(facts),
            "result": [
                {
                    "type": ["Result"],
                    "resultDescription": level_url[item.criterion, None],
                    "achievedLevel": level_url[item.criterion, item.level],
                    "status": "Completed",
                }
                for item in facts.results
            ]
            or None,
        }
    )


def _description(achievement_url: str, criterion: CriterionFacts) -> Document:
    def level_url(key: str) -> str:
        return _fragment(achievement_url, criterion.id, key)

    return _without_none(
        {
            "id": _fragment(achievement_url, criterion.id),
            "type": ["ResultDescription"],
            "name": _text(criterion.name),
            "resultType": "RubricCriterionLevel",
            "requiredLevel": level_url(criterion.required_level) if criterion.required_level else None,
            "rubricCriterionLevel": [
                _without_none(
                    {
                        "id": level_url(level.key),
                        "type": ["RubricCriterionLevel"],
                        "name": _text(level.name),
                        "level": _text(level.name),
                        "points": _optional(level.points),
                        "description": _optional(level.description),
                    }
                )
                for level in criterion.levels
            ],
        }
    )


def _level_url(facts: AwardFacts) -> Mapping[tuple[str, str | None], str]:
    """The address of every criterion (level None) and every level."""
    base = facts.addresses.achievement(facts.achievement.id)
    urls: dict[tuple[str, str | None], str] = {}
    for criterion in facts.achievement.criteria:
        urls[criterion.id, None] = _fragment(base, criterion.id)
        for level in criterion.levels:
            urls[criterion.id, level.key] = _fragment(base, criterion.id, level.key)
    return urls


def _profile(own_id: str, organization: OrganizationFacts) -> Document:
    return _without_none(
        {
            "id": own_id,
            "type": ["Profile"],
            "name": _text(organization.name),
            "url": _url(organization.url),
            "email": _optional(organization.email),
            "description": _optional(organization.description),
        }
    )


def _source(facts: AwardFacts) -> Document | None:
    if facts.assessed_by is None:
        return None
    return _profile(facts.addresses.issuer(facts.assessed_by.id), facts.assessed_by)


def _alignment(item: AlignmentFacts) -> Document:
    return {"type": ["Alignment"], **_ob2_alignment(item)}


def _ob2_alignment(item: AlignmentFacts) -> Document:
    return _without_none(
        {
            "targetName": _text(item.name),
            "targetUrl": _url(item.url),
            "targetCode": _optional(item.code),
            "targetFramework": _optional(item.framework),
            "targetDescription": _optional(item.description),
        }
    )


def _evidence(item: EvidenceFacts) -> Document:
    return _without_none(
        {
            "id": _url(item.url),
            "type": ["Evidence"],
            "name": _text(item.name),
            "narrative": _optional(item.narrative),
        }
    )


def _check(facts: AwardFacts) -> None:
    if not facts.recipient.identifiers and not facts.recipient.subject_id:
        raise FactsError("recipient_missing", "a badge needs something that identifies its recipient")
    if facts.status.index < 0:
        raise FactsError("status_index", "a status index is never negative")
    if facts.valid_until is not None and facts.valid_until <= facts.awarded_date:
        raise FactsError("dates", "a badge cannot expire before it is awarded")
    known = _level_url(facts)
    for result in facts.results:
        if (result.criterion, result.level) not in known:
            raise FactsError("result_unknown", f"no level {result.level!r} of criterion {result.criterion!r}")


def _text(value: str) -> str:
    cleaned = _CONTROLS.sub("", value).strip()
    if not cleaned:
        raise FactsError("text_missing", "a text that a badge must show is empty")
    return cleaned


def _optional(value: str | None) -> str | None:
    return (_CONTROLS.sub("", value).strip() or None) if value else None


def _url(value: str) -> str:
    """An absolute address as it is. Raises FactsError `address_invalid`."""
    parts = urlsplit(value)
    if not parts.scheme or not (parts.netloc or parts.path) or _NOT_IN_AN_ADDRESS.search(value):
        raise FactsError("address_invalid", f"not an absolute address: {value!r}")
    return value


def _moment(value: datetime | None) -> str | None:
    return None if value is None else xsd_datetime(value)


def _number(value: float | None) -> float | None:
    """Whole numbers as such: 10.0 and 10 are signed alike, and 10 reads better."""
    return None if value is None else int(value) if float(value).is_integer() else value


def _fragment(url: str, *names: str) -> str:
    return f"{url}#{'/'.join(quote(name, safe='') for name in names)}"


def _without_none(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}
