"""Open Badges 2.0, signed: the assertion as a compact JWS, the keys that sign it, what was revoked.

It stands beside the hosted assertion, which is what `/ob/2.0/assertions/<id>` and the pictures hold, for
readers that want a signature. It is signed when somebody first asks for it, and kept until the badge is
written anew.
"""

import uuid
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from jwt.algorithms import RSAAlgorithm
from sqlalchemy import select, update

from microcred.badges.facts import Addresses
from microcred.badges.issuer_keys import IssuerKeys
from microcred.badges.models import Badge
from microcred.badges.ob2 import OPEN_BADGES_2
from microcred.badges.public_award import NoSuchBadge
from microcred.badges.rsa_keys import RsaKey
from microcred.badges.values import Document
from microcred.credentials.models import Award
from microcred.database import Database
from microcred.people.models import Organization


def signed_assertion(hosted: Mapping[str, Any], key: RsaKey, creator: str) -> str:
    """The hosted assertion as compact JWS (OB 2.0, Signed Badges); `creator` is the address of the key.

    It has an id of its own, always the same for one badge, for it is verified in another way.
    """
    document = {
        **hosted,
        "id": signed_id(hosted["id"]),
        "verification": {"type": "SignedBadge", "creator": creator},
    }
    return jwt.encode(document, key.private_key, algorithm="RS256", headers={"typ": "JWT"})


def signed_id(hosted_id: str) -> str:
    """The id of the signed form of a hosted assertion."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, hosted_id)}"


def cryptographic_key(own_id: str, owner: str, jwk: Mapping[str, Any]) -> Document:
    """An issuer's public key as OB 2.0 writes it; `owner` is the issuer's Profile."""
    public: Any = RSAAlgorithm.from_jwk(dict(jwk))
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode("ascii")
    return {
        "@context": OPEN_BADGES_2,
        "id": own_id,
        "type": "CryptographicKey",
        "owner": owner,
        "publicKeyPem": pem,
    }


def revocation_list(own_id: str, issuer: str, revoked: Mapping[str, str]) -> Document:
    """The RevocationList of an issuer; `revoked` are reasons by the hosted assertions' ids.

    Each stands in it by both its ids: somebody may hold either, and 1EdTech's validator does not read a list
    of one entry.
    """
    return {
        "@context": OPEN_BADGES_2,
        "id": own_id,
        "type": "RevocationList",
        "issuer": issuer,
        "revokedAssertions": [
            {"id": one, "revocationReason": reason}
            for hosted_id, reason in revoked.items()
            for one in (signed_id(hosted_id), hosted_id)
        ],
    }


class SignedAssertions:
    """The signed forms of issued badges, and what their readers look up."""

    def __init__(self, database: Database, keys: IssuerKeys, addresses: Addresses) -> None:
        self._database, self._keys, self._addresses = database, keys, addresses

    def token(self, hosted: Mapping[str, Any], badge_id: str) -> str:
        """The compact JWS of a badge that stands; `hosted` is its assertion. Raises NoSuchBadge."""
        with self._database.reading() as session:
            found = session.execute(
                select(Badge.ob2_jws, Badge.issued_at, Award.issuer_id, Organization.public_id)
                .join(Award, Award.id == Badge.award_id)
                .join(Organization, Organization.id == Award.issuer_id)
                .where(Badge.public_id == badge_id)
            ).one()
        if found.ob2_jws is not None:
            return str(found.ob2_jws)
        signer = self._keys.token_signer(found.issuer_id)
        creator = self._addresses.ob2_key(found.public_id, signer.key.thumbprint)
        token = signed_assertion(hosted, signer.key, creator)
        with self._database.writing() as session:
            # Not where the badge was written anew meanwhile: the next reader signs the newer copy.
            session.execute(
                update(Badge)
                .where(Badge.public_id == badge_id, Badge.issued_at == found.issued_at)
                .values(ob2_jws=token),
                execution_options={"synchronize_session": False},
            )
        return token

    def keys(self, issuer_id: str) -> tuple[str, ...]:
        """The addresses of the keys of an issuer (by public id), the current one first; maybe none."""
        with self._database.reading() as session:
            found = self._keys.public_jwks(session, issuer_id)
        return tuple(self._addresses.ob2_key(issuer_id, _thumbprint(jwk)) for jwk in found)

    def key(self, issuer_id: str, key_id: str) -> Document:
        """One of them, by its thumbprint. Raises NoSuchBadge."""
        with self._database.reading() as session:
            found = self._keys.public_jwks(session, issuer_id)
        for jwk in found:
            if _thumbprint(jwk) == key_id:
                own_id = self._addresses.ob2_key(issuer_id, key_id)
                return cryptographic_key(own_id, self._addresses.issuer(issuer_id), jwk)
        raise NoSuchBadge

    def revoked(self, issuer_id: str) -> Document:
        """What an issuer (by public id) has revoked. Raises NoSuchBadge for one that never signed."""
        if not self.keys(issuer_id):
            raise NoSuchBadge
        with self._database.reading() as session:
            found = session.execute(
                select(Award.public_id, Award.revocation_reason)
                .join(Badge, Badge.award_id == Award.id)
                .join(Organization, Organization.id == Award.issuer_id)
                .where(Organization.public_id == issuer_id, Award.revoked_at.is_not(None))
                .order_by(Award.id)
            ).all()
        return revocation_list(
            self._addresses.revocations(issuer_id),
            self._addresses.issuer(issuer_id),
            {
                self._addresses.assertion(row.public_id): row.revocation_reason or "Revoked by the issuer"
                for row in found
            },
        )


def _thumbprint(jwk: Mapping[str, Any]) -> str:
    """The last segment of its address, by which it is stored."""
    return str(jwk["kid"]).rsplit("/", 1)[-1]
