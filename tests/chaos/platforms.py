"""Platforms that misbehave: tokens, line items, scores and results, each answer spoilt by a throw of dice.

`python -m tests.chaos.platforms '{"ports": [...], ...}'` listens on 127.0.0.1, each port a platform of its
own. It keeps what a real one would (the value shown, attempts, comments) and what only a referee needs (every
timestamp in the order of arrival). `GET /seen` gives all of it.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

_SUBMISSION = "https://canvas.instructure.com/lti/submission"
_TOKEN_SECONDS = 120
_ANSWER = "HTTP/1.1 {} .\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n"


@dataclass(frozen=True)
class Faults:
    """How often, of every answer, something goes wrong."""

    server_error: float = 0.30
    """5xx; a sixth of them after the work was done (502 and 504 of a proxy in front)."""
    dropped: float = 0.04
    """The work is done, and the connection ends without an answer."""
    silent: float = 0.003
    """The work is done, and no answer ever comes."""
    throttled: float = 0.01
    """429 with `Retry-After: 1` (Canvas: its 403)."""


@dataclass
class Cell:
    """One learner in one column."""

    score: float | None = None
    maximum: float | None = None
    stamp: str = ""
    """The newest timestamp taken."""
    arrived: str = ""
    """The newest timestamp that ever arrived."""
    body: bytes = b""
    posts: int = 0
    out_of_order: int = 0
    same_stamp_other_body: int = 0
    attempts: int = 0
    submitted_at: str = ""
    comments: list[str] = field(default_factory=list)


@dataclass
class State:
    """One platform."""

    port: int
    lms: str
    faults: Faults
    latency: float
    keys: dict[str, Any]
    rng: random.Random
    cells: dict[str, dict[str, Cell]] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str) -> None:
        """One more of these."""
        self.counts[name] = self.counts.get(name, 0) + 1

    def as_json(self) -> dict[str, Any]:
        """Everything that a referee asks for."""
        cells = {
            item: {
                user: {k: v for k, v in vars(cell).items() if k != "body"} for user, cell in people.items()
            }
            for item, people in self.cells.items()
        }
        return {"lms": self.lms, "cells": cells, "items": self.items, "counts": self.counts}


@dataclass
class Answer:
    """Status, body and headers beside the usual ones."""

    status: int
    body: Any = None
    headers: str = ""


class Platform(asyncio.Protocol):
    """One connection. Requests come one after the other, as our client sends them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].decode("latin-1")
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
            headers = {name.lower(): value for name, value in fields.items()}
            length = int(headers.get("content-length", "0"))
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            method, target, _ = head.split("\r\n", 1)[0].split(" ")
            self._request(method, target, headers, body)

    def _request(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        if target == "/seen":
            self._send(Answer(200, self._state.as_json()))
            return
        state, dice = self._state, self._state.rng.random()
        faults = state.faults
        state.count("requests")
        if dice < faults.server_error:
            after = dice < faults.server_error / 6
            state.count("server_error_after" if after else "server_error")
            if after:
                self._handle(method, target, headers, body)
            self._later(Answer(state.rng.choice((502, 504) if after else (500, 502, 503, 504))))
            return
        dice -= faults.server_error
        if dice < faults.throttled:
            state.count("throttled")
            rest = "Retry-After: 1\r\n"
            canvas = Answer(403, "403 Forbidden (Rate Limit Exceeded)", rest)
            self._later(canvas if state.lms == "canvas" else Answer(429, None, rest))
            return
        dice -= faults.throttled
        answer = self._handle(method, target, headers, body)
        if dice < faults.dropped:
            state.count("dropped")
            self._transport.close()
        elif dice < faults.dropped + faults.silent:
            state.count("silent")
        else:
            self._later(answer)

    def _handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = urlsplit(target)
        if parts.path == "/token":
            return self._token(body)
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if self._state.tokens.get(token, 0.0) < time.monotonic():
            self._state.count("unauthorized")
            return Answer(401)
        if parts.path == "/items":
            return self._line_items(method, parse_qs(parts.query), body)
        item, _, service = parts.path.removeprefix("/items/").partition("/")
        people = self._state.cells.setdefault(item, {})
        if service == "results":
            return self._results(people, parse_qs(parts.query)["user_id"][0])
        return self._score(people, json.loads(body), body)

    def _token(self, body: bytes) -> Answer:
        form = parse_qs(body.decode())
        assertion = form["client_assertion"][0]
        try:
            key = jwt.PyJWKSet.from_dict(self._state.keys)[jwt.get_unverified_header(assertion)["kid"]]
            audience = f"http://127.0.0.1:{self._state.port}/token"
            jwt.decode(assertion, key.key, algorithms=["RS256"], audience=audience, leeway=60)
        except (jwt.PyJWTError, KeyError):
            self._state.count("assertion_refused")
            return Answer(400, {"error": "invalid_client"})
        token = f"token-{self._state.rng.getrandbits(64):x}"
        self._state.tokens[token] = time.monotonic() + _TOKEN_SECONDS
        self._state.count("tokens")
        given = {"access_token": token, "token_type": "Bearer", "expires_in": _TOKEN_SECONDS}
        return Answer(200, given | {"scope": form["scope"][0]})

    def _line_items(self, method: str, query: dict[str, list[str]], body: bytes) -> Answer:
        items = self._state.items
        if method == "POST":
            number = len(items) + 1
            made = {**json.loads(body), "id": f"http://127.0.0.1:{self._state.port}/items/{number}"}
            items.append(made)
            return Answer(201, made)
        wanted = {"resourceId": query.get("resource_id"), "tag": query.get("tag")}
        wanted["resourceLinkId"] = query.get("resource_link_id")
        return Answer(
            200, [i for i in items if all(v is None or i.get(name) == v[0] for name, v in wanted.items())]
        )

    def _results(self, people: dict[str, Cell], user: str) -> Answer:
        cell = people.get(user)
        if cell is None:
            return Answer(200, [])
        result = {"id": "r", "userId": user, "resultScore": cell.score, "resultMaximum": cell.maximum or 1}
        return Answer(200, [{name: value for name, value in result.items() if value is not None}])

    def _score(self, people: dict[str, Cell], score: dict[str, Any], body: bytes) -> Answer:
        cell = people.setdefault(score["userId"], Cell())
        stamp = score["timestamp"]
        cell.posts += 1
        cell.out_of_order += stamp < cell.arrived
        cell.arrived = max(cell.arrived, stamp)
        if stamp < cell.stamp:
            self._state.count("too_old")
            old = Answer(400, "Provided timestamp of x before last updated timestamp of y")
            return old if self._state.lms == "canvas" else Answer(409)
        if stamp == cell.stamp:
            self._state.count("repeated")
            cell.same_stamp_other_body += body != cell.body
        cell.stamp, cell.body = stamp, body
        self._state.count("stored")
        extension = score.get(_SUBMISSION, {})
        if self._state.lms == "canvas":
            self._attempt(cell, extension, score)
        if score.get("comment"):
            if self._state.lms == "canvas":
                cell.comments.append(score["comment"])
            else:
                cell.comments = [score["comment"]]
        if not extension.get("preserve_score"):
            cell.score, cell.maximum = score.get("scoreGiven"), score.get("scoreMaximum")
        return Answer(200, {"resultUrl": "http://127.0.0.1/r"} if self._state.lms == "canvas" else None)

    @staticmethod
    def _attempt(cell: Cell, extension: dict[str, Any], score: dict[str, Any]) -> None:
        """Canvas makes an attempt of a post unless told not to, or unless it names the same hand-in again."""
        if score["activityProgress"] not in ("Submitted", "Completed"):
            return
        if not extension.get("new_submission", True):
            return
        submitted_at = score.get("submission", {}).get("submittedAt", "")
        if not submitted_at or submitted_at != cell.submitted_at:
            cell.attempts += 1
        cell.submitted_at = submitted_at

    def _later(self, answer: Answer) -> None:
        asyncio.get_running_loop().call_later(self._state.latency, self._send, answer)

    def _send(self, answer: Answer) -> None:
        body = b"" if answer.body is None else json.dumps(answer.body, separators=(",", ":")).encode()
        if not self._transport.is_closing():
            self._transport.write(_ANSWER.format(answer.status, len(body), answer.headers).encode() + body)


async def serve(options: dict[str, Any]) -> None:
    """Listen on every port, and say so on stdout, until ended."""
    loop = asyncio.get_running_loop()
    for port, lms in zip(options["ports"], options["lms"], strict=True):
        rng = random.Random(f"{options['seed']} {lms}")
        state = State(port, lms, Faults(**options["faults"]), options["latency"], options["jwks"], rng)
        if lms != "other":
            state.items.append({"id": f"http://127.0.0.1:{port}/items/1", "tag": "main"})
        await loop.create_server(lambda state=state: Platform(state), "127.0.0.1", port, backlog=512)  # type: ignore[misc]
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
