"""Reading what a platform says about itself, and its answer to a registration (Dynamic Registration 1.0,
section 3).

Nothing in it is believed beyond its shape: where its addresses lead is judged here and again with every call,
and a person decides whether the platform may come in.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lti_tool.dialects import Dialect, dialect_named, dialect_of_family
from lti_tool.errors import LtiRefused, Words
from lti_tool.protocol.names import PLATFORM_CONFIGURATION, TOOL_CONFIGURATION
from microcred.outgoing import OutgoingError, check_url, host_matches

NEXT_STEP = (
    "Start the registration again from your LMS. If it ends here again, give the code and the reference below"
    " to whoever runs this tool."
)
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint")
_LONGEST = 2000


def refused(code: str, happened: str, *, status: int = 400, detail: str | None = None) -> LtiRefused:
    """A refusal of a registration, in its own words."""
    return LtiRefused(code, status=status, detail=detail, words=Words(status, happened, NEXT_STEP))


@dataclass(frozen=True)
class PlatformConfiguration:
    """The parts of an OpenID configuration that a registration needs."""

    issuer: str
    auth_url: str
    token_url: str
    jwks_url: str
    registration_url: str
    token_audience: str | None
    scopes_supported: tuple[str, ...] | None
    messages_supported: tuple[str, ...] | None
    lms: str | None
    """The kind of LMS, where it says so and we know it."""
    site_name: str | None


def read_configuration(
    body: bytes, configuration_url: str, allow_hosts: Sequence[str]
) -> PlatformConfiguration:
    """The configuration that was fetched from `configuration_url`. Raises LtiRefused.

    Codes: claim_invalid (not JSON, or something of a wrong kind), claim_missing, url_not_allowed,
    issuer_mismatch, alg_not_allowed.
    """
    given = _object(body, "Your LMS's description of itself cannot be read.")
    issuer = _text(given, "issuer")
    urls = {name: _text(given, name) for name in _ENDPOINTS}
    for name, url in {"issuer": issuer, **urls}.items():
        _check_url(url, name, allow_hosts)
    hosts = _hosts_of(issuer)
    if not _is_on(configuration_url, hosts):
        raise refused(
            "issuer_mismatch",
            "Your LMS gave an address for its description that does not belong to the site it says it is.",
        )
    if not _is_on(urls["registration_endpoint"], (*hosts, urlsplit(configuration_url).hostname or "")):
        raise refused("url_not_allowed", _NOT_ALLOWED, detail="registration_endpoint")
    algorithms = _texts(given.get("id_token_signing_alg_values_supported"))
    if algorithms and "RS256" not in algorithms:
        raise refused("alg_not_allowed", "Your LMS does not sign its messages with RS256, as LTI asks.")
    platform = given.get(PLATFORM_CONFIGURATION)
    platform = platform if isinstance(platform, dict) else {}
    known = dialect_of_family(platform.get("product_family_code"))
    return PlatformConfiguration(
        issuer=issuer,
        auth_url=urls["authorization_endpoint"],
        token_url=urls["token_endpoint"],
        jwks_url=urls["jwks_uri"],
        registration_url=urls["registration_endpoint"],
        token_audience=_optional(given.get("authorization_server")),
        scopes_supported=_texts(given.get("scopes_supported")),
        messages_supported=_message_types(platform.get("messages_supported")),
        lms=known[0] if known else None,
        site_name=_site_name(platform, known[1] if known else None),
    )


@dataclass(frozen=True)
class Granted:
    """What a platform answered to a registration."""

    client_id: str
    deployment_id: str | None
    scopes: tuple[str, ...] | None
    """None where it does not say."""


def read_answer(body: bytes) -> Granted:
    """A platform's answer. Raises LtiRefused(claim_invalid | claim_missing); nothing may be stored then."""
    given = _object(body, "Your LMS's answer to the registration cannot be read. Nothing was stored here.")
    client_id = _identifier(given.get("client_id"), "client_id")
    if client_id is None:
        raise refused(
            "claim_missing",
            "Your LMS answered without a client id. Nothing was stored here.",
            detail="client_id",
        )
    tool = given.get(TOOL_CONFIGURATION)
    deployment_id = tool.get("deployment_id") if isinstance(tool, dict) else None
    scope = given.get("scope")
    return Granted(
        client_id,
        _identifier(deployment_id, "deployment_id"),
        tuple(dict.fromkeys(scope.split()))[:100] if isinstance(scope, str) else None,
    )


_NOT_ALLOWED = "Your LMS named an address that this tool may not use."


def _hosts_of(issuer: str) -> tuple[str, ...]:
    """Hosts that may speak for an issuer: its own, and those of the known exceptions."""
    for lms in ("canvas", "moodle", "schoology", "other"):
        exception = dialect_named(lms).registering.issuers.get(issuer)
        if exception is not None:
            return exception
    return (urlsplit(issuer).hostname or "",)


def _is_on(url: str, hosts: Sequence[str]) -> bool:
    return host_matches(urlsplit(url).hostname or "", 0, hosts)


def _check_url(url: str, name: str, allow_hosts: Sequence[str]) -> None:
    try:
        parts = check_url(url, allow_hosts)
    except OutgoingError as error:
        raise refused("url_not_allowed", _NOT_ALLOWED, detail=name) from error
    if name == "issuer" and (parts.query or parts.fragment):
        raise refused("claim_invalid", _WRONG_KIND, detail=name)


_WRONG_KIND = "Something in what your LMS says about itself is of a wrong kind."


def _object(body: bytes, otherwise: str) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise refused("claim_invalid", otherwise) from error
    if not isinstance(value, dict):
        raise refused("claim_invalid", otherwise)
    return value


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if value is None or value == "":
        raise refused("claim_missing", "Your LMS's description of itself leaves something out.", detail=name)
    if not isinstance(value, str) or len(value) > (500 if name == "issuer" else _LONGEST):
        raise refused("claim_invalid", _WRONG_KIND, detail=name)
    return value


def _optional(value: object) -> str | None:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not value.isprintable():
        return None
    return value


def _texts(value: object) -> tuple[str, ...] | None:
    return tuple(one for one in value if isinstance(one, str))[:500] if isinstance(value, list) else None


def _message_types(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    found = [one.get("type") if isinstance(one, dict) else one for one in value]
    return tuple(one for one in found if isinstance(one, str))[:100]


def _site_name(platform: Mapping[str, Any], dialect: Dialect | None) -> str | None:
    name = platform.get(dialect.registering.site_name or "") if dialect else None
    if not isinstance(name, str):
        return None
    return "".join(c for c in name if c.isprintable()).strip()[:200] or None


def _identifier(value: object, name: str) -> str | None:
    """An id of the platform; a whole number is taken as its text (Moodle's deployment id may be one)."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 255 or not value.isprintable():
        raise refused("claim_invalid", "Your LMS answered with an id of a wrong kind.", detail=name)
    return value
