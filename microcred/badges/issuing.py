"""Issuing badges from awards: a job of the outbox (kind `badge`).

The badge's address and its place in a status list are fixed in one transaction, then keys, picture and
storage work happen outside any, then the signed documents are kept with the job's result. A repeat signs the
same badge. Jobs that come at the same time are done together: they share questions, keys and pictures.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.badges import documents, integrity, vc_jwt
from microcred.badges.backpack import connections
from microcred.badges.baking import bake
from microcred.badges.facts import AwardFacts
from microcred.badges.from_award import award_facts
from microcred.badges.gathering import Gathering
from microcred.badges.issuer_keys import IssuerKeys, Signer
from microcred.badges.models import Badge
from microcred.badges.pictures import Pictures
from microcred.badges.reserving import Reserved, reserve
from microcred.credentials import document_of
from microcred.credentials.models import CredentialVersion
from microcred.database import Clock, Database
from microcred.storage import Storage

_TOGETHER = 50
"""Awards at a time: then what they share costs each nearly nothing, and none waits long for the others."""
_TABLE = cast(Table, Badge.__table__)
_KEEP = (
    update(_TABLE)
    .where(_TABLE.c.award_id == bindparam("of_award"))
    .values(
        # A signed assertion of an older copy goes; the next reader signs this one.
        {name: bindparam(name) for name in ("ob3", "ob2_assertion", "jwt", "image_key", "issued_at")}
        | {"ob2_jws": None}
    )
)

Document = dict[str, Any]


@dataclass(frozen=True)
class _Version:
    """What the badges of one version share."""

    achievement: Document
    picture: bytes


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
        self._together = Gathering(self._issue, most=_TOGETHER)

    def issue(self, job: outbox.Job) -> outbox.Outcome:
        """Handler of outbox kind `badge`."""
        return self._together.one(job)

    def _issue(self, jobs: Sequence[outbox.Job]) -> Sequence[outbox.Outcome]:
        wanted = {int(job.payload["award_id"]): bool(job.payload.get("again")) for job in jobs}
        reserved = self._reserved(wanted)
        if not reserved:
            return [outbox.Superseded(reason="nothing_to_issue") for _ in jobs]
        issuers = {one.issuer_id for one in reserved.values()}
        signers = {issuer_id: self._keys.signer(issuer_id) for issuer_id in issuers}
        with self._database.reading() as session:
            facts = award_facts(
                session,
                reserved,
                badge_url=self._badge_url,
                identities={issuer_id: signer.identity for issuer_id, signer in signers.items()},
                now=self._clock.now(),
            )
            versions = {one.version_id: facts[one.award_id] for one in reserved.values()}
            designs = {
                version_id: document_of(session.get_one(CredentialVersion, version_id))
                for version_id in versions
            }
        shared = {
            version_id: _Version(
                documents.achievement_part(one.of_class),
                self._pictures.png(one.achievement.id, designs[version_id]),
            )
            for version_id, one in versions.items()
        }
        outcomes: dict[int, outbox.Outcome] = {
            one.award_id: self._made(one, facts[one.award_id], signers[one.issuer_id], shared[one.version_id])
            for one in reserved.values()
        }
        nothing = outbox.Superseded(reason="nothing_to_issue")
        return [outcomes.get(int(job.payload["award_id"]), nothing) for job in jobs]

    def _reserved(self, wanted: Mapping[int, bool]) -> dict[int, Reserved]:
        for _ in range(2):
            try:
                with self._database.writing() as session:
                    return reserve(session, wanted)
            except IntegrityError:  # another worker has begun one of them
                continue
        with self._database.writing() as session:
            return reserve(session, wanted)

    def _made(
        self, reserved: Reserved, facts: AwardFacts, signer: Signer, version: _Version
    ) -> outbox.Outcome:
        """Sign, bake and store one badge; its row is written with the job's result."""
        credential, token = self._signed(facts, signer, reserved.issuer_id, version.achievement)
        assertion = documents.ob2_assertion(facts)
        image_key = f"badges/{facts.public_id}.png"
        picture = bake(version.picture, ob2=json.dumps(assertion), ob3=json.dumps(credential))
        self._storage.put_bytes(image_key, picture)
        row = {
            "of_award": reserved.award_id,
            "ob3": credential,
            "ob2_assertion": assertion,
            "jwt": token,
            "image_key": image_key,
            "issued_at": facts.valid_from,
        }

        return outbox.Delivered(answer={"badge": facts.public_id}, share=outbox.Share(self._keep, row))

    def _keep(self, session: Session, rows: Sequence[Document]) -> None:
        """Write badges with the results of their jobs; each goes to its holder's backpacks."""
        session.connection().execute(_KEEP, rows)
        connections.queue_standing(session, [row["of_award"] for row in rows], now=self._clock.now())

    def _signed(
        self, facts: AwardFacts, signer: Signer, issuer_id: int, achievement: Document
    ) -> tuple[Document, str | None]:
        """The OB 3.0 credential, and the VC-JWT where there is a subject to name."""
        unsigned = documents.ob3_credential(facts, achievement=achievement)
        signed = integrity.sign(unsigned, signer.key, signer.identity.verification_method, facts.valid_from)
        token = None
        if facts.recipient.subject_id:
            token_signer = self._keys.token_signer(issuer_id)
            token = vc_jwt.sign(unsigned, token_signer.key, token_signer.kid)
        return signed, token
