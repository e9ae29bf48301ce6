"""HTTP that leaves the building: hardened, pooled connections for everything the tool asks of other servers.

Every request has a deadline for connecting and one for the whole exchange, a bounded answer and verified TLS.
Redirects are never followed. A host name is resolved once, its addresses are judged, and the connection goes
to exactly those addresses: there is no second look-up between judging and connecting. Private addresses and
plain http are refused, except for `allow_hosts` (development).
"""

import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal
from urllib.parse import SplitResult, urlencode, urlsplit

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

Code = Literal[
    "url_not_allowed", "dns", "connect", "timeout", "tls_error", "dropped", "too_large", "unexpected_redirect"
]
Resolve = Callable[[str, int], Sequence[str]]

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 20.0
MAX_BYTES = 1024 * 1024
USER_AGENT = "microcred/0.1"
"""Canvas refuses calls without a User-Agent."""

_HEADERS = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_DEFAULT_PORTS = {"https": 443, "http": 80}
_NO_URL = re.compile(r'[^\x21-\x7e]|[\\"<>]')
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class OutgoingError(Exception):
    """A request got no answer that may be used. `dropped`: the connection broke after the request had been
    sent. `location` is where a redirect would have led.
    """

    def __init__(self, code: Code, location: str | None = None) -> None:
        super().__init__(code)
        self.code: Code = code
        self.location = location


@dataclass(frozen=True)
class Answer:
    """What the server said: any status but a redirect's, headers (looked up without regard to case), whole
    body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float
    """Seconds."""


class Outgoing:
    """The one way out. Thread-safe; keeps connections open between requests.

    `allow_hosts`: host[:port] names exempt from the ban on private addresses and plain http. `resolve` gives
    the addresses of a host name. `ca_bundle` is a file of certificate authorities to trust in place of the
    usual ones.
    """

    def __init__(
        self, allow_hosts: Iterable[str] = (), *, resolve: Resolve | None = None, ca_bundle: str | None = None
    ) -> None:
        self.allow_hosts = tuple(allow_hosts)
        self._pools = _pools(
            _Guard(self.allow_hosts, resolve or _resolve), ca_bundle or DEFAULT_CA_BUNDLE_PATH
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | str | Mapping[str, str] | None = None,
        deadline: float = TOTAL_SECONDS,
        max_bytes: int = MAX_BYTES,
        allowed_hosts: Sequence[str] | None = None,
    ) -> Answer:
        """Send one request; the address goes out byte for byte as given.

        `deadline` is in seconds for everything from the look-up of the name to the last byte; `allowed_hosts`
        are the only host[:port] names (`*.` wildcards) that it may go to. Raises OutgoingError.
        """
        parts = check_url(url, self.allow_hosts, allowed_hosts)
        form = isinstance(data, Mapping)
        given = {**_HEADERS, **(_FORM if form else {}), **(headers or {})}
        text = urlencode(data) if isinstance(data, Mapping) else data
        body = text.encode() if isinstance(text, str) else text
        started = time.monotonic()
        _current.deadline = started + deadline
        # urllib3 rewrites percent-escapes, and paging links of an LMS are opaque.
        _current.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            status, found, content = self._exchange(method, parts, given, body, deadline, max_bytes)
        finally:
            _current.deadline = _current.target = None
        return Answer(status, found, content, time.monotonic() - started)

    def _exchange(
        self,
        method: str,
        parts: SplitResult,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
        max_bytes: int,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body. By urllib3 itself: requests around it takes half as long again."""
        try:
            pool = self._pools.connection_from_host(parts.hostname, parts.port, parts.scheme)
            response = pool.urlopen(
                method,
                "/",  # the connection sends the real target
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, deadline), read=deadline),
            )
            try:
                if 300 <= response.status < 400 and response.status != 304:
                    raise OutgoingError("unexpected_redirect", response.headers.get("Location"))
                content = _read(response, max_bytes)
            except BaseException:
                # What was not read to its end must not serve another request.
                response.close()
                raise
            finally:
                response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise OutgoingError(_code_of(error)) from error
        except ValueError as error:
            # A method or a header that HTTP does not know.
            raise OutgoingError("url_not_allowed") from error
        return response.status, response.headers, content

    def close(self) -> None:
        """Close every kept connection."""
        self._pools.clear()


def check_url(
    url: str, allow_hosts: Iterable[str] = (), allowed_hosts: Sequence[str] | None = None
) -> SplitResult:
    """The parts of `url` if it may be asked: https (http only on exempt hosts), no user name, one of
    `allowed_hosts` if given.

    Raises OutgoingError(url_not_allowed).
    """
    return _checked(url, tuple(allow_hosts), None if allowed_hosts is None else tuple(allowed_hosts))


@lru_cache(maxsize=1024)
def _checked(url: str, allow_hosts: tuple[str, ...], allowed_hosts: tuple[str, ...] | None) -> SplitResult:
    """Kept: every score of a column goes to one address."""
    if not url.isascii() or _NO_URL.search(url):
        raise OutgoingError("url_not_allowed")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, effective_port(parts)
    except ValueError as error:
        raise OutgoingError("url_not_allowed") from error
    if parts.scheme not in _DEFAULT_PORTS or not host or parts.username is not None or "@" in parts.netloc:
        raise OutgoingError("url_not_allowed")
    if parts.scheme == "http" and not host_matches(host, port, allow_hosts):
        raise OutgoingError("url_not_allowed")
    if allowed_hosts is not None and not host_matches(host, port, allowed_hosts):
        raise OutgoingError("url_not_allowed")
    return parts


def effective_port(parts: SplitResult) -> int:
    """The port that an http(s) address means. Raises ValueError for one that is no port."""
    return parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def host_matches(host: str, port: int, patterns: Iterable[str]) -> bool:
    """Whether host and port fit one pattern: `lms.test:8443`, `lms.test` (any port), `*.lms.test` (its
    subdomains).
    """
    host = host.lower().rstrip(".")
    for pattern in patterns:
        name, wanted = split_host(pattern)
        if wanted is not None and wanted != port:
            continue
        if name.startswith("*."):
            if host.endswith(name[1:]) and len(host) > len(name) - 1:
                return True
        elif host == name:
            return True
    return False


def split_host(pattern: str) -> tuple[str, int | None]:
    """Host name (lower case, IPv6 without brackets) and port of a host[:port] pattern."""
    pattern = pattern.strip().lower()
    if pattern.startswith("["):
        name, _, rest = pattern[1:].partition("]")
        return name, int(rest[1:]) if rest[1:].isdecimal() else None
    name, colon, port = pattern.rpartition(":")
    if colon and port.isdecimal() and ":" not in name:
        return name.rstrip("."), int(port)
    return pattern.rstrip("."), None


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet; IPv4 wrapped in IPv6 is unwrapped first."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
        elif ip.teredo:
            return False
    return ip.is_global and not ip.is_multicast


class _Current(threading.local):
    """What the request of this thread is bound to."""

    deadline: float | None = None
    target: str | None = None

    def remaining(self) -> float:
        """Seconds left, at most for one operation. Raises TimeoutError when none are."""
        if self.deadline is None:
            return CONNECT_SECONDS
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        return left


_current = _Current()


@dataclass(frozen=True)
class _Guard:
    allow_hosts: Sequence[str]
    resolve: Resolve

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to one of the judged addresses of `host`."""
        addresses = self._addresses(host, port)
        if not host_matches(host, port, self.allow_hosts) and not all(map(is_public, addresses)):
            raise OutgoingError("url_not_allowed")
        until = time.monotonic() + CONNECT_SECONDS
        problem: OSError = OSError("no address")
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            sock = _DeadlineSocket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(max(0.001, min(_current.remaining(), until - time.monotonic())))
                sock.connect((address, port))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                sock.close()
                problem = error
            else:
                return sock
        if isinstance(problem, TimeoutError):
            raise problem
        # Said here, where it is certain that nothing was sent.
        raise OutgoingError("connect") from problem

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            return [str(ipaddress.ip_address(host.strip("[]").partition("%")[0]))]
        except ValueError:
            pass
        found: queue.Queue[Sequence[str] | OSError | UnicodeError] = queue.Queue()

        def look_up() -> None:
            try:
                found.put(self.resolve(host, port))
            except (OSError, UnicodeError) as error:
                found.put(error)

        # The system's resolver knows no deadline, so it works in a thread of its own.
        threading.Thread(target=look_up, daemon=True).start()
        try:
            addresses = found.get(timeout=min(CONNECT_SECONDS, _current.remaining()))
        except queue.Empty as error:
            raise OutgoingError("dns") from error
        if not isinstance(addresses, Sequence) or not addresses:
            raise OutgoingError("dns")
        return addresses


def _resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _DeadlineSocket(socket.socket):
    """Reads until the request's deadline and no longer: a time-out per read would let a server drip bytes for
    ever.
    """

    def recv_into(self, *args: Any) -> int:
        self.settimeout(_current.remaining())
        return super().recv_into(*args)


class _DeadlineTlsSocket(ssl.SSLSocket):
    """The same, encrypted."""

    def recv_into(self, *args: Any) -> int:
        self.settimeout(_current.remaining())
        return super().recv_into(*args)


@cache
def _verified_tls(ca_bundle: str) -> ssl.SSLContext:
    """TLS that believes the authorities in a file, read once: it takes as long as dozens of requests."""
    context = urllib3.util.create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.sslsocket_class = _DeadlineTlsSocket
    context.load_verify_locations(ca_bundle)
    return context


def _pools(guard: _Guard, ca_bundle: str | None) -> urllib3.PoolManager:
    """Connections by host, made by the guard, TLS verified."""
    context = _verified_tls(ca_bundle)
    pools = urllib3.PoolManager(num_pools=64, maxsize=32, cert_reqs="CERT_REQUIRED", ssl_context=context)
    pools.pool_classes_by_scheme = _pool_classes(guard)
    return pools


def _pool_classes(guard: _Guard) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools whose connections go where the guard lets them, with the target as it was given."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return guard.connect(self.host, self.port or 80)

        def request(self, method: str, url: str, *args: Any, **options: Any) -> None:
            super().request(method, _current.target or url, *args, **options)

    class Tls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return guard.connect(self.host, self.port or 443)

        def request(self, method: str, url: str, *args: Any, **options: Any) -> None:
            super().request(method, _current.target or url, *args, **options)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}


def _read(response: urllib3.BaseHTTPResponse, max_bytes: int) -> bytes:
    body = bytearray()
    while chunk := response.read(65536, decode_content=True):
        body += chunk
        if len(body) > max_bytes:
            raise OutgoingError("too_large")
    return bytes(body)


def _code_of(error: BaseException) -> Code:
    """The code of the first telling cause in an error of urllib3."""
    seen: BaseException | None = error
    causes: list[BaseException] = []
    while seen is not None and seen not in causes:
        causes.append(seen)
        inner = getattr(seen, "reason", None)
        wrapped = next((a for a in seen.args if isinstance(a, BaseException)), None)
        seen = (inner if isinstance(inner, BaseException) else None) or wrapped or seen.__cause__
    kinds: list[tuple[tuple[type[BaseException], ...], Code]] = [
        ((ssl.SSLError, urllib3.exceptions.SSLError), "tls_error"),
        ((TimeoutError, urllib3.exceptions.TimeoutError), "timeout"),
        ((ConnectionRefusedError,), "connect"),
        ((urllib3.exceptions.ProtocolError,), "dropped"),
    ]
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and "timed out" in str(cause):
            return "timeout"
    for types, code in kinds:
        if any(isinstance(cause, types) for cause in causes):
            return code
    return "connect"
