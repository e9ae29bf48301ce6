"""Platforms' public keys (Security Framework 6.3, 6.4): parsed once, kept per registration, fetched as seldom
as possible.

Kept between 5 minutes and 24 hours, as the platform's Cache-Control says. An unknown kid leads to one fetch,
at most once in 30 s for a registration, however many tokens with made-up kids come. Fetches of one
registration never run side by side. When a fetch gives nothing usable the last good set stays in use: a
platform's outage must not stop its launches.
"""

import base64
import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from lti_tool.cache import Cache
from lti_tool.errors import LtiRefused
from lti_tool.facts import RegistrationFacts
from microcred.database import Clock
from microcred.outgoing import Answer, Outgoing, OutgoingError

SHORTEST = 5 * 60
LONGEST = 24 * 3600
REFETCH_EVERY = 30
DEADLINE = 5.0
PATIENCE = 1.0
"""Seconds a launch waits for a refresh while it has an older set it can use."""
JOINING = 1.5
"""Seconds from its start for which a fetch is waited for by others than the launch that began it, where they
can do nothing without it. Each that waits holds a thread, and a platform whose key host hangs must not hold
all of them.
"""
HUNG_FOR = 5
"""Seconds after a fetch that hung before another is begun."""
MAX_BYTES = 256 * 1024
MAX_KEYS = 100
SAME_KID = 4
"""Keys of one kid that are tried; more is `kid_ambiguous`."""
_LEAST_BITS = 2048
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,10})", re.IGNORECASE)

_log = structlog.get_logger("lti")


@dataclass(frozen=True)
class PlatformKey:
    """One public key of a platform; `alg` where the platform says which one it is for."""

    kid: str
    alg: str | None
    key: RSAPublicKey


@dataclass(frozen=True)
class KeySet:
    """A platform's usable keys and until when (seconds since 1970) they are fresh."""

    keys: Mapping[str, Sequence[PlatformKey]]
    fresh_until: float


@dataclass
class _Held:
    """What this process holds of one registration."""

    url: str
    key_set: KeySet | None = None
    tried_at: float = float("-inf")
    refetched_at: float = float("-inf")
    hung_until: float = float("-inf")
    began: float = 0.0
    """When the flight began, by the machine's steady clock."""
    flight: threading.Event | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class PlatformKeys:
    """The key sets of all registrations."""

    def __init__(self, outgoing: Outgoing, cache: Cache, clock: Clock) -> None:
        self._outgoing = outgoing
        self._cache = cache
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def find(self, facts: RegistrationFacts, kid: str, alg: str) -> Sequence[PlatformKey]:
        """The keys of `kid` that may have made an `alg` signature. Raises LtiRefused.

        Codes: jwks_unavailable (nothing known and nothing to be had), kid_unknown, kid_ambiguous.
        """
        held = self._of(facts)
        now = self._clock.now().timestamp()
        if held.key_set is None:
            held.key_set = self._shared(facts)
        if held.key_set is None or held.key_set.fresh_until <= now:
            self._refresh(facts, held, PATIENCE if held.key_set else DEADLINE + 1)
        if held.key_set is None:
            raise LtiRefused("jwks_unavailable")
        keys = _usable(held.key_set, kid, alg)
        if not keys:
            self._refresh(facts, held, DEADLINE + 1, unknown_kid=True)
            keys = _usable(held.key_set, kid, alg)
        if not keys:
            raise LtiRefused("kid_unknown")
        if len(keys) > SAME_KID:
            raise LtiRefused("kid_ambiguous")
        return keys

    def _of(self, facts: RegistrationFacts) -> _Held:
        with self._lock:
            held = self._held.get(facts.public_id)
            if held is None or held.url != facts.jwks_url:
                held = self._held[facts.public_id] = _Held(facts.jwks_url)
            return held

    def _refresh(
        self, facts: RegistrationFacts, held: _Held, patience: float, *, unknown_kid: bool = False
    ) -> None:
        """Have the set fetched by one thread for all, and wait for it as long as `patience` allows."""
        with held.lock:
            flight = held.flight
            now = self._clock.now().timestamp()
            if flight is not None and (held.key_set is None or unknown_kid):
                patience = max(0.0, JOINING - (time.monotonic() - held.began))
            if flight is None:
                if held.key_set is None and now < held.hung_until:
                    return
                last = held.refetched_at if unknown_kid else held.tried_at
                if held.key_set is not None and now - last < REFETCH_EVERY:
                    return
                held.tried_at = now
                held.refetched_at = now if unknown_kid else held.refetched_at
                held.began = time.monotonic()
                flight = held.flight = threading.Event()
                work = (facts, held, flight, unknown_kid)
                threading.Thread(target=self._fly, args=work, daemon=True).start()
        flight.wait(patience)

    def _fly(self, facts: RegistrationFacts, held: _Held, flight: threading.Event, unknown_kid: bool) -> None:
        try:
            if unknown_kid and not self._cache.claim(f"jwks-refetch:{facts.public_id}", REFETCH_EVERY):
                fetched = self._await_other_process(facts, held)
            else:
                fetched = self._fetch(facts)
            if fetched is not None:
                held.key_set = fetched
        finally:
            with held.lock:
                held.flight = None
                if held.key_set is None and time.monotonic() - held.began > JOINING:
                    held.hung_until = self._clock.now().timestamp() + HUNG_FOR
            flight.set()

    def _await_other_process(self, facts: RegistrationFacts, held: _Held) -> KeySet | None:
        """The set that another process is fetching for the same reason, or what there is after a second."""
        known_until = held.key_set.fresh_until if held.key_set else 0.0
        shared = self._shared(facts)
        for _ in range(5):
            if shared is not None and shared.fresh_until > known_until:
                break
            time.sleep(0.2)
            shared = self._shared(facts)
        return shared

    def _fetch(self, facts: RegistrationFacts) -> KeySet | None:
        try:
            answer = self._outgoing.request(
                "GET",
                facts.jwks_url,
                headers={"Accept": "application/json"},
                deadline=DEADLINE,
                max_bytes=MAX_BYTES,
                allowed_hosts=facts.hosts,
            )
        except OutgoingError as error:
            _log.warning("jwks_unavailable", registration_id=facts.public_id, reason=error.code)
            return None
        keys = read_keys(answer.body) if answer.status == 200 else {}
        if not keys:
            _log.warning("jwks_unavailable", registration_id=facts.public_id, status=answer.status)
            return None
        seconds = _lifetime(answer)
        fresh_until = self._clock.now().timestamp() + seconds
        shared = json.dumps({"until": fresh_until, "body": answer.body.decode("utf-8", "replace")})
        self._cache.put(_cache_key(facts), shared.encode(), LONGEST)
        return KeySet(keys, fresh_until)

    def _shared(self, facts: RegistrationFacts) -> KeySet | None:
        """The set that another process fetched, or this one before it was restarted."""
        kept = self._cache.get(_cache_key(facts))
        if kept is None:
            return None
        try:
            value = json.loads(kept)
            keys = read_keys(value["body"].encode())
        except (ValueError, KeyError, AttributeError):
            return None
        return KeySet(keys, float(value["until"])) if keys else None


def read_keys(body: bytes) -> dict[str, list[PlatformKey]]:
    """The usable RSA keys of a JWKS document by kid; unusable ones and unreadable documents give nothing."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    entries = document.get("keys") if isinstance(document, dict) else None
    found: dict[str, list[PlatformKey]] = {}
    for entry in (entries if isinstance(entries, list) else [])[:MAX_KEYS]:
        key = _read_key(entry)
        same = found.setdefault(key.kid, []) if key else []
        if key and all(key.key != other.key for other in same):
            same.append(key)
    return found


def _read_key(entry: object) -> PlatformKey | None:
    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
        return None
    kid, alg = entry.get("kid"), entry.get("alg")
    if not isinstance(kid, str) or not kid or not (alg is None or isinstance(alg, str)):
        return None
    try:
        numbers = RSAPublicNumbers(_number(entry.get("e")), _number(entry.get("n")))
        key = numbers.public_key()
    except ValueError:
        return None
    return PlatformKey(kid, alg, key) if key.key_size >= _LEAST_BITS else None


def _number(text: Any) -> int:
    if not isinstance(text, str) or not text or len(text) > 4096:
        raise ValueError("no number")
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def _usable(key_set: KeySet, kid: str, alg: str) -> list[PlatformKey]:
    return [key for key in key_set.keys.get(kid, ()) if key.alg in (None, alg)]


def _lifetime(answer: Answer) -> float:
    found = _MAX_AGE.search(answer.headers.get("Cache-Control", ""))
    return min(max(float(found.group(1)), SHORTEST), LONGEST) if found else SHORTEST


def _cache_key(facts: RegistrationFacts) -> str:
    return f"jwks:{facts.public_id}:{facts.jwks_url}"
