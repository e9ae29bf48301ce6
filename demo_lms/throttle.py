"""A leaky bucket for each client, where the dialect has one: requests put in, time lets it run out."""

from __future__ import annotations

from .state import State


def _level(state: State, client_id: str) -> float:
    throttle = state.dialect.throttle
    assert throttle is not None
    held, since = state.buckets.get(client_id, (0.0, state.clock()))
    return max(0.0, held - throttle.leak * max(0.0, (state.clock() - since).total_seconds()))


def _pour(state: State, client_id: str, amount: float) -> float:
    with state.lock:
        level = max(0.0, _level(state, client_id) + amount)
        state.buckets[client_id] = level, state.clock()
    return level


def enter(state: State, client_id: str) -> bool:
    """A request comes: False if the bucket has no room for it."""
    throttle = state.dialect.throttle
    assert throttle is not None
    with state.lock:
        if _level(state, client_id) + throttle.upfront > capacity(state):
            return False
        _pour(state, client_id, throttle.upfront)
    return True


def leave(state: State, client_id: str) -> None:
    """It was answered: only its real cost stays."""
    throttle = state.dialect.throttle
    assert throttle is not None
    _pour(state, client_id, throttle.cost - throttle.upfront)


def capacity(state: State) -> float:
    return float(state.switch("rate_limit"))


def remaining(state: State, client_id: str) -> float:
    with state.lock:
        return max(0.0, capacity(state) - _level(state, client_id))
