"""What has to be known of an LMS to register it by hand: some sites have the same addresses for everybody,
others follow from the site's own address, and each asks for as little as it can.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoints:
    """The addresses of a registration."""

    issuer: str
    auth_url: str
    token_url: str
    jwks_url: str


@dataclass(frozen=True)
class Site:
    """One kind of site of an LMS: fixed addresses, or made from its own; with neither, all are asked."""

    key: str
    label: str
    endpoints: Endpoints | None = None
    of_address: Callable[[str], Endpoints] | None = None
    is_test: bool = False
    """Nothing earned there counts."""

    @property
    def asks_address(self) -> bool:
        """Whether the site's own web address is needed."""
        return self.of_address is not None

    @property
    def asks_endpoints(self) -> bool:
        """Whether all four addresses are needed."""
        return self.endpoints is None and self.of_address is None


def _canvas(kind: str) -> Endpoints:
    """Instructure's hosted sites share one issuer each; `kind` is empty, `beta.` or `test.`."""
    sso = f"https://sso.{kind}canvaslms.com"
    return Endpoints(
        f"https://canvas.{kind}instructure.com",
        f"{sso}/api/lti/authorize_redirect",
        f"{sso}/login/oauth2/token",
        f"{sso}/api/lti/security/jwks",
    )


def _own_canvas(address: str) -> Endpoints:
    """A Canvas of one's own usually keeps the issuer of the hosted one (`config/security.yml`)."""
    return Endpoints(
        "https://canvas.instructure.com",
        f"{address}/api/lti/authorize_redirect",
        f"{address}/login/oauth2/token",
        f"{address}/api/lti/security/jwks",
    )


def _moodle(address: str) -> Endpoints:
    return Endpoints(
        address, f"{address}/mod/lti/auth.php", f"{address}/mod/lti/token.php", f"{address}/mod/lti/certs.php"
    )


_SCHOOLOGY = "https://lti-service.svc.schoology.com/lti-service"

SITES: dict[str, tuple[Site, ...]] = {
    "canvas": (
        Site("production", "Canvas hosted by Instructure", _canvas("")),
        Site("beta", "Its beta site", _canvas("beta."), is_test=True),
        Site("test", "Its test site", _canvas("test."), is_test=True),
        Site("own", "A Canvas of your own", of_address=_own_canvas),
    ),
    "moodle": (Site("own", "Your Moodle", of_address=_moodle),),
    "schoology": (
        Site(
            "production",
            "Schoology",
            Endpoints(
                "https://schoology.schoology.com",
                f"{_SCHOOLOGY}/authorize-redirect",
                f"{_SCHOOLOGY}/access-token",
                f"{_SCHOOLOGY}/.well-known/jwks",
            ),
        ),
    ),
    "other": (Site("own", "Another LMS"),),
}
"""By kind of LMS; the first is the usual one."""


def site_of(lms: str, key: str) -> Site | None:
    """One site by its key."""
    return next((site for site in SITES.get(lms, ()) if site.key == key), None)
