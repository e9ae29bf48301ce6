"""One request and its answer over a connection (HTTP/1.1, RFC 9112).

The answer is parsed by llhttp, Node's own parser: a general client takes four times the processor for it.
"""

import re
import ssl
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from urllib.parse import SplitResult

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from microcred.outgoing.addresses import OutgoingError, effective_port
from microcred.outgoing.connecting import Connection, remaining

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NO_VALUE = re.compile(r"[\0\r\n]")
_MAX_HEAD = 64 * 1024
_CHUNK = 64 * 1024
_DEFAULT_PORTS = {"https": 443, "http": 80}
_EMPTY_BODIES = ("POST", "PUT", "PATCH")


class Headers(Mapping[str, str]):
    """An answer's headers, looked up without regard to case; those sent twice are joined by a comma."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, str]] = {}

    def add(self, name: bytes, value: bytes) -> None:
        """One more line."""
        text, given = name.decode("latin-1"), value.decode("latin-1")
        before = self._values.get(text.lower())
        self._values[text.lower()] = (text, given) if before is None else (before[0], f"{before[1]}, {given}")

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._values.values())

    def __len__(self) -> int:
        return len(self._values)


class Reading:
    """An answer as it comes in; the parser calls the methods."""

    def __init__(self, *, bodyless: bool, max_bytes: int) -> None:
        self._parser = HttpResponseParser(self)
        self._bodyless = bodyless
        self._max_bytes = max_bytes
        self._body = bytearray()
        self.status = 0
        self.headers = Headers()
        self.is_complete = False
        self.is_reusable = False
        """Whether the connection may serve again: the answer has ended, and nothing came after it."""
        self._has_head = False
        self._ends_with_connection = False

    def feed(self, data: bytes) -> None:
        """What was received. Raises OutgoingError: `dropped` where it is no HTTP, `too_large`."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.is_complete:
                raise OutgoingError("dropped") from error
            self.is_reusable = False
        if len(self._body) > self._max_bytes:
            raise OutgoingError("too_large")

    def end(self) -> None:
        """The other side has closed. Raises OutgoingError(dropped) in the middle of an answer."""
        if not (self._has_head and self._ends_with_connection):
            raise OutgoingError("dropped")
        self.is_complete = True

    def body(self) -> bytes:
        """The whole body, uncompressed. Raises OutgoingError: `too_large`, `dropped` where it is broken."""
        if self.headers.get("Content-Encoding", "").strip().lower() not in ("gzip", "x-gzip", "deflate"):
            return bytes(self._body)
        # Not asked for, but some servers compress whatever one asks.
        unpacking = zlib.decompressobj(wbits=47)
        try:
            content = unpacking.decompress(self._body, self._max_bytes + 1)
        except zlib.error as error:
            raise OutgoingError("dropped") from error
        if len(content) > self._max_bytes:
            raise OutgoingError("too_large")
        return content

    def on_message_begin(self) -> None:
        """Called by the parser: a status line begins."""
        if self.is_complete:
            self.is_reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        if not self.is_complete:
            self.headers.add(name, value)

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        if self.is_complete:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:
            return
        self._has_head = True
        self.is_reusable = self._parser.should_keep_alive() and not self._bodyless
        framed = "Content-Length" in self.headers or "chunked" in self.headers.get("Transfer-Encoding", "")
        self._ends_with_connection = not framed
        if self._bodyless:
            self.is_complete = True

    def on_body(self, part: bytes) -> None:
        """Called by the parser."""
        if not self.is_complete:
            self._body += part

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self.status < 200:
            self.headers = Headers()  # 100 Continue and the like announce the real answer
        else:
            self.is_complete = True


def request_head(method: str, parts: SplitResult, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """The bytes before the body; the target goes out as `parts` has it.

    Raises OutgoingError(url_not_allowed) for a method or a header that HTTP does not know.
    """
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = effective_port(parts)
    authority = host if port == _DEFAULT_PORTS[parts.scheme] else f"{host}:{port}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {authority}"]
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or _NO_VALUE.search(value):
            raise OutgoingError("url_not_allowed")
        lines.append(f"{name}: {value}")
    if body is not None or method in _EMPTY_BODIES:
        lines.append(f"Content-Length: {len(body or b'')}")
    if not _TOKEN.fullmatch(method):
        raise OutgoingError("url_not_allowed")
    try:
        return "\r\n".join((*lines, "", "")).encode("latin-1")
    except UnicodeEncodeError as error:
        raise OutgoingError("url_not_allowed") from error


def exchange(connection: Connection, request: bytes, reading: Reading, until: float) -> None:
    """Send a request and read its answer to the end, before `until` (as `time.monotonic` counts).

    Raises OutgoingError (dropped, tls_error, too_large) and TimeoutError; the connection is then of no use.
    """
    connected, received = connection.socket, 0
    try:
        connected.settimeout(remaining(until))
        # Whoever refuses a long body may answer before it has come, and close.
        with suppress(BrokenPipeError, ConnectionResetError):
            connected.sendall(request)
        while not reading.is_complete:
            # For each read anew: a time-out per read would let a server drip bytes for ever.
            connected.settimeout(remaining(until))
            data = connected.recv(_CHUNK)
            if not data:
                reading.end()
                return
            received += len(data)
            reading.feed(data)
            if reading.status == 0 and received > _MAX_HEAD:
                raise OutgoingError("too_large")
    except TimeoutError:
        raise
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise OutgoingError("dropped") from error
    except ssl.SSLError as error:
        raise OutgoingError("tls_error") from error
    except OSError as error:
        raise OutgoingError("dropped") from error
