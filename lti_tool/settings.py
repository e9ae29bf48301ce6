"""What the operator decides about the LTI side, passed in by the application."""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from microcred.outgoing import effective_port


@dataclass(frozen=True)
class LtiSettings:
    """Own address, development exemptions and limits. Rates are per source address and minute; 0 switches one
    off.
    """

    public_url: str
    """Origin (and path prefix, if any) that browsers and platforms know us by."""
    allow_hosts: tuple[str, ...] = ()
    rate_login: int = 6000
    rate_failed_launch: int = 600
    rate_register: int = 5
    open_registration: bool = False
    """Dynamic registration without an invitation (still pending until an operator approves)."""

    @cached_property
    def base(self) -> str:
        """The public URL without a closing slash."""
        return self.public_url.rstrip("/")

    @cached_property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port of our own address."""
        parts = urlsplit(self.base)
        return parts.scheme, parts.hostname or "", effective_port(parts)

    @property
    def launch_url(self) -> str:
        """The one redirect URI, and the usual target link."""
        return f"{self.base}/lti/launch"

    @property
    def deep_link_url(self) -> str:
        """The target link for choosing content."""
        return f"{self.base}/lti/deep-link"

    @property
    def jwks_url(self) -> str:
        """Where platforms read our public keys."""
        return f"{self.base}/lti/jwks"

    @property
    def icon_url(self) -> str:
        """A picture of the tool for the LMS's menus."""
        return f"{self.base}/lti/static/icon.svg"

    @property
    def register_url(self) -> str:
        """Where dynamic registration starts; an invitation is added to it."""
        return f"{self.base}/lti/register"

    @property
    def notices_url(self) -> str:
        """Where platforms send their notices."""
        return f"{self.base}/lti/notices"

    def login_url(self, registration_id: str | None = None) -> str:
        """The login initiation URL, of one registration where its public id is given."""
        return f"{self.base}/lti/login" + (f"/{registration_id}" if registration_id else "")

    @property
    def is_https(self) -> bool:
        """Whether browsers reach us by https."""
        return self.origin[0] == "https"
