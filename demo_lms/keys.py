"""Signing keys of the platform, and tokens signed with them: well, oddly, or not at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .names import Absent

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}
_HMACS = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


def b64url(raw: bytes) -> str:
    """Unpadded base64url, as in JWS."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _number(value: int) -> str:
    return b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@dataclass(frozen=True)
class SigningKey:
    """One key pair under a key id. RSA for RS* and PS*, P-256 for ES256."""

    kid: str
    private: PrivateKey

    @classmethod
    def generate(cls, kid: str, alg: str = "RS256", bits: int = 2048) -> SigningKey:
        if alg == "ES256":
            return cls(kid, ec.generate_private_key(ec.SECP256R1()))
        return cls(kid, rsa.generate_private_key(public_exponent=65537, key_size=bits))

    def public_jwk(self, **members: object) -> dict[str, object]:
        """The public key as a JWK with ``kid``, ``use`` and ``alg``; ``members`` overrides."""
        numbers = self.private.public_key().public_numbers()
        jwk: dict[str, object] = {"kid": self.kid, "use": "sig"}
        if isinstance(numbers, rsa.RSAPublicNumbers):
            jwk |= {"kty": "RSA", "alg": "RS256", "n": _number(numbers.n), "e": _number(numbers.e)}
        else:
            point = {"x": b64url(numbers.x.to_bytes(32, "big")), "y": b64url(numbers.y.to_bytes(32, "big"))}
            jwk |= {"kty": "EC", "crv": "P-256", "alg": "ES256", **point}
        return {k: v for k, v in (jwk | members).items() if not isinstance(v, Absent)}

    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def private_pem(self) -> bytes:
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @classmethod
    def from_pem(cls, kid: str, pem: bytes) -> SigningKey:
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ValueError("only RSA and EC keys can sign tokens")
        return cls(kid, key)

    def sign(self, data: bytes, alg: str = "RS256") -> bytes:
        """The raw JWS signature of ``data``; ValueError if the algorithm does not fit the key."""
        digest = _HASHES[alg[2:]]()
        if isinstance(self.private, rsa.RSAPrivateKey):
            if alg.startswith("RS"):
                return self.private.sign(data, padding.PKCS1v15(), digest)
            if alg.startswith("PS"):
                return self.private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        elif alg == "ES256":
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        raise ValueError(f"{alg} does not fit this key")


@dataclass(frozen=True)
class TokenForm:
    """How a token is put together. Without arguments: RS256 by the current key, with its kid.

    ``kid``/``header`` change the header (``ABSENT`` removes a member); ``key`` signs with another
    key, or with bytes as an HMAC secret; any spelling of "none" leaves the signature empty;
    ``header_bytes``/``payload_bytes`` replace a segment's content; ``edit`` changes the finished
    compact token; ``raw`` is sent in place of any token.
    """

    alg: str = "RS256"
    kid: str | Absent | None = None
    key: SigningKey | bytes | None = None
    header: Mapping[str, object] = field(default_factory=dict)
    header_bytes: bytes | None = None
    payload_bytes: bytes | None = None
    edit: Callable[[str], str] | None = None
    raw: str | None = None


def sign_token(claims: Mapping[str, object], current: SigningKey, form: TokenForm | None = None) -> str:
    """A compact JWS of ``claims`` in the given form, signed by ``current`` unless it says otherwise."""
    form = form or TokenForm()
    if form.raw is not None:
        return form.raw
    key = form.key if form.key is not None else current
    kid = form.kid if form.kid is not None else (key.kid if isinstance(key, SigningKey) else current.kid)
    header: dict[str, object] = {"typ": "JWT", "alg": form.alg, "kid": kid, **form.header}
    header = {name: value for name, value in header.items() if not isinstance(value, Absent)}
    head = form.header_bytes if form.header_bytes is not None else json.dumps(header).encode()
    body = form.payload_bytes
    if body is None:
        body = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    signed = f"{b64url(head)}.{b64url(body)}"
    token = f"{signed}.{b64url(_signature(signed.encode(), form.alg, key))}"
    return form.edit(token) if form.edit else token


def _signature(data: bytes, alg: str, key: SigningKey | bytes) -> bytes:
    if alg.lower() == "none":
        return b""
    if isinstance(key, bytes):
        return hmac.new(key, data, _HMACS[alg[2:]]).digest()
    return key.sign(data, alg)


class KeyRing:
    """The platform's keys: one signs, all are published until they are retired."""

    def __init__(
        self,
        keys: list[SigningKey] | None = None,
        name: Callable[[int], str] = lambda number: f"demo-{number}",
    ) -> None:
        self._name = name
        self.published: list[SigningKey] = list(keys) if keys else [SigningKey.generate(name(1))]
        self.current: SigningKey = self.published[-1]
        self._made = len(self.published)

    def rotate(self, key: SigningKey | None = None, *, keep_old: bool = True) -> SigningKey:
        """A new key signs from now on; the old ones stay published unless ``keep_old`` is false."""
        self._made += 1
        new = key or SigningKey.generate(self._name(self._made))
        self.published = [*self.published, new] if keep_old else [new]
        self.current = new
        return new

    def retire(self, kid: str) -> None:
        """Stop publishing a key; ValueError for the one that signs."""
        if kid == self.current.kid:
            raise ValueError("the signing key cannot be retired; rotate first")
        self.published = [key for key in self.published if key.kid != kid]

    def find(self, kid: str) -> SigningKey:
        return next(key for key in self.published if key.kid == kid)

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.public_jwk() for key in self.published]}
