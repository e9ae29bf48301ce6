"""Checking what a tool signed: client assertions and deep linking responses (Security Framework 4.1, 5.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import requests

from .model import Tool

if TYPE_CHECKING:
    from .state import State


class ToolJwtError(Exception):
    """A tool's token is not acceptable; ``str()`` says why.

    ``code``: format, alg, keys, signature, or claim for anything that a good signature covers.
    """

    def __init__(self, message: str, code: str = "claim") -> None:
        super().__init__(message)
        self.code = code


def tool_keys(state: State, tool: Tool) -> list[dict[str, Any]]:
    """The tool's published keys, read from its address now; ToolJwtError if they cannot be had."""
    if tool.jwks is not None:
        document: Any = tool.jwks
    else:
        try:
            document = state.fetch(tool.jwks_url)
        except (requests.RequestException, ValueError, OSError) as error:
            raise ToolJwtError(f"the tool's keys could not be read: {error}", "keys") from error
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ToolJwtError("the tool's key set is not a JWKS", "keys")
    return [key for key in keys if isinstance(key, dict)]


def verified_claims(state: State, tool: Tool, token: str) -> dict[str, Any]:
    """The claims of a token with a good RS256 signature by a key of the tool, named by ``kid``.

    Where the dialect keeps keys for a while, kept ones are tried first and read again if they fail.
    """
    seconds = state.dialect.token_rules.jwks_seconds
    until, keys = state.kept_jwks.get(tool.client_id, (state.clock(), []))
    if keys and until > state.clock():
        try:
            return _verified(state, keys, token)
        except ToolJwtError as error:
            if error.code not in ("keys", "signature"):
                raise
    keys = tool_keys(state, tool)
    if seconds:
        state.kept_jwks[tool.client_id] = state.clock() + timedelta(seconds=seconds), keys
    return _verified(state, keys, token)


def _verified(state: State, keys: list[dict[str, Any]], token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise ToolJwtError(f"not a JWT: {error}", "format") from error
    if header.get("alg") != "RS256":
        raise ToolJwtError("alg must be RS256", "alg")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise ToolJwtError("the header has no kid", "keys")
    disliked = state.dialect.key_problem(keys, kid)
    if disliked:
        raise ToolJwtError(disliked, "keys")
    matching = [key for key in keys if key.get("kid") == kid]
    if len(matching) != 1:
        raise ToolJwtError(f"the tool's key set has {len(matching)} keys with this kid", "keys")
    if matching[0].get("alg") != "RS256" or matching[0].get("use") not in (None, "sig"):
        raise ToolJwtError("the key must say alg RS256 and be for signatures", "keys")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK.from_dict(matching[0]),
            algorithms=["RS256"],
            options={
                "verify_signature": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except jwt.PyJWTError as error:
        raise ToolJwtError(f"the signature is not good: {error}", "signature") from error
    return claims


def unverified(token: str, name: str = "iss") -> str:
    """A claim as the token has it, only to find the tool; ToolJwtError where there is none."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise ToolJwtError(f"not a JWT: {error}", "format") from error
    value = claims.get(name)
    if not isinstance(value, str):
        raise ToolJwtError(f"the token has no {name}")
    return value


def check_times(
    state: State, claims: dict[str, Any], *, max_age: int | None = None, max_life: int | None = None
) -> datetime:
    """``exp`` ahead, ``iat`` not ahead (10 s leeway) nor too old; gives ``exp``."""
    now = state.clock().timestamp()
    times = {name: claims.get(name) for name in ("iat", "exp")}
    for name, value in times.items():
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ToolJwtError(f"{name} must be a number")
    iat, exp = float(claims["iat"]), float(claims["exp"])
    if exp <= now:
        raise ToolJwtError("the token has expired")
    if iat > now + 10:
        raise ToolJwtError("iat is in the future")
    if max_age is not None and iat < now - max_age:
        raise ToolJwtError(f"iat is more than {max_age} s old")
    if max_life is not None and exp - iat > max_life:
        raise ToolJwtError(f"the token lives longer than {max_life} s")
    return datetime.fromtimestamp(exp, UTC)


def audience(claims: dict[str, Any]) -> list[str]:
    aud = claims.get("aud")
    return (
        [aud]
        if isinstance(aud, str)
        else [a for a in aud if isinstance(a, str)]
        if isinstance(aud, list)
        else []
    )
