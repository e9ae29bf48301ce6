"""A platform that costs next to nothing: key set, access tokens, scores, with a fixed latency.

`python -m benchmarks.stub '{"ports": [..], "latency": 0.02, "jwks": {..}}'` listens on 127.0.0.1, each port a
platform of its own. It checks what a platform would: the token was given by this platform, the body is a
score.
GET /stats counts, GET /stats?reset forgets. A port in `silent` takes requests and never answers.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

_SCORE_KEYS = {"userId", "timestamp", "activityProgress", "gradingProgress"}


@dataclass
class Counts:
    """What one platform has seen."""

    tokens: int = 0
    scores: int = 0
    refused: int = 0
    connections: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    first_at: float = 0.0
    """`time.monotonic()`, the same clock for every process of a machine."""
    last_at: float = 0.0
    last: dict[str, str] = field(default_factory=dict)
    """The newest timestamp of each person."""

    def as_json(self) -> dict[str, Any]:
        """The numbers; of persons only how many."""
        return {**{k: v for k, v in vars(self).items() if k != "last"}, "people": len(self.last)}


class Platform(asyncio.Protocol):
    """One connection to one platform. Requests come one after the other, as our clients send them."""

    def __init__(self, port: int, counts: Counts, options: dict[str, Any]) -> None:
        self._port = port
        self._counts = counts
        self._options = options
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._counts.connections += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            lower = head.lower()
            at = lower.find(b"content-length:")
            length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._request(head, body)

    def _request(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1]
        if path.startswith(b"/stats"):
            self._counts.connections -= 1  # whoever asks is not a client
            self._answer(200, json.dumps(self._counts.as_json()).encode())
            if path.endswith(b"reset"):
                self._counts.__init__()  # type: ignore[misc]
        elif path == b"/jwks":
            self._answer(200, json.dumps(self._options["jwks"]).encode())
        elif self._port in self._options.get("silent", ()):
            return
        elif path == b"/token":
            self._counts.tokens += 1
            given = {
                "access_token": f"token-{self._port}",
                "token_type": "Bearer",
                "expires_in": 3600,
                "scope": " ".join(self._options.get("scopes", [])),
            }
            self._later(200, json.dumps(given).encode())
        else:
            self._score(head, body)

    def _score(self, head: bytes, body: bytes) -> None:
        counts = self._counts
        counts.first_at = counts.first_at or time.monotonic()
        score = json.loads(body) if body else {}
        if f"Bearer token-{self._port}".encode() not in head or not score.keys() >= _SCORE_KEYS:
            counts.refused += 1
            self._later(401, b"{}")
            return
        person, stamp = score["userId"], score["timestamp"]
        if counts.last.get(person, "") > stamp:
            counts.refused += 1
            self._later(409, b"{}")
            return
        counts.last[person] = stamp
        counts.in_flight += 1
        counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
        asyncio.get_running_loop().call_later(self._options["latency"], self._scored)

    def _scored(self) -> None:
        self._counts.in_flight -= 1
        self._counts.scores += 1
        self._counts.last_at = time.monotonic()
        self._answer(200, b'{"resultUrl":"http://127.0.0.1/results/1"}')

    def _later(self, status: int, body: bytes) -> None:
        asyncio.get_running_loop().call_later(self._options["latency"], self._answer, status, body)

    def _answer(self, status: int, body: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(
                b"HTTP/1.1 %d .\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (status, len(body), body)
            )


async def serve(options: dict[str, Any]) -> None:
    """Listen on every port, and say so on stdout, until ended."""
    loop = asyncio.get_running_loop()
    for port in options["ports"]:
        counts = Counts()
        await loop.create_server(
            lambda port=port, counts=counts: Platform(port, counts, options),  # type: ignore[misc]
            "127.0.0.1",
            port,
            backlog=256,
        )
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
