"""Scripted answers and the request log: how a test makes the platform misbehave, and sees what came."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs


@dataclass
class Request:
    """One request the platform received. ``status`` is None while it is being answered or was dropped."""

    endpoint: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    started: float
    finished: float | None = None
    status: int | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """Form fields of the body, the last of each name."""
        return {k: v[-1] for k, v in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    def as_json(self) -> dict[str, object]:
        return {
            "endpoint": self.endpoint,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "body": self.body.decode("utf-8", "replace"),
            "started": self.started,
            "finished": self.finished,
            "status": self.status,
        }


class RequestLog:
    """The last 100,000 requests in order of arrival; safe to read while the server works."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque(maxlen=100_000)
        self._changed = threading.Condition()

    def add(self, request: Request) -> None:
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def finish(self, request: Request, status: int | None) -> None:
        with self._changed:
            request.status, request.finished = status, time.time()
            self._changed.notify_all()

    def all(self, endpoint: str | None = None) -> list[Request]:
        with self._changed:
            return [r for r in self._requests if endpoint in (None, r.endpoint)]

    def count(self, endpoint: str | None = None) -> int:
        return len(self.all(endpoint))

    def last(self, endpoint: str | None = None) -> Request:
        return self.all(endpoint)[-1]

    def clear(self) -> None:
        with self._changed:
            self._requests.clear()

    def wait_for(self, endpoint: str, count: int = 1, timeout: float = 10.0) -> list[Request]:
        """Wait until ``count`` requests of that endpoint are answered or dropped; else TimeoutError."""

        def done() -> bool:
            return sum(r.endpoint == endpoint and r.finished is not None for r in self._requests) >= count

        with self._changed:
            if not self._changed.wait_for(done, timeout):
                raise TimeoutError(f"fewer than {count} requests to {endpoint} in {timeout} s")
        return self.all(endpoint)


@dataclass(frozen=True)
class Reply:
    """A scripted answer.

    ``status`` None: the platform answers as usual, with ``headers`` added, after ``delay`` seconds.
    With a status, that status, ``headers`` and ``body`` (text, bytes, or anything for JSON) are
    the answer; the request takes effect only with ``apply``. ``drop`` closes the connection without
    an answer, "before" or "after" the request took effect. ``trickle`` sends the body one byte per so
    many seconds; ``raw`` sends these very bytes (a broken or slow head) and closes.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    delay: float = 0.0
    apply: bool = False
    drop: Literal["before", "after"] | None = None
    trickle: float = 0.0
    raw: bytes | None = None

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> Reply:
        return cls(status, {"Location": location}, b"")

    def body_bytes(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass
class _Rule:
    endpoint: str
    reply: Reply | Callable[[Request], Reply | None]
    left: int | None
    match: Callable[[Request], bool] | None


class Script:
    """Rules that replace or disturb answers, consulted in the order they were given.

    Endpoint names: ``login`` (the page that starts a login), ``auth``, ``jwks``, ``token``,
    ``openid_configuration``, ``register``, ``deep_link_return``, ``lineitems``, ``lineitem``,
    ``scores``, ``results``, ``result``, ``memberships``; ``*`` is any of them.
    """

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def on(
        self,
        endpoint: str,
        reply: Reply | Callable[[Request], Reply | None],
        *,
        times: int | None = 1,
        match: Callable[[Request], bool] | None = None,
    ) -> None:
        """Answer the next ``times`` requests (None: all, until :meth:`clear`) of that endpoint so.

        A callable decides for each request and may return None for the usual answer.
        """
        with self._lock:
            self._rules.append(_Rule(endpoint, reply, times, match))

    def clear(self, endpoint: str | None = None) -> None:
        with self._lock:
            self._rules = [r for r in self._rules if endpoint is not None and r.endpoint != endpoint]

    def take(self, request: Request) -> Reply | None:
        """The scripted answer for this request, using up one of its times; None for the usual one."""
        with self._lock:
            for rule in self._rules:
                if rule.endpoint not in ("*", request.endpoint) or rule.left == 0:
                    continue
                if rule.match is not None and not rule.match(request):
                    continue
                reply = rule.reply if isinstance(rule.reply, Reply) else rule.reply(request)
                if reply is None:
                    continue
                if rule.left is not None:
                    rule.left -= 1
                return reply
        return None

    def pause(self, seconds: float) -> None:
        """Wait; returns early when the server closes, so that no test hangs on a hanging platform."""
        if seconds > 0:
            self._stopped.wait(seconds)

    def release(self) -> None:
        """End every pause under way."""
        self._stopped.set()
        self._stopped = threading.Event()
