"""Back-off and pauses."""

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from microcred.outbox import Policy


@given(st.integers(1, 1000), st.one_of(st.none(), st.floats(0, 1e9)), st.integers(0, 2**32))
def test_delays_stay_within_limits(attempt: int, after: float | None, seed: int) -> None:
    policy, rng = Policy(), random.Random(seed)
    for delay, most in (
        (policy.row_delay(attempt, after, rng), policy.back_off_most),
        (policy.pause(attempt, after, rng), max(policy.breaker_most, policy.retry_after_most)),
    ):
        assert timedelta(seconds=1) <= delay <= timedelta(seconds=most)


def test_delays_double_and_are_spread() -> None:
    policy = Policy()
    longest = [
        max(policy.row_delay(n, None, random.Random(s)) for s in range(50)).total_seconds()
        for n in (1, 2, 3, 4)
    ]
    assert longest == sorted(longest)
    assert 4 < longest[0] <= 5
    assert 35 < longest[3] <= 40
    assert len({policy.row_delay(5, None, random.Random(s)) for s in range(50)}) > 40
