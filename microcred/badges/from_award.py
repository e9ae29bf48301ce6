"""From rows to facts: what badges say, gathered from awards, their versions, their decisions and the ratings
behind them. Many awards cost as many questions to the database as one.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.models import Deployment
from microcred.badges.facts import (
    Addresses,
    AwardFacts,
    ClassFacts,
    EvidenceFacts,
    IdentifierFacts,
    RecipientFacts,
    ResultFacts,
    StatusEntry,
)
from microcred.badges.from_version import achievement_facts, organization_facts, signed_endorsements
from microcred.badges.keys import IssuerIdentity
from microcred.badges.models import Badge, HoldersChoice
from microcred.credentials import definition_of
from microcred.credentials.models import Award, CredentialVersion, Decision, Pursuit, Rating
from microcred.people.models import ContactAddress, LmsIdentity, Organization, Person
from microcred.placements.models import Placement


@dataclass(frozen=True)
class _Found:
    """An award with what its badge says of it alone."""

    award: Award
    badge: Badge
    holder: str
    """The holder's public id."""
    review_id: int | None
    """The review on which it was decided."""


def award_facts(
    session: Session,
    award_ids: Collection[int],
    *,
    badge_url: str,
    identities: Mapping[int, IssuerIdentity],
    now: datetime,
) -> dict[int, AwardFacts]:
    """Everything that the badges of these awards say, by award; `identities` are the issuers' by id.

    A badge that was issued before is known by a later second (OB 3.0, Credential Equality and Comparison).
    """
    addresses = Addresses(badge_url)
    found = _found(session, award_ids)
    classes = _classes(session, found, addresses, identities)
    choices = _choices(session, award_ids)
    confirmed = _confirmed(session, {one.award.person_id for one in found if one.award.id in choices})
    subs, results = _subs(session, award_ids), _results(session, found)
    gathered = {}
    for one in found:
        award, badge, of_class = one.award, one.badge, classes[one.award.version_id]
        choice = choices.get(award.id)
        gathered[award.id] = AwardFacts(
            public_id=badge.public_id,
            addresses=addresses,
            issuer=of_class.issuer,
            issuer_did=of_class.issuer_did,
            achievement=of_class.achievement,
            recipient=_recipient(
                f"{badge_url}/people/{one.holder}",
                subs.get(award.id, one.holder),
                badge.recipient_salt,
                choice,
                confirmed.get(award.person_id, {}),
            ),
            awarded_date=award.awarded_at,
            valid_from=max(now, badge.issued_at + timedelta(seconds=1)) if badge.issued_at else now,
            valid_until=award.valid_until,
            status=StatusEntry(addresses.status_list(badge.status_list_id), badge.status_index),
            results=tuple(results[one.review_id]) if one.review_id is not None else (),
            credits_earned=float(award.clock_hours),
            # Reviewers hold their office of the issuer and read in its name; their own are never said.
            assessed_by=of_class.issuer if one.review_id is not None else None,
            evidence=_evidence(choice, addresses, award),
            test=identities[award.issuer_id].test or award.is_test,
        )
    return gathered


def _found(session: Session, award_ids: Collection[int]) -> list[_Found]:
    rows = session.execute(
        select(Award, Badge, Person.public_id, Decision.review_id)
        .join(Badge, Badge.award_id == Award.id)
        .join(Person, Person.id == Award.person_id)
        .join(Decision, Decision.id == Award.decision_id)
        .where(Award.id.in_(award_ids))
    )
    return [_Found(*row) for row in rows]


def _classes(
    session: Session,
    found: Sequence[_Found],
    addresses: Addresses,
    identities: Mapping[int, IssuerIdentity],
) -> dict[int, ClassFacts]:
    """What all badges of a version say, by version."""
    classes = {}
    for version_id, issuer_id in {(one.award.version_id, one.award.issuer_id) for one in found}:
        version = session.get_one(CredentialVersion, version_id)
        issuer = session.get_one(Organization, issuer_id)
        classes[version_id] = ClassFacts(
            addresses,
            organization_facts(issuer, addresses.base),
            identities[issuer_id].did,
            achievement_facts(
                definition_of(session, version), version, signed_endorsements(session, version_id)
            ),
        )
    return classes


def _recipient(
    url: str, identifier: str, salt: str, choice: HoldersChoice | None, confirmed: Mapping[int, str]
) -> RecipientFacts:
    """Recognised by the user id of the LMS in which it was earned, as a salted hash; nobody's name.

    An address is there only by the holder's choice, and only once it is confirmed.
    """
    identifiers = [IdentifierFacts("ltiUserId", identifier, salt)]
    by_email = bool(choice and choice.recognised_by_email)
    if by_email:
        identifiers += [IdentifierFacts("emailAddress", one, salt) for one in confirmed.values()]
    shown = confirmed.get(choice.shown_address_id) if choice and choice.shown_address_id else None
    return RecipientFacts(
        url,
        salt,
        tuple(identifiers),
        f"mailto:{quote(shown, safe='@+')}" if shown else None,
        # Backpacks that take Open Badges 2.0 know people by an address of theirs, and by the first of them.
        next(iter(confirmed.values()), None) if by_email else None,
    )


def _subs(session: Session, award_ids: Collection[int]) -> dict[int, str]:
    """The user id of the LMS in which each was earned."""
    first = (
        select(Award.id, func.min(LmsIdentity.id).label("identity_id"))
        .join(Pursuit, Pursuit.id == Award.pursuit_id)
        .join(Placement, Placement.id == Pursuit.placement_id)
        .join(Deployment, Deployment.id == Placement.deployment_id)
        .join(
            LmsIdentity,
            (LmsIdentity.registration_id == Deployment.registration_id)
            & (LmsIdentity.person_id == Award.person_id),
        )
        .where(Award.id.in_(award_ids))
        .group_by(Award.id)
        .subquery()
    )
    rows = session.execute(
        select(first.c.id, LmsIdentity.sub).join(LmsIdentity, LmsIdentity.id == first.c.identity_id)
    )
    return {row.id: row.sub for row in rows}


def confirmed_addresses(session: Session, person_id: int) -> dict[int, str]:
    """The person's confirmed addresses by id, oldest first."""
    return _confirmed(session, [person_id]).get(person_id, {})


def _confirmed(session: Session, person_ids: Collection[int]) -> dict[int, dict[int, str]]:
    if not person_ids:
        return {}
    rows = session.execute(
        select(ContactAddress.person_id, ContactAddress.id, ContactAddress.address)
        .where(ContactAddress.person_id.in_(person_ids), ContactAddress.confirmed_at.is_not(None))
        .order_by(ContactAddress.id)
    )
    confirmed: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for person_id, address_id, address in rows:
        confirmed[person_id][address_id] = address
    return confirmed


def _choices(session: Session, award_ids: Collection[int]) -> dict[int, HoldersChoice]:
    rows = session.scalars(select(HoldersChoice).where(HoldersChoice.award_id.in_(award_ids)))
    return {row.award_id: row for row in rows}


def _evidence(choice: HoldersChoice | None, addresses: Addresses, award: Award) -> tuple[EvidenceFacts, ...]:
    """The one piece of writing that the holder chose to show; files and other people's words never."""
    if choice is None or not choice.shared_title:
        return ()
    place = f"{addresses.page(award.public_id)}#shared"
    return (EvidenceFacts(place, choice.shared_title, choice.shared_text),)


def _results(session: Session, found: Sequence[_Found]) -> Mapping[int, list[ResultFacts]]:
    """The levels of the reviews on which it was decided, by review."""
    rows = session.execute(
        select(Rating.review_id, Rating.criterion_id, Rating.level)
        .where(
            Rating.review_id.in_({one.review_id for one in found if one.review_id is not None}),
            Rating.level.is_not(None),
        )
        .order_by(Rating.id)
    )
    results: defaultdict[int, list[ResultFacts]] = defaultdict(list)
    for review_id, criterion, level in rows:
        if level is not None:
            results[review_id].append(ResultFacts(criterion, level))
    return results
