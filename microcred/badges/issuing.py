"""Issuing badges from awards: a job of the outbox (kind `badge`).

The badge's address and its place in a status list are fixed in one transaction, then keys, picture and
storage work happen outside any, then the signed documents are kept with the job's result. A repeat signs the
same badge.
"""

import json
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.badges import documents, integrity, status, vc_jwt
from microcred.badges.backpack import connections
from microcred.badges.baking import bake
from microcred.badges.facts import AwardFacts
from microcred.badges.from_award import award_facts
from microcred.badges.issuer_keys import IssuerKeys, Signer
from microcred.badges.models import Badge, StatusList
from microcred.badges.pictures import Pictures
from microcred.credentials import document_of
from microcred.credentials.models import Award, CredentialVersion
from microcred.database import Clock, Database
from microcred.storage import Storage

_LIST_SIZE = status.MINIMUM_BITS

Document = dict[str, Any]


class Issuing:
    """Makes badges. `badge_url` is the origin under which they live."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        clock: Clock,
        keys: IssuerKeys,
        pictures: Pictures,
        badge_url: str,
    ) -> None:
        self._database, self._storage, self._clock = database, storage, clock
        self._keys, self._pictures, self._badge_url = keys, pictures, badge_url

    def issue(self, job: outbox.Job) -> outbox.Outcome:
        """Handler of outbox kind `badge`."""
        award_id, again = int(job.payload["award_id"]), bool(job.payload.get("again"))
        try:
            issuer_id = self._reserve(award_id, again=again)
        except IntegrityError:  # another worker has begun the same job
            issuer_id = self._reserve(award_id, again=again)
        if issuer_id is None:
            return outbox.Superseded(reason="nothing_to_issue")
        signer = self._keys.signer(issuer_id)
        now = self._clock.now()
        with self._database.reading() as session:
            award, badge = _award_and_badge(session, award_id)
            if badge.issued_at is not None:  # a newer copy is known by its second
                now = max(now, badge.issued_at + timedelta(seconds=1))
            facts = award_facts(
                session,
                award,
                badge,
                badge_url=self._badge_url,
                did=signer.identity.did,
                test=signer.identity.test or award.is_test,
                now=now,
            )
            document = document_of(session.get_one(CredentialVersion, award.version_id))
        credential, assertion, token = self._sign(facts, signer, issuer_id)
        image_key = f"badges/{facts.public_id}.png"
        picture = bake(
            self._pictures.png(facts.achievement.id, document),
            ob2=json.dumps(assertion),
            ob3=json.dumps(credential),
        )
        self._storage.put(image_key, [picture])

        def keep(session: Session) -> None:
            _, row = _award_and_badge(session, award_id)
            row.ob3, row.ob2_assertion, row.image_key, row.issued_at = credential, assertion, image_key, now
            row.jwt = token
            connections.queue_standing(session, session.get_one(Award, award_id), now=self._clock.now())

        return outbox.Delivered(answer={"badge": facts.public_id}, record=keep)

    def _sign(
        self, facts: AwardFacts, signer: Signer, issuer_id: int
    ) -> tuple[Document, Document, str | None]:
        """The OB 3.0 credential, the OB 2.0 assertion, and the VC-JWT where there is a subject to name."""
        unsigned = documents.ob3_credential(facts)
        signed = integrity.sign(unsigned, signer.key, signer.identity.verification_method, facts.valid_from)
        token = None
        if facts.recipient.subject_id:
            token_signer = self._keys.token_signer(issuer_id)
            token = vc_jwt.sign(unsigned, token_signer.key, token_signer.kid)
        return signed, documents.ob2_assertion(facts), token

    def _reserve(self, award_id: int, *, again: bool) -> int | None:
        """Fix the badge's address and status index. The issuer's id, or None where nothing is to be issued:
        the badge is there already and is not wanted again, or the award was revoked before it was.
        """
        with self._database.writing() as session:
            award = session.get_one(Award, award_id)
            badge = session.scalar(select(Badge).where(Badge.award_id == award_id))
            if award.revoked_at is not None or (badge is not None and badge.issued_at and not again):
                return None
            if badge is None:
                numbers = self._open_list(session, award.issuer_id)
                index = self._free_index(session, numbers)
                # One id for the award and its badge: whoever has one address can tell all others.
                session.add(
                    Badge(
                        award_id=award_id,
                        public_id=award.public_id,
                        status_list_id=numbers.id,
                        status_index=index,
                    )
                )
                numbers.issued += 1
            return award.issuer_id

    def _open_list(self, session: Session, issuer_id: int) -> StatusList:
        """The issuer's list with room, locked until the transaction ends; half full counts as full."""
        found = session.scalar(
            select(StatusList)
            .where(StatusList.organization_id == issuer_id, StatusList.issued < StatusList.size // 2)
            .order_by(StatusList.id)
            .limit(1)
            .with_for_update()
        )
        if found is None:
            found = StatusList(organization_id=issuer_id, size=_LIST_SIZE, issued=0)
            session.add(found)
            session.flush()
        return found

    def _free_index(self, session: Session, numbers: StatusList) -> int:
        """A random index nobody has: an index must not tell when, or beside whom, a badge was earned."""
        while True:
            index = secrets.randbelow(numbers.size)
            taken = session.scalar(
                select(Badge.id).where(Badge.status_list_id == numbers.id, Badge.status_index == index)
            )
            if taken is None:
                return index


def _award_and_badge(session: Session, award_id: int) -> tuple[Award, Badge]:
    badge = session.scalars(select(Badge).where(Badge.award_id == award_id)).one()
    return session.get_one(Award, award_id), badge
