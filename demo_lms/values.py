"""Small values: times from the wire, numbers, and ids that look like those of real LMSs."""

from __future__ import annotations

import hashlib
import math
import uuid
from datetime import datetime
from typing import Any


def zoned_time(text: str) -> datetime | None:
    """The moment an ISO 8601 text names, None if it has no zone or is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def is_number(value: Any) -> bool:
    """A JSON number that is finite; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def plain_number(value: float) -> int | float:
    return int(value) if value == int(value) else value


def opaque(text: str) -> str:
    """40 hex digits that stand for ``text``, always the same."""
    return hashlib.sha1(text.encode()).hexdigest()


def uuid_of(text: str) -> str:
    """A version 4 UUID that stands for ``text``, always the same."""
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))


def number_of(text: str) -> int:
    """A number of up to ten digits that stands for ``text``; a number stands for itself."""
    return int(text) if text.isdecimal() else int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) + 10**9
