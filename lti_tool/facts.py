"""A registration as plain facts: what every part needs to know of it once the database session is closed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement

from lti_tool.dialects import Dialect, dialect_named
from lti_tool.models import Registration
from microcred.outgoing import OutgoingError, check_url, effective_port, host_matches

_REGISTRATION = Registration.__table__
COLUMNS: tuple[ColumnElement[Any], ...] = tuple(
    _REGISTRATION.c[name]
    for name in (
        "id",
        "public_id",
        "name",
        "lms",
        "state",
        "organization_id",
        "issuer",
        "client_id",
        "separate_site",
        "auth_url",
        "token_url",
        "jwks_url",
        "token_audience",
        "trusted_audiences",
        "service_hosts",
        "algorithms",
        "any_deployment",
        "scopes",
        "is_test_site",
    )
)
"""What `RegistrationFacts.of` reads, in its order."""
_NAMES = tuple(str(column.key) for column in COLUMNS)


@dataclass(frozen=True)
class RegistrationFacts:
    """One registration, frozen. Two are equal when nothing about the registration changed."""

    row_id: int
    public_id: str
    name: str
    lms: str
    state: str
    organization_id: int
    issuer: str
    client_id: str
    separate_site: bool
    auth_url: str
    token_url: str
    jwks_url: str
    token_audience: str | None
    trusted_audiences: tuple[str, ...]
    service_hosts: tuple[str, ...]
    algorithms: tuple[str, ...]
    any_deployment: bool
    scopes: tuple[str, ...] | None
    is_test_site: bool

    @classmethod
    def of(cls, row: Any) -> "RegistrationFacts":
        """The facts of a `Registration`, or of a row of `COLUMNS`."""
        values = (getattr(row, name) for name in _NAMES)
        facts: list[Any] = [tuple(value) if isinstance(value, list) else value for value in values]
        return cls(*facts)

    @property
    def is_approved(self) -> bool:
        """Whether an operator lets this platform in."""
        return self.state == "approved"

    @cached_property
    def dialect(self) -> Dialect:
        """How this platform differs from the plain specification."""
        return dialect_named(self.lms)

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """host:port patterns that service calls, return URLs and frames of this platform may use."""
        own = (self.issuer, self.auth_url, self.token_url, self.jwks_url)
        return tuple(dict.fromkeys((*map(_host_port, own), *self.service_hosts, *self.dialect.service_hosts)))

    def service_url(self, url: str, allow_hosts: tuple[str, ...] = ()) -> str:
        """`url` as it may be called: on this registration's hosts, by https where the registration uses
        https.

        Canvas puts `http` addresses of its own https hosts into claims. Raises
        OutgoingError(url_not_allowed).
        """
        url = self._by_https(url)
        check_url(url, allow_hosts, self.hosts)
        return url

    def allows(self, url: str, allow_hosts: tuple[str, ...] = ()) -> bool:
        """Whether `url` is on a host of this registration (return URLs)."""
        try:
            self.service_url(url, allow_hosts)
        except OutgoingError:
            return False
        return True

    def reaches(self, url: str, allow_hosts: tuple[str, ...] = ()) -> bool:
        """The same for its host alone, remembered: every launch asks it for several addresses of one host."""
        origin = "/".join(url.split("/", 3)[:3])
        known = self._reached.get((origin, allow_hosts))
        if known is None:
            if len(self._reached) > 200:
                self._reached.clear()
            known = self._reached[origin, allow_hosts] = self.allows(origin, allow_hosts)
        return known

    @cached_property
    def _reached(self) -> dict[tuple[str, tuple[str, ...]], bool]:
        return {}

    def frame_origins(self, allow_hosts: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Sources for `frame-ancestors`: the origins that may frame the pages of this registration's
        launches.
        """
        own = [urlsplit(url) for url in (self.issuer, self.auth_url, self.token_url, self.jwks_url)]
        origins = [f"{parts.scheme}://{parts.netloc.lower()}" for parts in own]
        for pattern in (*self.service_hosts, *self.dialect.service_hosts):
            origins.append(f"https://{pattern.lower()}")
            if pattern in allow_hosts:
                origins.append(f"http://{pattern.lower()}")
        return tuple(dict.fromkeys(origins))

    def _by_https(self, url: str) -> str:
        if not url.startswith("http://"):
            return url
        host = urlsplit(url).hostname or ""
        own = (urlsplit(u) for u in (self.issuer, self.auth_url, self.token_url, self.jwks_url))
        reached = {parts.hostname for parts in own if parts.scheme == "https"}
        patterns = (*self.service_hosts, *self.dialect.service_hosts)
        if host in reached or (host and host_matches(host, 443, patterns) and not self._is_plain(host)):
            return "https://" + url.removeprefix("http://")
        return url

    def _is_plain(self, host: str) -> bool:
        own = (urlsplit(u) for u in (self.issuer, self.auth_url, self.token_url, self.jwks_url))
        return any(parts.scheme == "http" and parts.hostname == host for parts in own)


def host_of(url: str) -> str | None:
    """host, or host:port where it is not https's port, of an https address that an operator could allow."""
    try:
        parts = check_url(url)
        port = effective_port(parts)
    except (OutgoingError, ValueError):
        return None
    host = parts.hostname or ""
    if len(host) > 240 or ":" in host or "*" in host:
        return None
    return host if port == 443 else f"{host}:{port}"


def _host_port(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"[{host}]:{effective_port(parts)}" if ":" in host else f"{host}:{effective_port(parts)}"
