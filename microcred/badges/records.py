"""A person's badges together: signed as one learner record (CLR 2.0), for its holder to take away."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.badges import clr, integrity, keys
from microcred.badges.facts import IdentifierFacts
from microcred.badges.from_version import organization_facts
from microcred.badges.models import Badge
from microcred.badges.store import BadgeStore
from microcred.credentials.models import Award
from microcred.database import Clock, Database, random_id
from microcred.people.models import Organization


class NothingToRecord(Exception):
    """The person has no badge that stands."""


def signed_record(
    database: Database,
    store: BadgeStore,
    clock: Clock,
    *,
    person_ids: Collection[int],
    publisher_id: int,
    identifier: str,
) -> dict[str, Any]:
    """A signed ClrCredential of the badges that stand, revoked and expired ones left out.

    `publisher_id` is the organization that puts it together and signs; `identifier` is the user id by which
    the learner is recognised (published as a salted hash only). Raises NothingToRecord.
    """
    now = clock.now()
    with database.reading() as session:
        members = _standing(session, person_ids, now)
        publisher = session.get_one(Organization, publisher_id)
    if not members:
        raise NothingToRecord
    signer = store.keys.signer(publisher_id)
    unsigned = clr.learner_record(
        clr.RecordFacts(
            id=f"urn:uuid:{uuid.uuid4()}",
            name="Record of micro-credentials",
            publisher=organization_facts(publisher, store.badge_url),
            publisher_did=signer.identity.did,
            learner=IdentifierFacts("ltiUserId", identifier, random_id()),
            members=members,
            valid_from=now,
            test=keys.is_test_address(store.badge_url),
        )
    )
    return integrity.sign(unsigned, signer.key, signer.identity.verification_method, now)


def _standing(session: Session, person_ids: Collection[int], now: datetime) -> list[dict[str, Any]]:
    found = session.scalars(
        select(Badge.ob3)
        .join(Award, Award.id == Badge.award_id)
        .where(
            Award.person_id.in_(person_ids),
            Award.revoked_at.is_(None),
            Badge.ob3.is_not(None),
            Award.valid_until.is_(None) | (Award.valid_until > now),
        )
        .order_by(Award.awarded_at, Award.id)
    )
    return [document for document in found if document is not None]
