"""Endorsing a credential version, and the endorsements that its badges carry."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.badges import endorsements, integrity
from microcred.badges.facts import Addresses
from microcred.badges.from_version import organization_facts
from microcred.badges.issuer_keys import IssuerKeys
from microcred.badges.models import Endorsement
from microcred.credentials import definition_of
from microcred.credentials.models import CredentialVersion
from microcred.database import Clock, Database, random_id
from microcred.people import audit
from microcred.people.models import Organization


@dataclass(frozen=True)
class Endorsed:
    """An endorsement as pages and operators see it."""

    public_id: str
    endorser: str
    endorser_url: str | None
    comment: str
    endorsed_at: datetime


def endorse(
    database: Database,
    keys: IssuerKeys,
    clock: Clock,
    badge_url: str,
    *,
    version_id: int,
    organization_id: int,
    comment: str,
) -> str:
    """Sign an endorsement of a version in the name of an organization; its public id.

    A second one by the same organization takes the place of the first under the same id. Badges carry it from
    the next time they are issued; the achievement does at once.
    """
    signer = keys.signer(organization_id)
    now = clock.now()
    with database.writing() as session:
        version = session.get_one(CredentialVersion, version_id, with_for_update=True)
        organization = session.get_one(Organization, organization_id)
        row = session.scalar(
            select(Endorsement).where(
                Endorsement.version_id == version_id, Endorsement.organization_id == organization_id
            )
        )
        public_id = row.public_id if row else random_id()
        addresses = Addresses(badge_url)
        unsigned = endorsements.endorsement_credential(
            endorsements.EndorsementFacts(
                id=addresses.endorsement(public_id),
                achievement=addresses.achievement(version.public_id),
                achievement_name=definition_of(session, version).document.badge.name,
                endorser=organization_facts(organization, badge_url),
                issuer_did=signer.identity.did,
                comment=comment,
                valid_from=now,
            )
        )
        signed = integrity.sign(unsigned, signer.key, signer.identity.verification_method, now)
        if row is None:
            row = Endorsement(public_id=public_id, version_id=version_id, organization_id=organization_id)
            session.add(row)
        row.comment, row.credential, row.endorsed_at = comment, signed, now
        audit.record(
            session,
            at=now,
            actor_id=None,
            action="credential.endorse",
            subject=("credential_version", version_id),
            detail={"organization": organization.code},
        )
    return public_id


def endorsed_by(session: Session, version_id: int) -> tuple[Endorsed, ...]:
    """The same for people."""
    rows = session.execute(
        select(Endorsement, Organization)
        .join(Organization, Organization.id == Endorsement.organization_id)
        .where(Endorsement.version_id == version_id)
        .order_by(Endorsement.id)
    )
    return tuple(
        Endorsed(one.public_id, organization.name, organization.url, one.comment, one.endorsed_at)
        for one, organization in rows
    )
