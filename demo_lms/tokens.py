"""The token endpoint: client credentials by signed assertion (Security Framework 4.1, RFC 6749, RFC 7523)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from .errors import OAuthError, ServiceError
from .model import AccessToken, Tool
from .names import ASSERTION_TYPE
from .state import State
from .tool_jwt import ToolJwtError, audience, check_times, unverified, verified_claims

TOKEN_SECONDS = 3600


def grant(state: State, form: Mapping[str, str]) -> dict[str, object]:
    """The token answer for a good request; OAuthError for any other."""
    if form.get("grant_type") != "client_credentials":
        raise OAuthError(400, "unsupported_grant_type", "grant_type must be client_credentials")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthError(400, "invalid_request", "client_assertion_type must be jwt-bearer")
    asked = form.get("scope", "").split()
    if not asked:
        raise OAuthError(400, "invalid_scope", "scope is missing")
    tool = (state.dialect.find_client or _client)(state, form.get("client_assertion", ""))
    rules = state.dialect.token_rules
    granted = [scope for scope in asked if scope in tool.scopes]
    if not granted or (rules.all_scopes_or_none and granted != asked):
        raise OAuthError(400, "invalid_scope", "the scopes are not allowed")
    with state.lock:
        value = state.dialect.access_token(state, tool, granted)
        expires = state.clock() + timedelta(seconds=TOKEN_SECONDS)
        state.access_tokens[value] = AccessToken(tool.client_id, granted, expires)
    return {
        "access_token": value,
        "token_type": rules.token_type,
        "expires_in": TOKEN_SECONDS,
        "scope": " ".join(granted),
    }


def _client(state: State, assertion: str) -> Tool:
    rules = state.dialect.token_rules
    try:
        tool = state.tools.get(unverified(assertion))
        if tool is None or not tool.enabled:
            raise ToolJwtError("no such client")
        claims = verified_claims(state, tool, assertion)
        if claims.get("sub") != tool.client_id:
            raise ToolJwtError("iss and sub must both be the client_id")
        if rules.check_audience and state.token_url not in audience(claims):
            raise ToolJwtError("aud must be the token URL")
        expires = check_times(state, claims, max_age=rules.max_age, max_life=3600)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti:
            raise ToolJwtError("jti is missing")
        if rules.check_jti and not state.first_use(tool.client_id, f"jti:{jti}", expires):
            raise ToolJwtError("jti was used before")
    except ToolJwtError as error:
        raise OAuthError(rules.refused_status, "invalid_client", str(error)) from error
    return tool


def bearer(state: State, authorization: str, *scopes: str) -> Tool:
    """The tool whose live access token this is, with at least one of the scopes; else ServiceError."""
    kind, _, value = authorization.partition(" ")
    if kind.lower() != "bearer" or not value.strip():
        raise _refused(state, "missing")
    token = state.access_tokens.get(value.strip())
    if token is None:
        raise _refused(state, "unknown")
    if token.expires_at <= state.clock():
        raise _refused(state, "expired")
    tool = state.tools.get(token.client_id)
    if tool is None or not tool.enabled:
        raise _refused(state, "inactive")
    if not set(scopes) & set(token.scopes):
        raise _refused(state, "scope")
    return tool


def _refused(state: State, why: str) -> ServiceError:
    return ServiceError(*state.dialect.token_refusals[why])
