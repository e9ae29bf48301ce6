"""From rows to facts: what a badge says, gathered from the award, its version, its decision and the ratings
behind it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.models import Deployment
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
)
from microcred.badges.models import Badge, Endorsement, HoldersChoice
from microcred.credentials import Definition, definition_of
from microcred.credentials.models import Award, CredentialVersion, Decision, Pursuit, Rating
from microcred.people.models import ContactAddress, LmsIdentity, Organization, Person
from microcred.placements.models import Placement


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


def award_facts(
    session: Session, award: Award, badge: Badge, *, badge_url: str, did: str, test: bool, now: datetime
) -> AwardFacts:
    """Everything one badge says, at `now`."""
    version = session.get_one(CredentialVersion, award.version_id)
    definition = definition_of(session, version)
    issuer = session.get_one(Organization, award.issuer_id)
    person = session.get_one(Person, award.person_id)
    addresses = Addresses(badge_url)
    choice = session.get(HoldersChoice, award.id)
    return AwardFacts(
        public_id=badge.public_id,
        addresses=addresses,
        issuer=organization_facts(issuer, badge_url),
        issuer_did=did,
        achievement=achievement_facts(definition, version, signed_endorsements(session, version.id)),
        recipient=_recipient(session, award, badge, person, badge_url, choice),
        awarded_date=award.awarded_at,
        valid_from=now,
        valid_until=award.valid_until,
        status=StatusEntry(addresses.status_list(badge.status_list_id), badge.status_index),
        results=tuple(_results(session, award)),
        credits_earned=float(award.clock_hours),
        evidence=_evidence(choice, addresses, award),
        test=test,
    )


def _recipient(
    session: Session,
    award: Award,
    badge: Badge,
    person: Person,
    badge_url: str,
    choice: HoldersChoice | None,
) -> RecipientFacts:
    """Recognised by the user id of the LMS in which it was earned, as a salted hash; nobody's name.

    An address is there only by the holder's choice, and only once it is confirmed.
    """
    sub = session.scalar(
        select(LmsIdentity.sub)
        .join(Deployment, Deployment.registration_id == LmsIdentity.registration_id)
        .join(Placement, Placement.deployment_id == Deployment.id)
        .join(Pursuit, Pursuit.placement_id == Placement.id)
        .where(Pursuit.id == award.pursuit_id, LmsIdentity.person_id == award.person_id)
        .order_by(LmsIdentity.id)
        .limit(1)
    )
    salt = badge.recipient_salt
    identifiers = [IdentifierFacts("ltiUserId", sub or person.public_id, salt)]
    confirmed = confirmed_addresses(session, person.id) if choice else {}
    by_email = bool(choice and choice.recognised_by_email)
    if by_email:
        identifiers += [IdentifierFacts("emailAddress", one, salt) for one in confirmed.values()]
    shown = confirmed.get(choice.shown_address_id) if choice and choice.shown_address_id else None
    return RecipientFacts(
        f"{badge_url}/people/{person.public_id}",
        salt,
        tuple(identifiers),
        f"mailto:{quote(shown, safe='@+')}" if shown else None,
        # Backpacks that take Open Badges 2.0 know people by an address of theirs, and by the first of them.
        next(iter(confirmed.values()), None) if by_email else None,
    )


def confirmed_addresses(session: Session, person_id: int) -> dict[int, str]:
    """The person's confirmed addresses by id, oldest first."""
    rows = session.execute(
        select(ContactAddress.id, ContactAddress.address)
        .where(ContactAddress.person_id == person_id, ContactAddress.confirmed_at.is_not(None))
        .order_by(ContactAddress.id)
    )
    return {row.id: row.address for row in rows}


def signed_endorsements(session: Session, version_id: int) -> tuple[Mapping[str, Any], ...]:
    """The endorsements of a version as its badges carry them, oldest first."""
    asked = select(Endorsement.credential).where(Endorsement.version_id == version_id)
    return tuple(session.scalars(asked.order_by(Endorsement.id)))


def _evidence(choice: HoldersChoice | None, addresses: Addresses, award: Award) -> tuple[EvidenceFacts, ...]:
    """The one piece of writing that the holder chose to show; files and other people's words never."""
    if choice is None or not choice.shared_title:
        return ()
    place = f"{addresses.page(award.public_id)}#shared"
    return (EvidenceFacts(place, choice.shared_title, choice.shared_text),)


def _results(session: Session, award: Award) -> list[ResultFacts]:
    rows = session.execute(
        select(Rating.criterion_id, Rating.level)
        .join(Decision, Decision.review_id == Rating.review_id)
        .where(Decision.id == award.decision_id, Rating.level.is_not(None))
        .order_by(Rating.id)
    )
    return [ResultFacts(criterion, level) for criterion, level in rows if level is not None]


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
