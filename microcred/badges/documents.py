"""The documents of a badge in both versions, and the facts they are written from."""

from microcred.badges.facts import (
    AchievementFacts,
    Addresses,
    AlignmentFacts,
    AwardFacts,
    ClassFacts,
    CriterionFacts,
    EvidenceFacts,
    IdentifierFacts,
    LevelFacts,
    OrganizationFacts,
    RecipientFacts,
    ResultFacts,
    StatusEntry,
)
from microcred.badges.ob2 import ob2_assertion, ob2_badge_class, ob2_issuer_profile, ob2_revoked
from microcred.badges.ob3 import achievement_part, ob3_achievement, ob3_credential

__all__ = [
    "AchievementFacts",
    "Addresses",
    "AlignmentFacts",
    "AwardFacts",
    "ClassFacts",
    "CriterionFacts",
    "EvidenceFacts",
    "IdentifierFacts",
    "LevelFacts",
    "OrganizationFacts",
    "RecipientFacts",
    "ResultFacts",
    "StatusEntry",
    "achievement_part",
    "ob2_assertion",
    "ob2_badge_class",
    "ob2_issuer_profile",
    "ob2_revoked",
    "ob3_achievement",
    "ob3_credential",
]
