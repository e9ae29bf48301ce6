"""Notices of platforms (Platform Notification Service 1.0): verified like an id_token, minus the state, and
taken once.

Of the types, a greeting is only remembered, and a course copy says where the new course came from, so that a
copied link can find its credential again.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool import registrations
from lti_tool.errors import LtiRefused
from lti_tool.facts import RegistrationFacts
from lti_tool.jwks import PlatformKeys
from lti_tool.launch import ALGORITHMS, check_signature
from lti_tool.models import Context, Deployment, Notice
from lti_tool.protocol.claims import check_unasked
from lti_tool.protocol.notices import ORIGINS_AT_MOST, NoticeFacts, read_notice
from lti_tool.protocol.tokens import claims_of, take_apart, unverified_claim
from microcred.database import Clock, Database

AT_MOST = 50
MAX_BYTES = 1024 * 1024
REMEMBERED = timedelta(days=90)
"""How long the ids of notices are kept; a token of one is good for about an hour."""
_FORGOTTEN_AT_A_TIME = 100
_ATTEMPTS = 4
_log = structlog.get_logger("lti")


@dataclass(frozen=True)
class Taken:
    """What became of one notice: stored (now or before), or refused for a reason."""

    refused: LtiRefused | None = None
    is_new: bool = False


@dataclass(frozen=True)
class _Verified:
    registration: RegistrationFacts
    nonce_digest: str
    notice: NoticeFacts


class Notices:
    """Takes notices."""

    def __init__(self, database: Database, keys: PlatformKeys, clock: Clock) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock

    def take(self, tokens: Sequence[object], registration_id: str | None = None) -> list[Taken]:
        """What became of each; the good ones are stored when this returns.

        `registration_id` (public) is that of the address they came to, if it names one.
        """
        verified = [self._verified(token, registration_id) for token in tokens]
        if all(isinstance(one, LtiRefused) for one in verified):
            taken = [Taken(one) for one in verified if isinstance(one, LtiRefused)]
        else:
            taken = self._store(verified)
        for one in taken:
            if one.refused is not None:
                _log.warning(
                    "notice_refused", code=one.refused.code, registration_id=one.refused.registration_id
                )
        return taken

    def _verified(self, token: object, registration_id: str | None) -> _Verified | LtiRefused:
        facts: RegistrationFacts | None = None
        try:
            if not isinstance(token, str) or not token:
                raise LtiRefused("token_missing")
            jws = take_apart(token, ALGORITHMS)
            issuer, audience = unverified_claim(jws, "iss"), unverified_claim(jws, "aud")
            client_id = _client_id(audience) or _client_id(unverified_claim(jws, "azp"))
            if not isinstance(issuer, str) or not issuer:
                raise LtiRefused("claim_missing", detail="iss")
            if client_id is None:
                raise LtiRefused("aud_mismatch" if audience else "aud_missing")
            with self._database.reading() as session:
                # No state says whose it is: issuer and audience do, and that registration's key proves it.
                facts = registrations.find_for_login(session, issuer, client_id, registration_id)
            if jws.alg not in facts.algorithms:
                raise LtiRefused("alg_not_allowed")
            check_signature(self._keys, jws, facts)
            claims = claims_of(jws)
            nonce = check_unasked(claims, facts, self._clock.now().timestamp())
            digest = hashlib.sha256(nonce.encode("utf-8", "replace")).hexdigest()
            return _Verified(facts, digest, read_notice(claims))
        except LtiRefused as refused:
            refused.registration_id = facts.public_id if facts else None
            return refused

    def _store(self, verified: Sequence[_Verified | LtiRefused]) -> list[Taken]:
        for _attempt in range(_ATTEMPTS):
            try:
                with self._database.writing() as session:
                    _forget_old(session, self._clock)
                    return [
                        Taken(one) if isinstance(one, LtiRefused) else self._store_one(session, one)
                        for one in verified
                    ]
            except IntegrityError:
                # The same notice came twice at one moment: look again, and find what the other stored.
                continue
        return [Taken(LtiRefused("temporarily_unavailable")) for _ in verified]

    def _store_one(self, session: Session, one: _Verified) -> Taken:
        facts, notice = one.registration, one.notice
        known = session.scalars(
            select(Deployment).where(
                Deployment.registration_id == facts.row_id, Deployment.deployment_id == notice.deployment_id
            )
        ).one_or_none()
        if known is None or known.state != "approved":
            registrations.note_deployment(session, facts.row_id, notice.deployment_id, self._clock)
            return Taken(_of(facts, LtiRefused("deployment_unknown")))
        ours = select(Notice.id).where(Notice.registration_id == facts.row_id)
        if session.scalar(ours.where(Notice.notice_id == notice.notice_id)) is not None:
            return Taken()
        if session.scalar(ours.where(Notice.nonce_digest == one.nonce_digest)) is not None:
            return Taken(_of(facts, LtiRefused("nonce_used")))
        context_id = _record_copy(session, known, notice, self._clock) if notice.context else None
        session.add(
            Notice(
                registration_id=facts.row_id,
                deployment_id=known.id,
                notice_id=notice.notice_id,
                nonce_digest=one.nonce_digest,
                notice_type=notice.notice_type,
                context_id=context_id,
                received_at=self._clock.now(),
            )
        )
        session.flush()
        return Taken(is_new=True)


def _record_copy(session: Session, deployment: Deployment, notice: NoticeFacts, clock: Clock) -> int:
    """Remember what the new course was copied from; gives its row id."""
    assert notice.context is not None
    row = session.scalars(
        select(Context).where(Context.deployment_id == deployment.id, Context.context_id == notice.context.id)
    ).one_or_none()
    if row is None:
        row = Context(
            deployment_id=deployment.id,
            context_id=notice.context.id,
            title=notice.context.title,
            label=notice.context.label,
            created_at=clock.now(),
            origin_ids=[],
        )
        session.add(row)
    row.origin_ids = list(dict.fromkeys((*notice.origins, *row.origin_ids)))[:ORIGINS_AT_MOST]
    session.flush()
    return row.id


def _forget_old(session: Session, clock: Clock) -> None:
    old = select(Notice.id).where(Notice.received_at < clock.now() - REMEMBERED).limit(_FORGOTTEN_AT_A_TIME)
    ids = session.scalars(old).all()
    if ids:
        session.execute(delete(Notice).where(Notice.id.in_(ids)))


def _client_id(value: Any) -> str | None:
    """The one client id that `aud` (or `azp`) names."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    return value if isinstance(value, str) and value else None


def _of(facts: RegistrationFacts, refused: LtiRefused) -> LtiRefused:
    refused.registration_id = facts.public_id
    return refused
