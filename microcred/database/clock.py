"""Time and randomness, handed in so that tests can set them."""

import secrets
from datetime import UTC, datetime
from typing import Protocol

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


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
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
