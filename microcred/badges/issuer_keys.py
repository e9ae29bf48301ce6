"""The keys of issuing organizations: made when first needed, sealed at rest, rotated, listed for verifiers.

Every issuer signs with keys of its own. A retired key signs nothing more and stays listed, so that what it
signed goes on verifying.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from microcred.badges import keys
from microcred.badges.facts import Addresses
from microcred.badges.models import IssuerKey
from microcred.badges.rsa_keys import RsaKey
from microcred.database import Clock, Database
from microcred.people.models import Organization
from microcred.sealing import Keyring, SealBroken

Algorithm = Literal["Ed25519", "RS256"]
_SEAL = b"issuer-key"


@dataclass(frozen=True)
class Signer:
    """The issuer's current Ed25519 key, and what the issuer is called with it."""

    key: keys.IssuerKey
    identity: keys.IssuerIdentity


@dataclass(frozen=True)
class TokenSigner:
    """The issuer's current RSA key; `kid` is the address of its public half."""

    key: RsaKey
    kid: str


@dataclass(frozen=True)
class ListedKey:
    """A key as operators see it."""

    issuer: str
    """The organization's code."""
    algorithm: str
    key_id: str
    created_at: datetime
    retired_at: datetime | None


class IssuerKeys:
    """The keys of every issuer of this installation."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock, badge_url: str) -> None:
        self._database, self._keyring, self._clock, self._badge_url = database, keyring, clock, badge_url

    def signer(self, organization_id: int) -> Signer:
        """For documents; the issuer's first key is made here."""
        row, public_id = self._current_or_new(organization_id, "Ed25519")
        key = keys.IssuerKey.from_raw(self._opened(row))
        return Signer(key, keys.issuer_identity(self._badge_url, public_id, key))

    def token_signer(self, organization_id: int) -> TokenSigner:
        """For VC-JWT; the issuer's first RSA key is made here."""
        row, public_id = self._current_or_new(organization_id, "RS256")
        kid = Addresses(self._badge_url).key(public_id, row.fragment)
        return TokenSigner(RsaKey.from_der(self._opened(row)), kid)

    def rotate(self, organization_id: int) -> list[ListedKey]:
        """Retire the issuer's current keys and make new ones of the same kinds; an issuer without keys gets
        its first. Gives the new keys.
        """
        now = self._clock.now()
        with self._database.writing() as session:
            # Locked, so that two operators at once make one new key after the other.
            organization = session.get_one(Organization, organization_id, with_for_update=True)
            current = session.scalars(
                select(IssuerKey).where(
                    IssuerKey.organization_id == organization_id, IssuerKey.retired_at.is_(None)
                )
            ).all()
            for row in current:
                row.retired_at = now
            session.flush()
            made = [self._made(organization, algorithm) for algorithm in _kinds(current)]
            session.add_all(made)
            session.flush()
            return [_listed(organization.code, row) for row in made]

    def listed(self) -> list[ListedKey]:
        """All keys of all issuers, newest first within each issuer."""
        with self._database.reading() as session:
            found = session.execute(
                select(Organization.code, IssuerKey)
                .join(Organization, Organization.id == IssuerKey.organization_id)
                .order_by(Organization.code, IssuerKey.id.desc())
            )
            return [_listed(code, row) for code, row in found]

    def current_public(self, session: Session, organization_id: int) -> keys.PublicKey | None:
        """The public half of the key that signs documents; None before the first."""
        row = _current(session, organization_id, "Ed25519")
        return keys.PublicKey.from_multibase(row.fragment) if row else None

    def public_keys(self, session: Session, organization_id: str) -> list[keys.PublicKey]:
        """The keys for documents of an issuer (by public id): the current one first, then the retired."""
        fragments = session.scalars(_of_issuer(organization_id, "Ed25519", IssuerKey.fragment))
        return [keys.PublicKey.from_multibase(text) for text in fragments]

    def public_jwks(self, session: Session, organization_id: str) -> list[dict[str, Any]]:
        """The public RSA keys of an issuer (by public id): the current one first, then the retired."""
        found = session.scalars(_of_issuer(organization_id, "RS256", IssuerKey.public_jwk))
        return [jwk for jwk in found if jwk is not None]

    def unopened(self, session: Session) -> list[str]:
        """Keys that the installation's secrets do not open, by fragment."""
        unopened = []
        for row in session.scalars(select(IssuerKey).order_by(IssuerKey.id)):
            try:
                self._opened(row)
            except SealBroken:
                unopened.append(row.fragment)
        return unopened

    def reseal(self) -> int:
        """Seal stored private keys with the current secret; how many were sealed with an older one."""
        count = 0
        with self._database.writing() as session:
            for row in session.scalars(select(IssuerKey)):
                if not self._keyring.is_current("at-rest", row.sealed_private_key, context=_SEAL):
                    row.sealed_private_key = self._sealed(self._opened(row))
                    count += 1
        return count

    def _current_or_new(self, organization_id: int, algorithm: Algorithm) -> tuple[IssuerKey, str]:
        with self._database.reading() as session:
            row = _current(session, organization_id, algorithm)
            organization = session.get_one(Organization, organization_id)
        if row is not None:
            return row, organization.public_id
        made = self._made(organization, algorithm)
        try:
            with self._database.writing() as session:
                session.add(made)
        except IntegrityError:  # another worker made the issuer's first key at the same moment
            with self._database.reading() as session:
                row = _current(session, organization_id, algorithm)
            if row is None:
                raise
            return row, organization.public_id
        return made, organization.public_id

    def _made(self, organization: Organization, algorithm: Algorithm) -> IssuerKey:
        row = IssuerKey(organization_id=organization.id, algorithm=algorithm, created_at=self._clock.now())
        if algorithm == "RS256":
            token_key = RsaKey.generate()
            row.fragment = token_key.thumbprint
            kid = Addresses(self._badge_url).key(organization.public_id, row.fragment)
            row.public_jwk = token_key.public_jwk(kid)
            row.sealed_private_key = self._sealed(token_key.der())
        else:
            key = keys.IssuerKey.generate()
            row.fragment, row.sealed_private_key = key.multibase, self._sealed(key.raw())
        return row

    def _sealed(self, private: bytes) -> bytes:
        return self._keyring.seal("at-rest", private, context=_SEAL)

    def _opened(self, row: IssuerKey) -> bytes:
        return self._keyring.open("at-rest", row.sealed_private_key, context=_SEAL)


def _kinds(current: Sequence[IssuerKey]) -> list[Algorithm]:
    has_token_key = any(row.algorithm == "RS256" for row in current)
    return ["Ed25519", "RS256"] if has_token_key else ["Ed25519"]


def _listed(code: str, row: IssuerKey) -> ListedKey:
    return ListedKey(code, row.algorithm, row.fragment, row.created_at, row.retired_at)


def _current(session: Session, organization_id: int, algorithm: Algorithm) -> IssuerKey | None:
    return session.scalar(
        select(IssuerKey).where(
            IssuerKey.organization_id == organization_id,
            IssuerKey.algorithm == algorithm,
            IssuerKey.retired_at.is_(None),
        )
    )


def _of_issuer(organization_id: str, algorithm: Algorithm, column: Any) -> Any:
    return (
        select(column)
        .join(Organization, Organization.id == IssuerKey.organization_id)
        .where(Organization.public_id == organization_id, IssuerKey.algorithm == algorithm)
        .order_by(IssuerKey.retired_at.is_not(None), IssuerKey.id.desc())
    )
