"""The headers that every answer of the LTI addresses carries (DESIGN section 3)."""

from lti_tool.settings import LtiSettings

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'"
)
_HSTS = "max-age=31536000"


def secured(settings: LtiSettings, origins: tuple[str, ...]) -> dict[str, str]:
    """The headers of an answer that `origins` may frame."""
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": f"{_CSP}; frame-ancestors {' '.join(origins) or _any_platform(settings)}",
    }
    if settings.is_https:
        headers["Strict-Transport-Security"] = _HSTS
    return headers


def _any_platform(settings: LtiSettings) -> str:
    """Where no state says whose page it is: any https site, and in development the exempt hosts."""
    # A source without a port means the usual port alone; an exempt host means any.
    exempt = (host if ":" in host else f"{host}:*" for host in settings.allow_hosts)
    return " ".join(("https:", *(f"http://{host}" for host in exempt)))
