"""Open Badges 3.0: the credential and its achievement (Final Release, 23 December 2024, section B.1).

Only terms that every published copy of the 3.0.3 context defines are used, and what may be many is always
a list, since verifiers differ in what else they accept.
"""

from microcred.badges.facts import (
    AlignmentFacts,
    AwardFacts,
    ClassFacts,
    CriterionFacts,
    EvidenceFacts,
    IdentifierFacts,
    LevelFacts,
    OrganizationFacts,
    ResultFacts,
    check,
)
from microcred.badges.values import (
    TEST_NARRATIVE,
    Document,
    address,
    fragment,
    moment,
    number,
    optional,
    optional_moment,
    text,
    without_none,
)
from microcred.badges.vocabulary import CREDENTIALS_V2, OPEN_BADGES_3


def ob3_credential(facts: AwardFacts, *, achievement: Document | None = None) -> Document:
    """The unsigned OpenBadgeCredential (VC data model 2.0). Raises FactsError.

    `achievement` is `achievement_part(facts.of_class)`, for whoever writes many badges of one version.
    """
    check(facts)
    return without_none(
        {
            "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
            "id": facts.addresses.credential(facts.public_id),
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": text(facts.achievement.name),
            "issuer": profile(facts.issuer_did, facts.issuer),
            "awardedDate": moment(facts.awarded_date),
            "validFrom": moment(facts.valid_from),
            "validUntil": optional_moment(facts.valid_until),
            "credentialSubject": _subject(facts, achievement or achievement_part(facts.of_class)),
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


def ob3_achievement(facts: ClassFacts) -> Document:
    """The Achievement as it is served at its own id, the `achievement.id` of the credentials."""
    return {"@context": [CREDENTIALS_V2, OPEN_BADGES_3], **achievement_part(facts)}


def achievement_part(facts: ClassFacts) -> Document:
    """The Achievement inside a credential. Raises FactsError."""
    addresses, achievement = facts.addresses, facts.achievement
    own_id = addresses.achievement(achievement.id)
    criteria = {
        "id": address(achievement.criteria_url) if achievement.criteria_url else None,
        "narrative": text(achievement.criteria_narrative),
    }
    image = {"id": addresses.art(achievement.id), "type": "Image", "caption": optional(achievement.image_alt)}
    return without_none(
        {
            "id": own_id,
            "type": ["Achievement"],
            "achievementType": text(achievement.achievement_type),
            "name": text(achievement.name),
            "description": text(achievement.description),
            "criteria": without_none(criteria),
            "humanCode": optional(achievement.code),
            "version": optional(achievement.version),
            "inLanguage": optional(achievement.language),
            "creditsAvailable": number(achievement.credits_available),
            "image": without_none(image),
            "alignment": [_alignment(item) for item in dict.fromkeys(achievement.alignments)] or None,
            "resultDescription": [_description(own_id, item) for item in achievement.criteria] or None,
            "tag": [text(tag) for tag in achievement.tags] or None,
            "endorsement": list(achievement.endorsements) or None,
        }
    )


def _subject(facts: AwardFacts, achievement: Document) -> Document:
    subject_id = facts.recipient.subject_id
    return without_none(
        {
            "id": address(subject_id) if subject_id else None,
            "type": ["AchievementSubject"],
            "identifier": [identity_object(item) for item in facts.recipient.identifiers] or None,
            "achievement": achievement,
            "narrative": TEST_NARRATIVE if facts.test else None,
            "creditsEarned": number(facts.credits_earned),
            "source": _source(facts),
            "result": [_result(facts, item) for item in facts.results] or None,
        }
    )


def identity_object(item: IdentifierFacts) -> Document:
    """An IdentityObject: the salted hash alone."""
    return {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": item.hashed,
        "identityType": item.kind,
        "salt": item.salt,
    }


def _result(facts: AwardFacts, item: ResultFacts) -> Document:
    base = facts.addresses.achievement(facts.achievement.id)
    return {
        "type": ["Result"],
        "resultDescription": fragment(base, item.criterion),
        "achievedLevel": fragment(base, item.criterion, item.level),
        "status": "Completed",
    }


def _description(achievement_url: str, criterion: CriterionFacts) -> Document:
    required = criterion.required_level
    return without_none(
        {
            "id": fragment(achievement_url, criterion.id),
            "type": ["ResultDescription"],
            "name": text(criterion.name),
            "resultType": "RubricCriterionLevel",
            "requiredLevel": fragment(achievement_url, criterion.id, required) if required else None,
            "rubricCriterionLevel": [
                _level(fragment(achievement_url, criterion.id, level.key), level)
                for level in criterion.levels
            ],
        }
    )


def _level(own_id: str, level: LevelFacts) -> Document:
    return without_none(
        {
            "id": own_id,
            "type": ["RubricCriterionLevel"],
            "name": text(level.name),
            "points": optional(level.points),
            "description": optional(level.description),
        }
    )


def profile(own_id: str, organization: OrganizationFacts) -> Document:
    """An organization as Profile; `own_id` is its DID where it issues."""
    return without_none(
        {
            "id": own_id,
            "type": ["Profile"],
            "name": text(organization.name),
            "url": address(organization.url),
            "email": optional(organization.email),
            "description": optional(organization.description),
        }
    )


def _source(facts: AwardFacts) -> Document | None:
    assessor = facts.assessed_by
    if assessor is None:
        return None
    own_id = facts.issuer_did if assessor == facts.issuer else facts.addresses.issuer(assessor.id)
    return profile(own_id, assessor)


def _alignment(item: AlignmentFacts) -> Document:
    return without_none(
        {
            "type": ["Alignment"],
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
            "type": ["Evidence"],
            "name": text(item.name),
            "narrative": optional(item.narrative),
        }
    )
