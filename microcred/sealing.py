"""Sealing with the installation's secret keys: encrypt, authenticate, and tell one purpose from another.

Every purpose gets its own key, derived by HKDF from each configured secret. The first secret seals; all of
them open, so that a secret can be replaced while what it sealed is still about.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Purpose = Literal[
    "state",
    "session",
    "form",
    "handover",
    "file",
    "at-rest",
    "binding",
    "invitation",
    "recipient",
    "backpack",
    "wallet",
    "address",
    "mail-choice",
]

_NONCE_BYTES = 12
_LEAST_SECRET = 16


class SealBroken(Exception):
    """What was to be opened was not sealed by this installation for this purpose and context."""


class Keyring:
    """The installation's secrets, ready to seal and open.

    Raises ValueError when there is no secret or one is shorter than 16 characters.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets or any(len(secret) < _LEAST_SECRET for secret in secrets):
            raise ValueError(f"each secret key needs at least {_LEAST_SECRET} characters")
        self._secrets = tuple(secrets)
        self._key = lru_cache(maxsize=None)(self._derive)

    def _derive(self, secret: str, purpose: str) -> bytes:
        info = f"microcred/{purpose}/v1".encode()
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(secret.encode())

    def seal(self, purpose: Purpose, data: bytes, *, context: bytes = b"") -> bytes:
        """`data` encrypted and authenticated; opening asks for the same purpose and context."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._key(self._secrets[0], purpose)).encrypt(nonce, data, context)

    def open(self, purpose: Purpose, sealed: bytes, *, context: bytes = b"") -> bytes:
        """The sealed data. Raises SealBroken."""
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        if len(body) < 16:
            raise SealBroken
        for secret in self._secrets:
            try:
                return AESGCM(self._key(secret, purpose)).decrypt(nonce, body, context)
            except InvalidTag:
                continue
        raise SealBroken

    def seal_text(self, purpose: Purpose, value: dict[str, Any], *, context: str = "") -> str:
        """A JSON object as URL-safe text."""
        data = json.dumps(value, separators=(",", ":")).encode()
        return (
            base64.urlsafe_b64encode(self.seal(purpose, data, context=context.encode())).rstrip(b"=").decode()
        )

    def open_text(self, purpose: Purpose, text: str, *, context: str = "") -> dict[str, Any]:
        """The object that `seal_text` sealed. Raises SealBroken."""
        try:
            sealed = base64.b64decode(
                text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
            )
        except (UnicodeEncodeError, binascii.Error) as error:
            raise SealBroken from error
        value: dict[str, Any] = json.loads(self.open(purpose, sealed, context=context.encode()))
        return value

    def is_current(self, purpose: Purpose, sealed: bytes, *, context: bytes = b"") -> bool:
        """Whether `sealed` was sealed with the first secret."""
        try:
            key = self._key(self._secrets[0], purpose)
            AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
        except InvalidTag:
            return False
        return True

    def mac(self, purpose: Purpose, data: str) -> str:
        """HMAC-SHA256 of `data`, hex, with the current secret."""
        return self._mac(self._secrets[0], purpose, data)

    def check_mac(self, purpose: Purpose, data: str, mac: str) -> bool:
        """Whether any secret made `mac` of `data`; compared in constant time."""
        given = mac.encode("utf-8", "replace")
        return any(hmac.compare_digest(self._mac(s, purpose, data).encode(), given) for s in self._secrets)

    def _mac(self, secret: str, purpose: str, data: str) -> str:
        return hmac.new(self._key(secret, purpose), data.encode(), hashlib.sha256).hexdigest()
