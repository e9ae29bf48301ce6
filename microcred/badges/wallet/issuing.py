"""Offers, their secrets, and the copy of a badge that is bound to a wallet's key."""

import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from microcred.badges import documents, integrity, vc_jwt
from microcred.badges.from_award import award_facts
from microcred.badges.models import Badge
from microcred.badges.store import BadgeStore
from microcred.badges.wallet import metadata
from microcred.badges.wallet.models import WalletOffer
from microcred.credentials.models import Award
from microcred.database import Clock, Database, random_id
from microcred.sealing import Keyring, SealBroken

_OFFER = timedelta(minutes=30)
_TOKEN = timedelta(minutes=10)
_NONCE_SECONDS = 300
_SECRET_LENGTH = 40
_MOST_WRONG = 5
"""Tries at a transaction code of a million."""


class OfferRefused(Exception):
    """A wallet asked for something that it may not have; `error` is OAuth's or OID4VCI's, with a status."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


def make_offer(session: Session, award: Award, *, needs_code: bool, now: datetime) -> WalletOffer:
    """Offer a badge for half an hour, to be taken once; with `needs_code` by whoever knows its code too."""
    made = WalletOffer(award_id=award.id, created_at=now, expires_at=now + _OFFER, needs_code=needs_code)
    session.add(made)
    session.flush()
    return made


def newest_taken(session: Session, award: Award) -> datetime | None:
    """When a wallet took this badge last."""
    return session.scalar(
        select(WalletOffer.taken_at)
        .where(WalletOffer.award_id == award.id, WalletOffer.taken_at.is_not(None))
        .order_by(WalletOffer.taken_at.desc())
        .limit(1)
    )


class Wallets:
    """What wallets ask. `base` is our identifier as a credential issuer: the tool's own origin."""

    def __init__(
        self, database: Database, keyring: Keyring, clock: Clock, store: BadgeStore, base: str
    ) -> None:
        self._database, self._keyring, self._clock, self._store = database, keyring, clock, store
        self.base = base

    def offer(self, offer_id: str) -> dict[str, Any]:
        """The offer under its address. Raises OfferRefused(404)."""
        with self._database.reading() as session:
            needs_code = self._open(session, offer_id).needs_code
        return metadata.offer(self.base, self._code(offer_id), needs_code=needs_code)

    def transaction_code(self, offer_id: str) -> str:
        """The digits that stand on the holder's page beside an offer that needs them."""
        number = int(self._keyring.mac("wallet", f"transaction:{offer_id}"), 16)
        return f"{number % 10**metadata.CODE_DIGITS:0{metadata.CODE_DIGITS}}"

    def token(self, code: str, transaction_code: str | None = None) -> dict[str, Any]:
        """An access token for a pre-authorized code, once.

        Raises OfferRefused (OID4VCI 1.0, section 6.3): `invalid_request` where a transaction code is wanted
        or was not, `invalid_grant` for a wrong, used or late code.
        """
        offer_id, _, mac = code.partition(".")
        if not self._keyring.check_mac("wallet", f"code:{offer_id}", mac):
            raise OfferRefused("invalid_grant")
        self._check_transaction(offer_id, transaction_code)
        token, now = random_id(_SECRET_LENGTH), self._clock.now()
        with self._database.writing() as session:
            taken = session.execute(
                update(WalletOffer)
                .where(
                    WalletOffer.public_id == offer_id,
                    WalletOffer.token_digest.is_(None),
                    WalletOffer.taken_at.is_(None),
                    WalletOffer.expires_at > now,
                )
                .values(token_digest=_digest(token), token_expires_at=now + _TOKEN)
                .returning(WalletOffer.id)
            ).first()
        if taken is None:
            raise OfferRefused("invalid_grant")
        return {"access_token": token, "token_type": "Bearer", "expires_in": int(_TOKEN.total_seconds())}

    def _check_transaction(self, offer_id: str, given: str | None) -> None:
        """A wrong code is counted in a transaction of its own, which the refusal does not undo."""
        with self._database.reading() as session:
            needs_code = session.scalar(
                select(WalletOffer.needs_code).where(WalletOffer.public_id == offer_id)
            )
        if bool(needs_code) != (given is not None):
            raise OfferRefused("invalid_request")
        if given is None:
            return
        is_right = hmac.compare_digest(given.encode(), self.transaction_code(offer_id).encode())
        with self._database.writing() as session:
            counted = session.execute(
                update(WalletOffer)
                .where(WalletOffer.public_id == offer_id, WalletOffer.wrong_codes < _MOST_WRONG)
                .values(wrong_codes=WalletOffer.wrong_codes + (0 if is_right else 1))
                .returning(WalletOffer.id)
            ).first()
        if counted is None or not is_right:
            raise OfferRefused("invalid_grant")

    def nonce(self) -> str:
        """A fresh value for a wallet to sign; good for five minutes."""
        return self._keyring.seal_text("wallet", {"t": int(self._clock.now().timestamp())})

    def nonce_is_good(self, text: str) -> bool:
        """Whether we gave it, not long ago."""
        try:
            made = self._keyring.open_text("wallet", text)["t"]
        except (SealBroken, KeyError, ValueError):
            return False
        return bool(0 <= self._clock.now().timestamp() - made <= _NONCE_SECONDS)

    def offer_of(self, token: str) -> int:
        """The offer behind an access token. Raises OfferRefused(invalid_token, 401)."""
        with self._database.reading() as session:
            found = session.scalar(
                select(WalletOffer.id).where(
                    WalletOffer.token_digest == _digest(token),
                    WalletOffer.token_expires_at > self._clock.now(),
                    WalletOffer.taken_at.is_(None),
                )
            )
        if found is None:
            raise OfferRefused("invalid_token", 401)
        return found

    def challenge(self, offer_id: str) -> str:
        """What a wallet signs in an exchange. Raises OfferRefused(404)."""
        self.exchange_offer(offer_id)
        return self._keyring.mac("wallet", f"challenge:{offer_id}")

    def exchange_offer(self, offer_id: str) -> int:
        """The offer of an exchange. Raises OfferRefused(404), also where it needs a transaction code, for
        which an exchange has no place.
        """
        with self._database.reading() as session:
            found = self._open(session, offer_id)
        if found.needs_code:
            raise OfferRefused("unknown_offer", 404)
        return found.id

    def give(self, offer: int, holder: str, *, as_token: bool = False) -> Any:
        """The badge, bound to the wallet's DID: a signed document, or a VC-JWT. The offer is used up.

        Raises OfferRefused where somebody else took it just now, or the badge was revoked meanwhile.
        """
        with self._database.reading() as session:
            award_id = session.scalars(select(WalletOffer.award_id).where(WalletOffer.id == offer)).one()
        credential = bound(self._database, self._store, self._clock, award_id, holder, as_token=as_token)
        with self._database.writing() as session:
            taken = session.execute(
                update(WalletOffer)
                .where(WalletOffer.id == offer, WalletOffer.taken_at.is_(None))
                .values(taken_at=self._clock.now(), holder=holder)
                .returning(WalletOffer.id)
            ).first()
        if taken is None:
            raise OfferRefused("invalid_token", 401)
        return credential

    def _open(self, session: Session, offer_id: str) -> WalletOffer:
        found = session.scalar(
            select(WalletOffer).where(
                WalletOffer.public_id == offer_id,
                WalletOffer.taken_at.is_(None),
                WalletOffer.expires_at > self._clock.now(),
            )
        )
        if found is None:
            raise OfferRefused("unknown_offer", 404)
        return found

    def _code(self, offer_id: str) -> str:
        return f"{offer_id}.{self._keyring.mac('wallet', f'code:{offer_id}')}"


def bound(
    database: Database, store: BadgeStore, clock: Clock, award_id: int, holder: str, *, as_token: bool
) -> Any:
    """A copy of a badge whose subject is `holder`; its id and its place in the status list stay the badge's.

    Raises OfferRefused for a badge that is revoked or not issued.
    """
    with database.reading() as session:
        award = session.get_one(Award, award_id)
        badge = session.scalar(select(Badge).where(Badge.award_id == award_id))
        if badge is None or badge.issued_at is None or award.revoked_at is not None:
            raise OfferRefused("invalid_credential_request")
    signer = store.keys.signer(award.issuer_id)
    with database.reading() as session:
        (facts,) = award_facts(
            session,
            [award_id],
            badge_url=store.badge_url,
            identities={award.issuer_id: signer.identity},
            now=clock.now(),
        ).values()
    facts = replace(facts, recipient=replace(facts.recipient, subject_id=holder))
    unsigned = documents.ob3_credential(facts)
    if as_token:
        token_signer = store.keys.token_signer(award.issuer_id)
        return vc_jwt.sign(unsigned, token_signer.key, token_signer.kid)
    return integrity.sign(unsigned, signer.key, signer.identity.verification_method, facts.valid_from)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
