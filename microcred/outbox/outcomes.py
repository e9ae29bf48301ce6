"""What a handler is given, and what it may answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

Answer = Mapping[str, Any]
"""What the other side said, redacted: no token, no personal data beyond what the row holds."""

Record = Callable[[Session], None]
"""Runs in the transaction that stores the result: it happens if and only if the result is kept."""


@dataclass(frozen=True)
class Share:
    """One outcome's part of a record that many have in common: `write` runs once, with the values of all
    whose results are kept in one transaction; where it fails, once more for each alone.
    """

    write: Callable[[Session, Sequence[Any]], None]
    value: Any


@dataclass(frozen=True)
class Job:
    """One claimed row, as its handler sees it. `attempt` counts this one; `subject` is (type, id)."""

    id: int
    kind: str
    destination: str
    order_key: str | None
    subject: tuple[str, str]
    payload: Mapping[str, Any]
    attempt: int
    fence: int
    first_tried_at: datetime
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a job."""

    answer: Answer | None = None
    record: Record | None = None
    share: Share | None = None


@dataclass(frozen=True, kw_only=True)
class Delivered(Outcome):
    """Done; nothing more happens to the row."""


@dataclass(frozen=True, kw_only=True)
class Accepted(Outcome):
    """The other side took it and will finish later (HTTP 202)."""


@dataclass(frozen=True, kw_only=True)
class Unverified(Outcome):
    """Sent, but whether it stands there could not be read back."""

    reason: str = "unverified"


@dataclass(frozen=True, kw_only=True)
class Retry(Outcome):
    """Try again: after `after` seconds, else by exponential back-off with jitter, until the window (72 h)
    ends.

    `destination_failed` says that the destination itself is in trouble (no connection, 5xx); such failures
    in a row open its
    breaker. False where only this row is.
    """

    reason: str
    after: float | None = None
    destination_failed: bool = True


@dataclass(frozen=True, kw_only=True)
class Throttled(Outcome):
    """The whole destination must rest for `after` seconds (None: by back-off). The row keeps its place."""

    reason: str = "throttled"
    after: float | None = None


@dataclass(frozen=True, kw_only=True)
class Blocked(Outcome):
    """A person must do something first; `reason` is its code."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Superseded(Outcome):
    """Something newer stands there already; nothing is left to do."""

    reason: str = "newer"


Handler = Callable[[Job], Outcome]
"""Does the work of one kind, outside any transaction. It may be called twice for one row (a worker died):
repeat the same bytes."""
