"""What processes share and may lose at any moment: platform key sets, access tokens, counters.

In process by default; in Redis where several processes serve. Losing it loses no work and opens no door:
whatever must be exact is in the database. When Redis does not answer, each process goes on with a cache of
its own.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import redis
import structlog

from microcred.database import Clock

_log = structlog.get_logger("lti")
Answer = TypeVar("Answer")


class Cache(Protocol):
    """Bytes under a key for some seconds."""

    def get(self, key: str) -> bytes | None:
        """The value, if it is still there."""
        ...

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Keep a value."""
        ...

    def delete(self, key: str) -> None:
        """Forget a value."""
        ...

    def claim(self, key: str, seconds: float) -> bool:
        """True for the first who asks within `seconds`, False for all others."""
        ...

    def count(self, key: str, seconds: float, more: int = 1) -> int:
        """So many more under this key, whose count starts again after `seconds`; the count so far."""
        ...


class InProcessCache:
    """A cache within one process, bounded to `limit` entries (the oldest leave first)."""

    def __init__(self, clock: Clock, limit: int = 10_000) -> None:
        self._clock = clock
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        with self._lock:
            return self._live(key)

    def put(self, key: str, value: bytes, seconds: float) -> None:
        with self._lock:
            self._keep(key, value, seconds)

    def delete(self, key: str) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def claim(self, key: str, seconds: float) -> bool:
        with self._lock:
            if self._live(key) is not None:
                return False
            self._keep(key, b"", seconds)
            return True

    def count(self, key: str, seconds: float, more: int = 1) -> int:
        with self._lock:
            before = self._live(key)
            number = int(before or b"0") + more
            if before is None:
                self._keep(key, b"%d" % number, seconds)
            else:
                self._entries[key] = (self._entries[key][0], b"%d" % number)
            return number

    def _live(self, key: str) -> bytes | None:
        entry = self._entries.get(key)
        if entry is None or entry[0] <= self._clock.now().timestamp():
            return None
        return entry[1]

    def _keep(self, key: str, value: bytes, seconds: float) -> None:
        self._entries[key] = (self._clock.now().timestamp() + seconds, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._limit:
            self._entries.popitem(last=False)


class RedisCache:
    """The same in Redis, under `prefix`; while Redis is away, in process.

    A Redis that does not answer is left alone for `AWAY_SECONDS`: otherwise every request would wait for it.
    """

    AWAY_SECONDS = 5.0

    def __init__(self, client: "redis.Redis", clock: Clock, prefix: str = "microcred:lti:") -> None:
        self._client = client
        self._prefix = prefix
        self._fallback = InProcessCache(clock)
        self._away_until = 0.0

    def get(self, key: str) -> bytes | None:
        def ask() -> bytes | None:
            value: Any = self._client.get(self._prefix + key)
            return value if value is None or isinstance(value, bytes) else str(value).encode()

        return self._ask(ask, lambda: self._fallback.get(key))

    def put(self, key: str, value: bytes, seconds: float) -> None:
        self._ask(
            lambda: self._client.set(self._prefix + key, value, px=_milliseconds(seconds)),
            lambda: self._fallback.put(key, value, seconds),
        )

    def delete(self, key: str) -> None:
        self._fallback.delete(key)
        self._ask(lambda: self._client.delete(self._prefix + key), lambda: None)

    def claim(self, key: str, seconds: float) -> bool:
        return self._ask(
            lambda: bool(self._client.set(self._prefix + key, b"", px=_milliseconds(seconds), nx=True)),
            lambda: self._fallback.claim(key, seconds),
        )

    def count(self, key: str, seconds: float, more: int = 1) -> int:
        def ask() -> int:
            with self._client.pipeline(transaction=False) as pipe:
                pipe.set(self._prefix + key, 0, px=_milliseconds(seconds), nx=True)
                pipe.incrby(self._prefix + key, more)
                return int(pipe.execute()[1])

        return self._ask(ask, lambda: self._fallback.count(key, seconds, more))

    def _ask(self, ask: Callable[[], Answer], otherwise: Callable[[], Answer]) -> Answer:
        if time.monotonic() >= self._away_until:
            try:
                return ask()
            except redis.RedisError:
                self._away_until = time.monotonic() + self.AWAY_SECONDS
                if self._fallback.claim("redis-away", 30):
                    _log.warning("redis_away")
        return otherwise()


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
