"""Rates per source address and minute (DESIGN section 5). The shared cache adds up what all processes count;
a lost count only lets a few more through.

A process asks the shared cache only for every hundredth part of a limit, and once a second: asking for
each request costs more than the rest of counting it. Small limits are so asked for each time.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from lti_tool.cache import Cache
from lti_tool.errors import LtiRefused
from microcred.database import Clock

WINDOW = 60
_AHEAD = 100
"""A process counts by itself up to this part of a limit."""
_ASK_EVERY = 1.0
_ADDRESSES = 10_000


@dataclass
class _Seen:
    """What this process knows of one address."""

    until: float
    shared: int = 0
    """The count of all processes when it was asked for."""
    own: int = 0
    """What this process counted since."""
    asked_at: float = float("-inf")


class RateLimit:
    """At most `limit` of one kind per address and minute; 0 switches it off."""

    def __init__(self, cache: Cache, clock: Clock, kind: str, limit: int) -> None:
        self._cache = cache
        self._clock = clock
        self._kind = kind
        self._limit = limit
        self._ahead = limit // _AHEAD
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, address: str) -> None:
        """Count one. Raises LtiRefused(temporarily_unavailable, 429) when the minute's share is used up."""
        if self._limit and self._count(address, 1) > self._limit:
            raise self._refusal()

    def spend_quietly(self, address: str) -> None:
        """Count one, whatever the count."""
        if self._limit:
            self._count(address, 1)

    def check(self, address: str) -> None:
        """As `spend`, without counting."""
        if self._limit and self._count(address, 0) >= self._limit:
            raise self._refusal()

    def _count(self, address: str, more: int) -> int:
        """The count of this address's minute with `more` added."""
        now = self._clock.now().timestamp()
        with self._lock:
            seen = self._of(address, now)
            seen.own += more
            if seen.own <= self._ahead and now - seen.asked_at < _ASK_EVERY and self._ahead:
                return seen.shared + seen.own
            told, seen.own, seen.asked_at = seen.own, 0, now
        shared = self._cache.count(f"rate:{self._kind}:{address}", WINDOW, told)
        with self._lock:
            seen.shared = shared
            return shared + seen.own

    def _of(self, address: str, now: float) -> _Seen:
        seen = self._seen.get(address)
        if seen is None or seen.until <= now:
            seen = self._seen[address] = _Seen(now + WINDOW)
            while len(self._seen) > _ADDRESSES:
                self._seen.popitem(last=False)
        return seen

    def _refusal(self) -> LtiRefused:
        return LtiRefused("temporarily_unavailable", status=429, retry_after=WINDOW)
