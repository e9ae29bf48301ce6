"""Backpack hosts: what they say of themselves, read with tolerance and judged with care.

Open Badges 3.0: `GET {base}/ims/ob/v3p0/discovery`, an OpenAPI document (section 6.1 of the specification).
Badge Connect: `GET {origin}/.well-known/badgeconnect.json` (Open Badges 2.1, section 4.1.4); Badgr redirects
it once on the same host.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from microcred.badges.backpack.errors import BackpackError
from microcred.badges.backpack.transport import ask, json_object
from microcred.outgoing import Outgoing, OutgoingError, check_url

Protocol = Literal["ob2.1", "ob3"]

OFFLINE = "offline_access"
SEND_SCOPE: Mapping[Protocol, str] = {
    "ob2.1": "https://purl.imsglobal.org/spec/ob/v2p1/scope/assertion.create",
    "ob3": "https://purl.imsglobal.org/spec/ob/v3p0/scope/credential.upsert",
}
KNOWN: Sequence[tuple[str, str]] = (
    ("Canvas Credentials and Parchment", "https://api.badges.parchment.com"),
    ("Badgr, United States", "https://api.badgr.io"),
    ("Badgr, Europe", "https://api.eu.badgr.io"),
    ("Badgr, Canada", "https://api.ca.badgr.io"),
    ("Badgr, Australia", "https://api.au.badgr.io"),
)
"""Hosts that can be chosen without typing; names and addresses as their documentation gives them."""
_LONGEST_NAME = 100
_LONGEST_URL = 1000


@dataclass(frozen=True)
class HostFacts:
    """What a host said of itself. All addresses are ones that may be asked."""

    protocol: Protocol
    address: str
    """What the person named: an origin, or the base of the 3.0 API."""
    name: str
    api_base: str
    registration_url: str
    authorization_url: str
    token_url: str
    refresh_url: str
    revocation_url: str | None
    scopes: tuple[str, ...]
    """Those of ours that it offers, the one for sending among them."""

    @property
    def sign_in_host(self) -> str:
        """Where the person will be asked to sign in."""
        return urlsplit(self.authorization_url).netloc


def address_of(typed: str) -> str:
    """What somebody typed, as an address. Raises BackpackError(address_not_allowed)."""
    text = typed.strip()
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and parts.scheme in ("http", "https")
    except ValueError:
        named = False
    if not named or parts.query or parts.fragment or len(text) > 300 or not text.isascii():
        raise BackpackError("address_not_allowed", "not an address")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def discover(outgoing: Outgoing, address: str) -> HostFacts:
    """What the host at `address` (from `address_of`) says of itself; the newer protocol first.

    Raises BackpackError: `address_not_allowed`, `unreachable`, `not_a_backpack`, `takes_no_badges`,
    `answer_unclear`.
    """
    modern = _document(outgoing, f"{address}/ims/ob/v3p0/discovery")
    if modern is not None and "components" in modern:
        return _ob3(outgoing, address, modern)
    parts = urlsplit(address)
    manifest = _document(outgoing, f"{parts.scheme}://{parts.netloc}/.well-known/badgeconnect.json")
    if manifest is None:
        raise BackpackError("not_a_backpack", "neither document is there")
    return _badge_connect(outgoing, address, manifest)


def _document(outgoing: Outgoing, url: str) -> dict[str, Any] | None:
    """The JSON there; None where there is none. One redirect on the same host is followed."""
    try:
        answer = ask(outgoing, "GET", url, headers={"Accept": "application/json"})
    except BackpackError as error:
        target = _redirect(error, url)
        if target is None:
            raise
        answer = ask(outgoing, "GET", target, headers={"Accept": "application/json"})
    if answer.status >= 500 or answer.status == 429:
        raise BackpackError("unreachable", f"HTTP {answer.status}")
    if answer.status != 200:
        return None
    try:
        return json_object(answer.body)
    except BackpackError:
        return None  # a page for people, as many sites answer under any address


def _redirect(error: BackpackError, url: str) -> str | None:
    cause = error.__cause__
    location = cause.location if isinstance(cause, OutgoingError) else None
    target = urljoin(url, location) if location else ""
    same = urlsplit(target)[:2] == urlsplit(url)[:2]
    return target if target and same else None


def _ob3(outgoing: Outgoing, address: str, document: dict[str, Any]) -> HostFacts:
    scheme = _mapping(_mapping(_mapping(document.get("components")).get("securitySchemes")).get("OAuth2ACG"))
    flow = _mapping(_mapping(scheme.get("flows")).get("authorizationCode"))
    servers = document.get("servers")
    first = _mapping(servers[0]) if isinstance(servers, list) and servers else {}
    base = first.get("url")
    api_base = _url(outgoing, base, "servers") if base else f"{address}/ims/ob/v3p0"
    if not api_base.rstrip("/").endswith("/ims/ob/v3p0"):
        api_base = f"{api_base.rstrip('/')}/ims/ob/v3p0"
    token_url = _url(outgoing, flow.get("tokenUrl"), "tokenUrl")
    revocation = scheme.get("x-imssf-revocationUrl") or flow.get("x-imssf-revocationUrl")
    offered = flow.get("scopes")
    return HostFacts(
        protocol="ob3",
        address=address,
        name=_name(_mapping(document.get("info")).get("title"), address),
        api_base=api_base.rstrip("/"),
        registration_url=_url(outgoing, scheme.get("x-imssf-registrationUrl"), "registrationUrl"),
        authorization_url=_url(outgoing, flow.get("authorizationUrl"), "authorizationUrl"),
        token_url=token_url,
        refresh_url=_url(outgoing, flow["refreshUrl"], "refreshUrl") if flow.get("refreshUrl") else token_url,
        revocation_url=_url(outgoing, revocation, "revocationUrl") if revocation else None,
        scopes=_scopes("ob3", list(offered) if isinstance(offered, Mapping) else []),
    )


def _badge_connect(outgoing: Outgoing, address: str, manifest: dict[str, Any]) -> HostFacts:
    entries = manifest.get("badgeConnectAPI")
    entry = _mapping(entries[0]) if isinstance(entries, list) and entries else {}
    if not entry:
        raise BackpackError("not_a_backpack", "no badgeConnectAPI in the manifest")
    offered = entry.get("scopesOffered")
    token_url = _url(outgoing, entry.get("tokenUrl"), "tokenUrl")
    revocation = entry.get("tokenRevocationUrl")
    return HostFacts(
        protocol="ob2.1",
        address=address,
        name=_name(entry.get("name"), address),
        api_base=_url(outgoing, entry.get("apiBase"), "apiBase").rstrip("/"),
        registration_url=_url(outgoing, entry.get("registrationUrl"), "registrationUrl"),
        authorization_url=_url(outgoing, entry.get("authorizationUrl"), "authorizationUrl"),
        token_url=token_url,
        refresh_url=token_url,
        revocation_url=_url(outgoing, revocation, "tokenRevocationUrl") if revocation else None,
        scopes=_scopes("ob2.1", offered if isinstance(offered, list) else []),
    )


def _scopes(protocol: Protocol, offered: Sequence[object]) -> tuple[str, ...]:
    """What we ask for: only what is offered (Badgr refuses a registration that names anything else)."""
    if SEND_SCOPE[protocol] not in offered:
        raise BackpackError("takes_no_badges", "the scope for sending is not offered")
    return tuple(scope for scope in (SEND_SCOPE[protocol], OFFLINE) if scope in offered)


def _url(outgoing: Outgoing, value: object, what: str) -> str:
    """An address the host named, if it may be asked; the examples of the specification have no scheme."""
    if not isinstance(value, str) or not value or len(value) > _LONGEST_URL:
        raise BackpackError("answer_unclear", f"{what} is missing")
    url = value if "://" in value else f"https://{value.lstrip('/')}"
    try:
        check_url(url, outgoing.allow_hosts)
    except OutgoingError as error:
        raise BackpackError("address_not_allowed", what) from error
    return url


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _name(value: object, address: str) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text[:_LONGEST_NAME] or urlsplit(address).netloc
