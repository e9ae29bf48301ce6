"""Many browsers at once, as cheap as can be: raw HTTP/1.1 over connections that stay open."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What came back; cookies as `name=value`."""

    status: int
    location: str
    cookies: Sequence[str]
    body: bytes


class Connection:
    """One connection to a server on 127.0.0.1, opened again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> Answer:
        """The answer to one request."""
        fresh = self._streams is None
        try:
            return await self._exchange(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
            if fresh:
                raise
            return await self._exchange(request)

    def close(self) -> None:
        """Close it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, request: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        status, location, length, cookies, closing = int(head[0].split(b" ")[1]), "", None, [], False
        for line in head[1:]:
            name, _, value = line.partition(b":")
            name, value = name.lower(), value.strip()
            if name == b"location":
                location = value.decode()
            elif name == b"set-cookie":
                cookies.append(value.split(b";", 1)[0].decode())
            elif name == b"content-length":
                length = int(value)
            elif name == b"connection":
                closing = value.lower() == b"close"
        if length is None and status not in (204, 304):
            raise NotImplementedError("an answer without a length")
        body = await reader.readexactly(length) if length else b""
        if closing:
            self.close()
        return Answer(status, location, cookies, body)


def get(host: str, target: str, headers: Sequence[str] = (), cookies: Sequence[str] = ()) -> bytes:
    """A GET request."""
    return _request("GET", host, target, headers, cookies, b"")


def post(host: str, target: str, form: str, headers: Sequence[str], cookies: Sequence[str]) -> bytes:
    """A form that is posted."""
    typed = ["Content-Type: application/x-www-form-urlencoded", *headers]
    return _request("POST", host, target, typed, cookies, form.encode())


def _request(
    method: str, host: str, target: str, headers: Sequence[str], cookies: Sequence[str], body: bytes
) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers]
    if cookies:
        lines.append("Cookie: " + "; ".join(cookies))
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


Afterwards = Callable[[], None]


async def all_of(
    count: int,
    connections: Sequence[Connection],
    one: Callable[[int, Connection], Awaitable[Afterwards | None]],
) -> list[float]:
    """Do `one(i, connection)` for every i, one at a time on each connection; the seconds each took.

    What `one` gives is done at once, in a thread, and not counted as time of `one`.
    """
    took = [0.0] * count
    numbers = iter(range(count))

    async def on(connection: Connection) -> None:
        for i in numbers:
            started = time.perf_counter()
            afterwards = await one(i, connection)
            took[i] = time.perf_counter() - started
            if afterwards is not None:
                await asyncio.to_thread(afterwards)

    await asyncio.gather(*(on(connection) for connection in connections))
    return took
