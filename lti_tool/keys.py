"""The tool's signing keys: made, sealed at rest, rotated with an overlap, published as a JWKS (Security
Framework 6).

The newest key that is not retiring signs. After a rotation the old one stays published until `retires_at`,
because platforms keep our key set for a while. A key object is parsed once per process and kept: parsing a
private key for every signature costs a hundred times the signature itself.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.models import ToolKey
from microcred.database import Clock, Database
from microcred.sealing import Keyring, SealBroken

OVERLAP = timedelta(days=7)
"""How long a rotated-out key stays published."""
BACKDATED = timedelta(seconds=10)
"""Moodle allows no leeway: a signature from a clock two seconds ahead would be refused."""


@dataclass(frozen=True)
class KeyState:
    """One key as an operator sees it."""

    kid: str
    created_at: datetime
    retires_at: datetime | None
    signs: bool
    """Whether new signatures are made with it."""


class ToolKeys:
    """The tool's RSA-2048 keys."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._private: dict[str, RSAPrivateKey] = {}
        self._lock = threading.Lock()

    def ensure(self) -> None:
        """Make a first key where there is none."""
        with self._database.reading() as session:
            if _current(session) is not None:
                return
        row = self._make()
        with self._database.writing() as session:
            if _current(session) is None:
                session.add(row)

    def rotate(self, overlap: timedelta = OVERLAP) -> str:
        """Sign with a new key from now on; the old ones stay published for `overlap`. Gives the new kid."""
        row = self._make()
        now = self._clock.now()
        with self._database.writing() as session:
            session.execute(
                update(ToolKey).where(ToolKey.retires_at.is_(None)).values(retires_at=now + overlap)
            )
            session.add(row)
        return row.kid

    def list(self) -> list[KeyState]:
        """All keys, oldest first."""
        with self._database.reading() as session:
            rows = session.scalars(select(ToolKey).order_by(ToolKey.id)).all()
            current = _current(session)
            return [KeyState(r.kid, r.created_at, r.retires_at, r is current) for r in rows]

    def reseal(self) -> int:
        """Encrypt every private key with the current secret; gives how many had another one. Raises
        SealBroken.
        """
        with self._database.reading() as session:
            rows = session.scalars(select(ToolKey)).all()
        stale = {
            row.id: self._keyring.seal("at-rest", self._open(row), context=row.kid.encode())
            for row in rows
            if not self._keyring.is_current("at-rest", row.sealed_private_key, context=row.kid.encode())
        }
        with self._database.writing() as session:
            for row_id, sealed in stale.items():
                session.execute(update(ToolKey).where(ToolKey.id == row_id).values(sealed_private_key=sealed))
        return len(stale)

    def opens(self, row: ToolKey) -> bool:
        """Whether the installation's secrets still open this key."""
        try:
            self._open(row)
        except SealBroken:
            return False
        return True

    def jwks(self) -> dict[str, Any]:
        """The published key set: public members only, each key with `alg`, `use` and `kid`."""
        with self._database.reading() as session:
            rows = session.scalars(select(ToolKey).order_by(ToolKey.id.desc())).all()
        if not rows:
            self.ensure()
            return self.jwks()
        now = self._clock.now()
        return {"keys": [row.public_jwk for row in rows if row.retires_at is None or row.retires_at > now]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWS (RS256, with kid) of `claims`, by the current key."""
        with self._database.reading() as session:
            row = _current(session)
        if row is None:
            self.ensure()
            return self.sign(claims)
        return jwt.encode(dict(claims), self._key(row), algorithm="RS256", headers={"kid": row.kid})

    def sign_now(self, claims: Mapping[str, Any], lifetime: timedelta) -> str:
        """As `sign`, with `iat` (a little in the past) and `exp` put in."""
        now = self._clock.now()
        times = {"iat": int((now - BACKDATED).timestamp()), "exp": int((now + lifetime).timestamp())}
        return self.sign({**claims, **times})

    def _key(self, row: ToolKey) -> RSAPrivateKey:
        with self._lock:
            key = self._private.get(row.kid)
            if key is None:
                # Checking its numbers takes 25 ms; that it is ours and unchanged, the seal has shown.
                loaded = serialization.load_der_private_key(
                    self._open(row), password=None, unsafe_skip_rsa_key_validation=True
                )
                assert isinstance(loaded, RSAPrivateKey)
                key = self._private[row.kid] = loaded
            return key

    def _open(self, row: ToolKey) -> bytes:
        return self._keyring.open("at-rest", row.sealed_private_key, context=row.kid.encode())

    def _make(self) -> ToolKey:
        key = generate_private_key(public_exponent=65537, key_size=2048)
        jwk = public_jwk(key.public_key())
        der = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        sealed = self._keyring.seal("at-rest", der, context=jwk["kid"].encode())
        return ToolKey(
            kid=jwk["kid"], public_jwk=jwk, sealed_private_key=sealed, created_at=self._clock.now()
        )


def public_jwk(key: RSAPublicKey) -> dict[str, str]:
    """The JWK of a public key; `kid` is its thumbprint (RFC 7638)."""
    numbers = key.public_numbers()
    members = {"e": _base64(numbers.e), "kty": "RSA", "n": _base64(numbers.n)}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
    kid = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {**members, "alg": "RS256", "use": "sig", "kid": kid}


def fresh_id() -> str:
    """A `nonce` or `jti` that was never used."""
    return secrets.token_urlsafe(24)


def _current(session: Session) -> ToolKey | None:
    newest = select(ToolKey).where(ToolKey.retires_at.is_(None)).order_by(ToolKey.id.desc()).limit(1)
    return session.scalars(newest).one_or_none()


def _base64(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
