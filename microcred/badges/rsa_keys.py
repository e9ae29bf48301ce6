"""RSA issuer keys, for VC-JWT and signed OB 2.0 assertions: every reader of tokens knows RS256."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

_BITS = 2048
_EXPONENT = 65_537


@dataclass(frozen=True)
class RsaKey:
    """An RSA key pair of an issuing organization."""

    private_key: RSAPrivateKey

    @classmethod
    def generate(cls) -> "RsaKey":
        return cls(generate_private_key(_EXPONENT, _BITS))

    @classmethod
    def from_der(cls, der: bytes) -> "RsaKey":
        """From unencrypted PKCS #8. Raises ValueError for anything else."""
        key = serialization.load_der_private_key(der, password=None)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("not an RSA private key")
        return cls(key)

    def der(self) -> bytes:
        """Unencrypted PKCS #8; seal it before it is stored."""
        return self.private_key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def thumbprint(self) -> str:
        """RFC 7638: the base64url SHA-256 of the public key's required members."""
        members = json.dumps(self._public(), sort_keys=True, separators=(",", ":"))
        return _base64url(hashlib.sha256(members.encode("ascii")).digest())

    def public_jwk(self, kid: str) -> dict[str, Any]:
        """The public half as it is served."""
        return {**self._public(), "kid": kid, "alg": "RS256", "use": "sig"}

    def _public(self) -> dict[str, str]:
        numbers = self.private_key.public_key().public_numbers()
        return {"kty": "RSA", "n": _unsigned(numbers.n), "e": _unsigned(numbers.e)}


def _unsigned(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
