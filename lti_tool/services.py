"""Calls to a platform's services: access tokens (Security Framework 4.1) and requests that carry them.

Errors are values: `ServiceAnswer.code` says what went wrong in words of ours, and a platform's raw answer
stays with whoever reads it. Tokens are kept per registration and scope set, so that they never cross between
registrations that share an issuer.
"""

import hashlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

from lti_tool.cache import Cache
from lti_tool.dialects.base import retry_after
from lti_tool.facts import RegistrationFacts
from lti_tool.keys import ToolKeys, fresh_id
from lti_tool.models import Registration
from microcred.database import Clock
from microcred.outgoing import TOTAL_SECONDS, Answer, Outgoing, OutgoingError
from microcred.sealing import Keyring, SealBroken

ASSERTION_LIFETIME = timedelta(minutes=3)
LONGEST_TOKEN = 3600
_MARGIN = 60
"""Seconds before its end at which a token is no longer used: more than a request may take."""


_ASKING = TOTAL_SECONDS + 2
"""Seconds for which one process alone asks for a token; longer than a request can take."""
_LOOK_AGAIN = 0.02


@dataclass(frozen=True)
class ServiceAnswer:
    """What came of a service call. `code` is None when the platform answered the call itself (with whatever
    status).

    Else: an `OutgoingError` code, or of the token request `auth_failed` (the platform does not know us or our
    key), `scope_missing`, `throttled`, `token_unavailable` (try again later).
    """

    code: str | None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    body: bytes = b""
    after: float | None = None
    """Seconds that the platform asked us to wait, on a failed token request."""
    at_token: bool = False
    """It was the token request that gave this answer."""
    token_renewed: bool = False
    """A 401 made us get a fresh token and ask once more."""

    @property
    def ok(self) -> bool:
        """Whether the platform answered 2xx."""
        return self.code is None and self.status is not None and 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, whatever its Content-Type (Moodle sends text/html). Raises ValueError."""
        return json.loads(self.body)


class TokenRefused(Exception):
    """No access token; `answer` says why."""

    def __init__(self, answer: ServiceAnswer) -> None:
        super().__init__(answer.code)
        self.answer = answer


class TokenSource:
    """Access tokens of all registrations: cached until shortly before they end, one request at a time for
    each, whichever process asks.
    """

    def __init__(
        self, outgoing: Outgoing, keys: ToolKeys, keyring: Keyring, cache: Cache, clock: Clock
    ) -> None:
        self._outgoing = outgoing
        self._keys = keys
        self._keyring = keyring
        self._cache = cache
        self._clock = clock
        self._near: dict[str, tuple[str, float]] = {}
        """What this process read or got last, and until when: a call of its own to Redis for every score
        would cost as much as a third of sending it."""
        self._refused: dict[str, tuple[ServiceAnswer, float]] = {}
        """The last refusal and when it came (`time.monotonic`)."""
        self._locks: dict[str, threading.Lock] = {}
        self._locks_lock = threading.Lock()

    def token(self, facts: RegistrationFacts, scopes: Sequence[str], *, spent: str | None = None) -> str:
        """An access token for exactly these scopes; never `spent`, one that was just refused. Raises
        TokenRefused, as does everybody who waited for the same answer: where a platform is silent they would
        otherwise wait for it one after the other.
        """
        key = _cache_key(facts, scopes)
        kept = self._kept(key, spent)
        if kept is not None:
            return kept
        began = time.monotonic()
        with self._lock(key):
            kept = self._kept(key, spent)
            if kept is not None:
                return kept
            refused, at = self._refused.get(key, (None, 0.0))
            if refused is not None and at >= began:
                raise TokenRefused(refused)
            try:
                return self._fetched(facts, scopes, key, spent)
            except TokenRefused as refusal:
                self._refused[key] = refusal.answer, time.monotonic()
                raise

    def _fetched(self, facts: RegistrationFacts, scopes: Sequence[str], key: str, spent: str | None) -> str:
        """A fresh token, or the one that another process has just been asking for."""
        asking, give_up = f"asking:{key}", time.monotonic() + _ASKING
        while not self._cache.claim(asking, _ASKING) and time.monotonic() < give_up:
            time.sleep(_LOOK_AGAIN)
            kept = self._kept(key, spent)
            if kept is not None:
                return kept
        try:
            token, seconds = self._request(facts, scopes)
            if seconds > 0:
                self._keep(key, token, seconds)
            return token
        finally:
            self._cache.delete(asking)

    def check(self, facts: RegistrationFacts, scopes: Sequence[str]) -> ServiceAnswer | None:
        """Ask for a fresh token whatever is kept; None where it was given, else the refusal."""
        try:
            token, seconds = self._request(facts, scopes)
        except TokenRefused as refused:
            return refused.answer
        if seconds > 0:
            self._keep(_cache_key(facts, scopes), token, seconds)
        return None

    def _lock(self, key: str) -> threading.Lock:
        with self._locks_lock:
            return self._locks.setdefault(key, threading.Lock())

    def _kept(self, key: str, spent: str | None) -> str | None:
        """A token that was not refused yet, from this process or from the others."""
        now = self._clock.now().timestamp()
        near, until = self._near.get(key, (None, 0.0))
        if near is not None and near != spent and until > now:
            return near
        sealed = self._cache.get(key)
        if sealed is None:
            return None
        try:
            kept = json.loads(self._keyring.open("at-rest", sealed, context=key.encode()))
        except SealBroken:
            return None
        token, until = str(kept["token"]), float(kept["until"])
        if until <= now or token == spent:
            return None
        self._near[key] = (token, until)
        return token

    def _keep(self, key: str, token: str, seconds: float) -> None:
        until = self._clock.now().timestamp() + seconds
        self._near[key] = (token, until)
        value = json.dumps({"token": token, "until": until}).encode()
        self._cache.put(key, self._keyring.seal("at-rest", value, context=key.encode()), seconds)

    def _request(self, facts: RegistrationFacts, scopes: Sequence[str]) -> tuple[str, float]:
        claims = {
            "iss": facts.client_id,
            "sub": facts.client_id,
            "aud": facts.token_audience or facts.token_url,
            "jti": fresh_id(),
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._keys.sign_now(claims, ASSERTION_LIFETIME),
            "scope": " ".join(sorted(scopes)),
        }
        try:
            answer = self._outgoing.request(
                "POST",
                facts.token_url,
                data=form,
                headers={"Accept": "application/json"},
                max_bytes=64 * 1024,
                allowed_hosts=facts.hosts,
            )
        except OutgoingError as error:
            raise TokenRefused(ServiceAnswer(error.code, at_token=True)) from error
        return _read_token(answer, scopes)


@dataclass(frozen=True)
class ServiceCaller:
    """Requests to one registration's services."""

    facts: RegistrationFacts
    outgoing: Outgoing
    tokens: TokenSource

    def call(
        self,
        method: str,
        url: str,
        *,
        scopes: Sequence[str],
        accept: str | None = None,
        content_type: str | None = None,
        body: bytes | None = None,
        deadline: float = TOTAL_SECONDS,
        max_bytes: int = 1024 * 1024,
    ) -> ServiceAnswer:
        """One request with an access token for `scopes`; a first 401 is tried once more with a fresh token.

        `url` goes out byte for byte, except that `http` becomes `https` where the registration uses https.
        """
        try:
            url = self.facts.service_url(url, self.outgoing.allow_hosts)
            token = self.tokens.token(self.facts, scopes)
            headers = {"Accept": accept, "Content-Type": content_type}
            given = {name: value for name, value in headers.items() if value is not None}
            answer = self._send(method, url, token, given, body, deadline, max_bytes)
            renewed = answer.status == 401
            if renewed:
                token = self.tokens.token(self.facts, scopes, spent=token)
                answer = self._send(method, url, token, given, body, deadline, max_bytes)
        except OutgoingError as error:
            return ServiceAnswer(error.code)
        except TokenRefused as refused:
            return refused.answer
        return ServiceAnswer(None, answer.status, answer.headers, answer.body, token_renewed=renewed)

    def _send(
        self,
        method: str,
        url: str,
        token: str,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
        max_bytes: int,
    ) -> Answer:
        return self.outgoing.request(
            method,
            url,
            headers={**headers, "Authorization": f"Bearer {token}"},
            data=body,
            deadline=deadline,
            max_bytes=max_bytes,
            allowed_hosts=self.facts.hosts,
        )


class Services:
    """Hands out a client per registration."""

    def __init__(self, outgoing: Outgoing, tokens: TokenSource) -> None:
        self.outgoing = outgoing
        self.tokens = tokens

    def caller_for(self, registration: Registration | RegistrationFacts) -> ServiceCaller:
        """A caller for the services of `registration` (a row, or its facts)."""
        facts = (
            registration
            if isinstance(registration, RegistrationFacts)
            else RegistrationFacts.of(registration)
        )
        return ServiceCaller(facts, self.outgoing, self.tokens)


def _cache_key(facts: RegistrationFacts, scopes: Sequence[str]) -> str:
    return _key_of(facts.public_id, facts.token_url, facts.client_id, tuple(scopes))


@lru_cache(maxsize=1024)
def _key_of(public_id: str, token_url: str, client_id: str, scopes: tuple[str, ...]) -> str:
    asked = "\n".join((token_url, client_id, *sorted(scopes)))
    return f"token:{public_id}:{hashlib.sha256(asked.encode()).hexdigest()}"


def _read_token(answer: Answer, scopes: Sequence[str]) -> tuple[str, float]:
    """Token and the seconds it may be kept (RFC 6749 5.1). Raises TokenRefused."""
    body = _object(answer.body)
    if not 200 <= answer.status < 300:
        raise TokenRefused(_refusal(answer, body))
    token, kind = body.get("access_token"), body.get("token_type", "bearer")
    if not isinstance(token, str) or not token or not token.isascii() or any(c <= " " for c in token):
        raise TokenRefused(_unavailable(answer))
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenRefused(_unavailable(answer))
    granted = body.get("scope")
    if isinstance(granted, str) and granted.strip() and not set(scopes) <= set(granted.split()):
        raise TokenRefused(ServiceAnswer("scope_missing", answer.status, at_token=True))
    return token, _seconds(body.get("expires_in", LONGEST_TOKEN)) - _MARGIN


def _refusal(answer: Answer, body: Mapping[str, Any]) -> ServiceAnswer:
    error = body.get("error")
    # Moodle's error JSON may be broken by raw quotes, so its text is looked at too.
    text = answer.body[:4096]
    if error == "invalid_scope" or b"invalid_scope" in text:
        return ServiceAnswer("scope_missing", answer.status, at_token=True)
    if answer.status == 429:
        return ServiceAnswer("throttled", 429, after=retry_after(answer.headers), at_token=True)
    if answer.status == 408 or answer.status >= 500:
        return _unavailable(answer)
    return ServiceAnswer("auth_failed", answer.status, at_token=True)


def _unavailable(answer: Answer) -> ServiceAnswer:
    return ServiceAnswer("token_unavailable", answer.status, after=retry_after(answer.headers), at_token=True)


def _seconds(value: object) -> float:
    """`expires_in` in seconds; a value that is no number of seconds keeps nothing."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value[:9])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return min(float(value), LONGEST_TOKEN)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
