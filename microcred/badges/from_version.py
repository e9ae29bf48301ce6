"""From rows to facts: what a badge says that is the same for everybody who earns it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.badges.facts import (
    AchievementFacts,
    AlignmentFacts,
    CriterionFacts,
    LevelFacts,
    OrganizationFacts,
)
from microcred.badges.models import Endorsement
from microcred.credentials import Definition
from microcred.credentials.models import CredentialVersion
from microcred.people.models import Organization


def organization_facts(organization: Organization, badge_url: str) -> OrganizationFacts:
    """An organization as badges name it; without a page of its own it is named by its address here."""
    page = organization.url or f"{badge_url}/ob/2.0/issuers/{organization.public_id}"
    return OrganizationFacts(organization.public_id, organization.name, page, organization.contact_email)


def achievement_facts(
    definition: Definition, version: CredentialVersion, endorsements: tuple[Mapping[str, Any], ...] = ()
) -> AchievementFacts:
    """A credential version as badges describe it: criteria in words, standards, the rubric with its levels,
    and who stands behind it (signed endorsements).
    """
    document = definition.document
    narrative = "\n".join(
        [document.competency, "", f"How it is decided: {document.passing_rule.text}"]
        + [f"- {part.number}. {part.title}: {criterion.title}" for part, criterion in definition.criteria()]
    )
    return AchievementFacts(
        id=version.public_id,
        name=document.badge.name,
        description=f"{document.title}. {document.one_line}",
        criteria_narrative=narrative,
        code=document.code,
        version=document.version,
        achievement_type=document.badge.achievement_type,
        image_alt=document.badge.image_alt,
        alignments=tuple(_alignments(definition)),
        criteria=tuple(_criterion(definition, criterion_id) for criterion_id in _criterion_ids(definition)),
        tags=tuple(document.tags),
        credits_available=float(document.effort.clock_hours),
        endorsements=endorsements,
    )


def signed_endorsements(session: Session, version_id: int) -> tuple[Mapping[str, Any], ...]:
    """The endorsements of a version as its badges carry them, oldest first."""
    asked = select(Endorsement.credential).where(Endorsement.version_id == version_id)
    return tuple(session.scalars(asked.order_by(Endorsement.id)))


def _alignments(definition: Definition) -> list[AlignmentFacts]:
    found = []
    for item in definition.document.standards_alignment:
        framework = definition.frameworks[item.framework]
        if framework.url:  # Open Badges require an address for a standard
            found.append(
                AlignmentFacts(
                    item.label, framework.url, item.code, f"{framework.name} ({framework.version})"
                )
            )
    return found


def _criterion_ids(definition: Definition) -> list[str]:
    return [criterion.id for _, criterion in definition.criteria()]


def _criterion(definition: Definition, criterion_id: str) -> CriterionFacts:
    part, criterion = definition.criterion(criterion_id)
    levels = [(level, words) for level, words in reversed(definition.levels(criterion))]
    required = next((level.key for level, _ in levels if level.passes), None)
    return CriterionFacts(
        id=criterion.id,
        name=f"Part {part.number}: {criterion.title}",
        levels=tuple(LevelFacts(level.key, level.label, words, str(level.points)) for level, words in levels),
        required_level=required,
    )
