"""A platform that costs next to nothing: key set, access tokens, scores, with a fixed latency.

`python -m benchmarks.stub '{"ports": [..], "latency": 0.02, "jwks": {..}}'` listens on 127.0.0.1, each port a
platform of its own. It checks what a platform would: the token was given by this platform, the body is a
score.
GET /stats counts, GET /stats?reset forgets. A port in `silent` takes requests and never answers.

One loop over epoll: it shares the cores with what is measured.
"""

import json
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_SCORE_KEYS = {"userId", "timestamp", "activityProgress", "gradingProgress"}
_RESULT = b'{"resultUrl":"http://127.0.0.1/results/1"}'


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


class Loop:
    """All connections, and the answers that wait for their moment."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self._poll = select.epoll()
        self._doors: dict[int, tuple[socket.socket, int, Counts]] = {}
        self._open: dict[int, Connection] = {}
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        for port in options["ports"]:
            door = socket.create_server(("127.0.0.1", port), backlog=256)
            door.setblocking(False)
            self._doors[door.fileno()] = door, port, Counts()
            self._poll.register(door, select.EPOLLIN)

    def later(self, act: Callable[[], None]) -> None:
        """Do it after the latency; what was said first comes first, as all wait equally long."""
        self._waiting.append((time.monotonic() + self.options["latency"], act))

    def run(self) -> None:
        """Serve until ended."""
        while True:
            left = self._waiting[0][0] - time.monotonic() if self._waiting else -1.0
            for number, _ in self._poll.poll(max(0.0, left) if self._waiting else None):
                if number in self._doors:
                    self._welcome(*self._doors[number])
                elif not self._open[number].read():
                    self._open.pop(number).socket.close()
            now = time.monotonic()
            while self._waiting and self._waiting[0][0] <= now:
                self._waiting.popleft()[1]()

    def _welcome(self, door: socket.socket, port: int, counts: Counts) -> None:
        while True:
            try:
                made, _ = door.accept()
            except BlockingIOError:
                return
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            counts.connections += 1
            self._open[made.fileno()] = Connection(self, made, port, counts)
            self._poll.register(made, select.EPOLLIN)


class Connection:
    """One connection to one platform. Requests come one after the other, as our clients send them."""

    def __init__(self, loop: Loop, made: socket.socket, port: int, counts: Counts) -> None:
        self.socket = made
        self._loop = loop
        self._port = port
        self._counts = counts
        self._buffer = b""

    def read(self) -> bool:
        """Take what has come; False when the client has gone."""
        try:
            data = self.socket.recv(65536)
        except OSError:
            return False
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            lower = head.lower()
            at = lower.find(b"content-length:")
            length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                break
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._request(head, body)
        return bool(data)

    def _request(self, head: bytes, body: bytes) -> None:
        path, options = head.split(b" ", 2)[1], self._loop.options
        if path.startswith(b"/stats"):
            self._counts.connections -= 1  # whoever asks is not a client
            self._answer(200, json.dumps(self._counts.as_json()).encode())
            if path.endswith(b"reset"):
                self._counts.__init__()  # type: ignore[misc]
        elif path == b"/jwks":
            self._answer(200, json.dumps(options["jwks"]).encode())
        elif self._port in options.get("silent", ()):
            return
        elif path == b"/token":
            self._counts.tokens += 1
            given = {
                "access_token": f"token-{self._port}",
                "token_type": "Bearer",
                "expires_in": 3600,
                "scope": " ".join(options.get("scopes", [])),
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
        self._loop.later(self._scored)

    def _scored(self) -> None:
        self._counts.in_flight -= 1
        self._counts.scores += 1
        self._counts.last_at = time.monotonic()
        self._answer(200, _RESULT)

    def _later(self, status: int, body: bytes) -> None:
        self._loop.later(lambda: self._answer(status, body))

    def _answer(self, status: int, body: bytes) -> None:
        head = b"HTTP/1.1 %d .\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        try:
            # Blocking: an answer is shorter than any socket's buffer.
            self.socket.sendall(head % (status, len(body)) + body)
        except OSError:
            return  # the client has gone


if __name__ == "__main__":
    serving = Loop(json.loads(sys.argv[1]))
    print("ready", flush=True)
    serving.run()
