"""Rates per source address and minute (DESIGN section 5). Counted in the shared cache; a lost count only lets
a few more through.
"""

from lti_tool.cache import Cache
from lti_tool.errors import LtiRefused

WINDOW = 60


class RateLimit:
    """At most `limit` of one kind per address and minute; 0 switches it off."""

    def __init__(self, cache: Cache, kind: str, limit: int) -> None:
        self._cache = cache
        self._kind = kind
        self._limit = limit

    def spend(self, address: str) -> None:
        """Count one. Raises LtiRefused(temporarily_unavailable, 429) when the minute's share is used up."""
        if self._limit and self._cache.count(self._key(address), WINDOW) > self._limit:
            raise self._refusal()

    def spend_quietly(self, address: str) -> None:
        """Count one, whatever the count."""
        if self._limit:
            self._cache.count(self._key(address), WINDOW)

    def check(self, address: str) -> None:
        """As `spend`, without counting."""
        if self._limit and self._cache.counted(self._key(address)) >= self._limit:
            raise self._refusal()

    def _key(self, address: str) -> str:
        return f"rate:{self._kind}:{address}"

    def _refusal(self) -> LtiRefused:
        return LtiRefused("temporarily_unavailable", status=429, retry_after=WINDOW)
