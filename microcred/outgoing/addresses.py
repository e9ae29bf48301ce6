"""What may be asked: addresses, host patterns, and which IP addresses belong to the public internet."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal
from urllib.parse import SplitResult, urlsplit

Code = Literal[
    "url_not_allowed", "dns", "connect", "timeout", "tls_error", "dropped", "too_large", "unexpected_redirect"
]

_DEFAULT_PORTS = {"https": 443, "http": 80}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NO_URL = re.compile(r'[^\x21-\x7e]|[\\"<>]')


class OutgoingError(Exception):
    """A request got no answer that may be used. `dropped`: the connection broke after the request had been
    sent. `location` is where a redirect would have led.
    """

    def __init__(self, code: Code, location: str | None = None) -> None:
        super().__init__(code)
        self.code: Code = code
        self.location = location


def check_url(
    url: str, allow_hosts: Iterable[str] = (), allowed_hosts: Sequence[str] | None = None
) -> SplitResult:
    """The parts of `url` if it may be asked: https (http only on exempt hosts), no user name, one of
    `allowed_hosts` if given.

    Raises OutgoingError(url_not_allowed).
    """
    return _checked(url, tuple(allow_hosts), None if allowed_hosts is None else tuple(allowed_hosts))


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


@lru_cache(maxsize=1024)
def _checked(url: str, allow_hosts: tuple[str, ...], allowed_hosts: tuple[str, ...] | None) -> SplitResult:
    """Kept: every score of a column goes to one address, and judging it takes longer than sending it."""
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
