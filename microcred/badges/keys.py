"""Issuer keys and the identifiers they answer for: Multikey, did:web and did:key."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import base58
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from microcred.badges.errors import IntegrityError

_ED25519_PUBLIC = b"\xed\x01"  # multicodec ed25519-pub, as a varint
_DID_CONTEXT = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
_NEVER_PUBLIC = (".localhost", ".local", ".test", ".internal", ".invalid", ".example")


@dataclass(frozen=True)
class PublicKey:
    """The public half of an Ed25519 issuer key."""

    key: Ed25519PublicKey

    @classmethod
    def from_multibase(cls, text: str) -> "PublicKey":
        """Reads `z6Mk…` (Multikey, base58btc). Raises IntegrityError `key_invalid`."""
        try:
            raw = base58.b58decode(text[1:]) if text.startswith("z") and len(text) <= 64 else b""
            if len(raw) != 34 or not raw.startswith(_ED25519_PUBLIC):
                raise ValueError
            return cls(Ed25519PublicKey.from_public_bytes(raw[2:]))
        except ValueError as problem:
            raise IntegrityError("key_invalid", "not an Ed25519 Multikey") from problem

    @property
    def multibase(self) -> str:
        """`z6Mk…`; also the fragment of the key's verification method."""
        raw = self.key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return "z" + base58.b58encode(_ED25519_PUBLIC + raw).decode("ascii")

    def holds(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` over `data` was made by the private half."""
        try:
            self.key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class IssuerKey:
    """An Ed25519 key pair of an issuing organization."""

    private_key: Ed25519PrivateKey

    @classmethod
    def generate(cls) -> "IssuerKey":
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_raw(cls, seed: bytes) -> "IssuerKey":
        """From the 32 bytes of a private key. Raises ValueError for another length."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_pem(cls, pem: bytes) -> "IssuerKey":
        """From unencrypted PKCS #8. Raises IntegrityError `key_invalid`."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as problem:
            raise IntegrityError("key_invalid", "not a readable PEM private key") from problem
        if not isinstance(key, Ed25519PrivateKey):
            raise IntegrityError("key_invalid", "not an Ed25519 private key")
        return cls(key)

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.private_key.public_key())

    @property
    def multibase(self) -> str:
        return self.public.multibase

    def raw(self) -> bytes:
        """The 32 private bytes; seal them before they are stored."""
        return self.private_key.private_bytes_raw()

    def pem(self) -> bytes:
        """Unencrypted PKCS #8; seal it before it is stored."""
        return self.private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, data: bytes) -> bytes:
        return self.private_key.sign(data)


@dataclass(frozen=True)
class IssuerIdentity:
    """What an issuer is called in credentials, and whether others can look it up.

    `test` is true where the badge address is not one that the world can reach by https: then the issuer is a
    did:key, and every badge says that it is a test badge.
    """

    did: str
    verification_method: str
    test: bool


def issuer_identity(badge_url: str, issuer_id: str, key: IssuerKey | PublicKey) -> IssuerIdentity:
    """The identity of issuer `issuer_id` at the public badge address, signing with `key`."""
    if is_test_address(badge_url):
        did = f"did:key:{key.multibase}"
        return IssuerIdentity(did, f"{did}#{key.multibase}", test=True)
    did = did_web(badge_url, f"ob/issuers/{issuer_id}")
    return IssuerIdentity(did, f"{did}#{key.multibase}", test=False)


def did_web(badge_url: str, path: str = "") -> str:
    """The did:web of a path under the badge address; without a path, of the address itself.

    Its document is at `<path>/did.json`, or at `/.well-known/did.json` for a bare host (did:web, Read).
    """
    parts = urlsplit(badge_url)
    segments = [segment for segment in f"{parts.path}/{path}".split("/") if segment]
    host = (parts.hostname or "").encode("idna").decode("ascii")
    port = f"%3A{parts.port}" if parts.port else ""
    return ":".join([f"did:web:{host}{port}", *(quote(segment, safe="") for segment in segments)])


def is_test_address(badge_url: str) -> bool:
    """Whether others could not resolve a did:web here: no https, an IP address, or a local name."""
    parts = urlsplit(badge_url)
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme != "https" or "." not in host or host.endswith(_NEVER_PUBLIC):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def did_document(did: str, keys: Iterable[PublicKey]) -> dict[str, Any]:
    """The DID document that lists these keys for issuing: the current one first, then the retired ones.

    Retired keys stay listed, since badges signed with them must go on verifying (Controlled Identifiers 1.0).
    """
    fragments = [key.multibase for key in keys]
    return {
        "@context": _DID_CONTEXT,
        "id": did,
        "verificationMethod": [
            {"id": f"{did}#{key}", "type": "Multikey", "controller": did, "publicKeyMultibase": key}
            for key in fragments
        ],
        "assertionMethod": [f"{did}#{key}" for key in fragments],
    }


def did_key_public(did: str) -> PublicKey:
    """The key that a did:key is. Raises IntegrityError `key_invalid`."""
    if not did.startswith("did:key:"):
        raise IntegrityError("key_invalid", "not a did:key")
    return PublicKey.from_multibase(did.removeprefix("did:key:"))
