"""Time and randomness, handed in so that tests can set them."""

import secrets
from datetime import UTC, datetime
from typing import Protocol

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
# A random byte stands for a letter of the alphabet; those beyond its last whole multiple stand for none, so
# that every letter is equally likely.
_USABLE = 256 - 256 % len(_ALPHABET)
_LETTERS = bytes(_ALPHABET[n % len(_ALPHABET)].encode()[0] for n in range(256))
_UNUSED = bytes(range(_USABLE, 256))


class Clock(Protocol):
    """Where "now" comes from."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def random_id(length: int = 26) -> str:
    """A random public identifier: lower-case letters and digits without look-alikes.

    The alphabet has 31 characters, so 26 of them carry 128 bits.
    """
    letters = b""
    while len(letters) < length:
        letters += secrets.token_bytes(length + 8).translate(_LETTERS, _UNUSED)
    return letters[:length].decode()
