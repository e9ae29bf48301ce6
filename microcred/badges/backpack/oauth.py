"""OAuth with backpacks: registration (RFC 7591), authorization code with PKCE, refresh with rotation,
revocation (RFC 7009). Authlib makes the requests; they leave through `transport`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from microcred.badges.backpack.errors import BackpackError
from microcred.badges.backpack.hosts import OFFLINE, SEND_SCOPE, HostFacts
from microcred.badges.backpack.transport import ask, json_object, oauth_session, retry_after
from microcred.outgoing import Outgoing

_SOFTWARE_ID = "microcred"
_SOFTWARE_VERSION = "0.1.0"
_LONGEST_SECRET = 4096


@dataclass(frozen=True)
class Tool:
    """This installation as backpacks are told of it: all on one host (Open Badges 2.1, section 5.1.1)."""

    name: str
    home: str
    logo: str
    terms: str
    privacy: str
    redirect_uri: str


@dataclass(frozen=True)
class Client:
    """What a host gave us at registration."""

    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    expires_at: datetime | None


@dataclass(frozen=True)
class Tokens:
    """What a person's consent gave us. `expires_at` is None where the host did not say."""

    access_token: str
    refresh_token: str | None
    expires_at: datetime | None


def register(outgoing: Outgoing, host: HostFacts, tool: Tool) -> Client:
    """Introduce this installation to a host.

    Raises BackpackError: `registration_refused`, `answer_unclear`, or as `transport.ask`.
    """
    answer = _register(outgoing, host, tool, host.scopes)
    if answer is None and OFFLINE in host.scopes:
        # Badgr refuses `offline_access`: a refresh token comes from the grant type alone.
        answer = _register(outgoing, host, tool, tuple(one for one in host.scopes if one != OFFLINE))
    if answer is None:
        raise BackpackError("registration_refused", "HTTP 400")
    client_id, secret = answer.get("client_id"), answer.get("client_secret")
    if not _is_secret(client_id) or not _is_secret(secret):
        raise BackpackError("answer_unclear", "no client id or secret")
    echoed = answer.get("redirect_uris")
    if isinstance(echoed, list) and tool.redirect_uri not in echoed:
        raise BackpackError("answer_unclear", "another redirect address")
    granted = answer.get("scope")
    scopes = tuple(granted.split()) if isinstance(granted, str) and granted else host.scopes
    if SEND_SCOPE[host.protocol] not in scopes:
        raise BackpackError("takes_no_badges", "the scope for sending was not granted")
    ends = answer.get("client_secret_expires_at")
    return Client(
        str(client_id),
        str(secret),
        tuple(one for one in scopes if one in (SEND_SCOPE[host.protocol], OFFLINE)),
        _moment(ends) if isinstance(ends, int) and ends > 0 else None,
    )


def _register(
    outgoing: Outgoing, host: HostFacts, tool: Tool, scopes: tuple[str, ...]
) -> dict[str, Any] | None:
    """The host's answer; None for a 400."""
    body = {
        "client_name": tool.name,
        "client_uri": tool.home,
        "logo_uri": tool.logo,
        "tos_uri": tool.terms,
        "policy_uri": tool.privacy,
        "software_id": _SOFTWARE_ID,
        "software_version": _SOFTWARE_VERSION,
        "redirect_uris": [tool.redirect_uri],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": " ".join(scopes),
    }
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    answer = ask(outgoing, "POST", host.registration_url, headers=headers, data=json.dumps(body))
    if answer.status == 400:
        return None
    if answer.status == 429 or answer.status >= 500:
        raise BackpackError("unreachable", f"HTTP {answer.status}", after=retry_after(answer.headers))
    if answer.status not in (200, 201):
        raise BackpackError("registration_refused", f"HTTP {answer.status}")
    return json_object(answer.body)


def authorization_url(
    outgoing: Outgoing, host: HostFacts, client: Client, tool: Tool, *, state: str, verifier: str
) -> str:
    """Where the person is asked for consent."""
    session = _session(outgoing, client, tool.redirect_uri)
    url, _ = session.create_authorization_url(host.authorization_url, state=state, code_verifier=verifier)
    return str(url)


def exchange(
    outgoing: Outgoing,
    host: HostFacts,
    client: Client,
    tool: Tool,
    *,
    code: str,
    verifier: str,
    now: datetime,
) -> Tokens:
    """The tokens for a code. Raises BackpackError: `grant_refused`, `throttled`, or as `transport.ask`."""
    session = _session(outgoing, client, tool.redirect_uri)
    return _tokens(
        lambda: session.fetch_token(
            host.token_url,
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=tool.redirect_uri,
            scope=" ".join(client.scopes),
        ),
        now,
    )


def refresh(
    outgoing: Outgoing, host: HostFacts, client: Client, refresh_token: str, *, now: datetime
) -> Tokens:
    """New tokens; without rotation the refresh token is the old one. Raises as `exchange`."""
    session = _session(outgoing, client, None)
    return _tokens(
        lambda: session.refresh_token(
            host.refresh_url, refresh_token=refresh_token, scope=" ".join(client.scopes)
        ),
        now,
    )


def revoke(outgoing: Outgoing, revocation_url: str, client: Client, tokens: Tokens) -> bool:
    """Tell the host to forget the tokens; whether it said that it did. Raises BackpackError."""
    session = _session(outgoing, client, None)
    kinds = [("refresh_token", tokens.refresh_token), ("access_token", tokens.access_token)]
    done = True
    for hint, token in kinds:
        if token:
            answer = session.revoke_token(revocation_url, token=token, token_type_hint=hint)
            done = done and answer.status_code < 300
    return done


def _session(outgoing: Outgoing, client: Client, redirect_uri: str | None) -> OAuth2Session:
    session = oauth_session(
        outgoing,
        client_id=client.client_id,
        client_secret=client.client_secret,
        token_endpoint_auth_method="client_secret_basic",  # noqa: S106 (a method's name)
        scope=" ".join(client.scopes),
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    )
    session.register_compliance_hook("access_token_response", _judged)
    session.register_compliance_hook("refresh_token_response", _judged)
    return session


def _judged(response: requests.Response) -> requests.Response:
    """The answer of a token endpoint, if Authlib may read it."""
    status = response.status_code
    if status < 400:
        return response
    try:
        body = json_object(response.content)
    except BackpackError:
        body = {}
    if status == 429:
        raise BackpackError("throttled", after=retry_after(response.headers, body))
    if status >= 500:
        raise BackpackError("unreachable", f"HTTP {status}", after=retry_after(response.headers))
    raise BackpackError("grant_refused", str(body.get("error", f"HTTP {status}"))[:60])


def _tokens(asked: Callable[[], Mapping[str, Any]], now: datetime) -> Tokens:
    try:
        token = asked()
    except OAuthError as error:
        raise BackpackError("grant_refused", str(error.error)[:60]) from error
    except (ValueError, TypeError) as error:
        raise BackpackError("answer_unclear", "no token answer") from error
    return _read(token, now)


def _read(token: Mapping[str, Any], now: datetime) -> Tokens:
    access, again, kind = token.get("access_token"), token.get("refresh_token"), token.get("token_type")
    if not _is_secret(access) or str(kind or "Bearer").lower() != "bearer":
        raise BackpackError("answer_unclear", "no bearer token")
    seconds = token.get("expires_in")
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdecimal():
        seconds = int(seconds)
    ends = now + timedelta(seconds=min(seconds, 10**8)) if isinstance(seconds, int) and seconds > 0 else None
    return Tokens(str(access), str(again) if _is_secret(again) else None, ends)


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_SECRET and value.isprintable()


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(seconds, 10**10), tz=UTC)
