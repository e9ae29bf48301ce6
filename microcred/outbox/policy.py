"""How patient the outbox is: leases, back-off, breaker, limits per destination."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Limit:
    """How hard one destination may be pressed, by all workers together."""

    concurrency: int = 8
    """Jobs in flight. Platforms throttle: Canvas charges every concurrent request in advance."""
    per_second: float | None = None
    """Jobs started in a second; None: as many as come."""


def default_limit(_destination: str) -> Limit:
    """The same limit for every destination."""
    return Limit()


@dataclass(frozen=True)
class Policy:
    """Times in seconds unless they say otherwise."""

    lease: float = 60.0
    """How long a claim holds without a sign of life from its worker; living workers renew it."""
    back_off: float = 5.0
    back_off_most: float = 3600.0
    window: timedelta = timedelta(hours=72)
    """From the first try; a row that still cannot be sent then is dead, and a person sees it."""
    retry_after_most: float = 3600.0
    """A destination may ask for no more than this."""
    breaker_after: int = 5
    """Failures in a row that open the breaker; then one probe at a time."""
    breaker_most: float = 300.0
    worker_seen: float = 20.0
    """A worker not seen for so long does not count when limits are divided."""
    heartbeat: float = 5.0
    """How often a worker says that it lives, and looks how many others do."""
    limit_of: Callable[[str], Limit] = default_limit

    def row_delay(self, attempt: int, after: float | None, rng: random.Random) -> timedelta:
        """How long a row waits after its `attempt`th try failed."""
        if after is not None:
            return timedelta(seconds=min(max(after, 1.0), self.retry_after_most))
        return timedelta(seconds=_jittered(self.back_off, attempt, self.back_off_most, rng))

    def pause(self, failures: int, after: float | None, rng: random.Random) -> timedelta:
        """How long a destination rests: what it asked for, or longer with every failure in a row."""
        if after is not None:
            return timedelta(seconds=min(max(after, 1.0), self.retry_after_most))
        return timedelta(seconds=_jittered(self.back_off, failures, self.breaker_most, rng))


def _jittered(base: float, step: int, most: float, rng: random.Random) -> float:
    """`base` doubled with every step, at most `most`, of which between half and all."""
    return min(base * 2.0 ** min(max(step - 1, 0), 30), most) * rng.uniform(0.5, 1.0)
