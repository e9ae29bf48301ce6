"""Connections to judged addresses, and keeping those that may serve again."""

import ipaddress
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from microcred.outgoing.addresses import OutgoingError, host_matches, is_public

Resolve = Callable[[str, int], Sequence[str]]
CONNECT_SECONDS = 5.0
_KEPT_SECONDS = 60.0
"""Unused for longer, a connection may be forgotten by something on the way that tells nobody."""
_KEPT_EACH = 32
_KEPT_ALL = 512


class Origin(NamedTuple):
    """Where a connection leads."""

    scheme: str
    host: str
    port: int


class Connection:
    """A connected socket. `idle_since` is what `time.monotonic` said when it was last given back."""

    __slots__ = ("idle_since", "socket")

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.idle_since = 0.0

    def is_usable(self) -> bool:
        """Whether it may serve again: nobody closed it, and nobody said anything unasked."""
        return time.monotonic() - self.idle_since < _KEPT_SECONDS and not _is_readable(self.socket)

    def close(self) -> None:
        """Let go of it."""
        self.socket.close()


class Connector:
    """Makes connections, and keeps idle ones by origin. Thread-safe."""

    def __init__(self, allow_hosts: Sequence[str], resolve: Resolve | None, tls: ssl.SSLContext) -> None:
        self._allow_hosts = allow_hosts
        self._resolve = resolve or _resolve
        self._tls = tls
        self._idle: dict[Origin, list[Connection]] = {}
        self._kept = 0
        self._lock = threading.Lock()

    def connection(self, origin: Origin, until: float) -> Connection:
        """A connection to `origin`, kept or new, before `until` (as `time.monotonic` counts).

        Raises OutgoingError (url_not_allowed, dns, connect, tls_error) and TimeoutError.
        """
        while (kept := self._take(origin)) is not None:
            if kept.is_usable():
                return kept
            kept.close()
        return Connection(self._connect(origin, until))

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """Keep a connection whose answer was read to its end."""
        connection.idle_since = time.monotonic()
        with self._lock:
            idle = self._idle.setdefault(origin, [])
            if len(idle) < _KEPT_EACH and self._kept < _KEPT_ALL:
                idle.append(connection)
                self._kept += 1
                return
        connection.close()

    def close(self) -> None:
        """Close every kept connection."""
        with self._lock:
            kept = [connection for idle in self._idle.values() for connection in idle]
            self._idle.clear()
            self._kept = 0
        for connection in kept:
            connection.close()

    def _take(self, origin: Origin) -> Connection | None:
        with self._lock:
            idle = self._idle.get(origin)
            if not idle:
                return None
            self._kept -= 1
            return idle.pop()

    def _connect(self, origin: Origin, until: float) -> socket.socket:
        """A new connection to one of the judged addresses."""
        addresses = self._addresses(origin, until)
        if not host_matches(origin.host, origin.port, self._allow_hosts) and not all(
            map(is_public, addresses)
        ):
            raise OutgoingError("url_not_allowed")
        until = min(until, time.monotonic() + CONNECT_SECONDS)
        problem: OSError = OSError("no address")
        for address in addresses:
            try:
                return self._connect_to(origin, address, until)
            except ssl.SSLError as error:
                raise OutgoingError("tls_error") from error
            except OSError as error:
                problem = error
        if isinstance(problem, TimeoutError):
            raise problem
        # Said here, where it is certain that nothing was sent.
        raise OutgoingError("connect") from problem

    def _connect_to(self, origin: Origin, address: str, until: float) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connected = socket.socket(family, socket.SOCK_STREAM)
        try:
            connected.settimeout(remaining(until))
            connected.connect((address, origin.port))
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if origin.scheme == "https":
                connected.settimeout(remaining(until))
                return self._tls.wrap_socket(connected, server_hostname=origin.host.rstrip("."))
        except BaseException:
            connected.close()
            raise
        return connected

    def _addresses(self, origin: Origin, until: float) -> Sequence[str]:
        try:
            return [str(ipaddress.ip_address(origin.host.partition("%")[0]))]
        except ValueError:
            pass
        found: queue.Queue[Sequence[str] | OSError | UnicodeError] = queue.Queue()

        def look_up() -> None:
            try:
                found.put(self._resolve(origin.host, origin.port))
            except (OSError, UnicodeError) as error:
                found.put(error)

        # The system's resolver knows no deadline, so it works in a thread of its own.
        threading.Thread(target=look_up, daemon=True).start()
        try:
            addresses = found.get(timeout=min(CONNECT_SECONDS, remaining(until)))
        except queue.Empty as error:
            raise OutgoingError("dns") from error
        if not isinstance(addresses, Sequence) or not addresses:
            raise OutgoingError("dns")
        return addresses


def remaining(until: float) -> float:
    """Seconds left, for one operation on a socket. Raises TimeoutError when none are."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("deadline")
    return left


def verified_tls(ca_bundle: str) -> ssl.SSLContext:
    """TLS that believes the authorities in a file, and them alone."""
    context = ssl.create_default_context(cafile=ca_bundle)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_readable(connected: socket.socket) -> bool:
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([connected], [], [], 0)[0])
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))
