"""Dynamic registration of Moodle (``mod/lti/openid-registration.php``)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...errors import OAuthError
from ...keys import sign_token
from ...model import Tool
from ...names import AGS_SCOPES, SCOPE_LINEITEM, SCOPE_LINEITEM_READ, SPEC
from ...values import opaque
from ..parts import RegistrationRules
from .launch import VARIABLES

if TYPE_CHECKING:
    from ...state import State

_TOOL = f"{SPEC}/lti-tool-configuration"
_PLATFORM = f"{SPEC}/lti-platform-configuration"
_PAGE = "<!doctype html><title>Error</title><h1>Invalid request</h1>"


def new_client_id(state: State) -> str:
    return opaque(state.token())[:15]


def new_token(state: State, client_id: str) -> str:
    now = state.clock()
    claims = {
        "sub": client_id,
        "scope": "reg",
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
        "jti": state.token(),
    }
    return sign_token(claims, state.keys.current)


def configuration(state: State, config: dict[str, Any]) -> dict[str, Any]:
    own: dict[str, Any] = config[_PLATFORM]
    messages = [
        {"type": "LtiResourceLinkRequest"},
        {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]},
    ]
    tool_settings = f"{SPEC}/lti-ts/scope/toolsetting"
    scopes = [f"{SPEC}/lti-bo/scope/basicoutcome", *config["scopes_supported"], tool_settings]
    shown = own | {"messages_supported": messages, "variables": list(VARIABLES)}
    return config | {_PLATFORM: shown, "scopes_supported": scopes}


def check(body: Any) -> None:
    """The first thing wrong, as plain text."""
    if not isinstance(body, dict):
        raise OAuthError(404, "page", "malformed")
    config = body.get(_TOOL)
    required = ("response_types", "initiate_login_uri", "redirect_uris", "client_name", "jwks_uri")
    for name in (*required, "token_endpoint_auth_method"):
        if not body.get(name):
            raise _wrong(f"missing required attribute {name}")
    if not isinstance(config, dict):
        raise _wrong(f"missing required attribute {_TOOL}")
    if "id_token" not in body["response_types"]:
        raise _wrong("invalid_response_types")
    if body["token_endpoint_auth_method"] != "private_key_jwt":
        raise _wrong("invalid_token_endpoint_auth_method")
    if not config.get("domain"):
        raise _wrong("missing_domain")
    if config["domain"] != urlsplit(str(config.get("target_link_uri"))).netloc:
        raise _wrong("domain_targetlinkuri_mismatch")


def _wrong(text: str) -> OAuthError:
    return OAuthError(400, "invalid_client_metadata", text)


def finish(state: State, tool: Tool, body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Pending, and not in the chooser; what the answer echoes of scopes and parameters is not reliable."""
    tool.enabled = tool.in_chooser = False
    tool.name = re.sub(r"<[^>]*>?", "", tool.name)
    if set(tool.scopes) & set(AGS_SCOPES):
        others = [scope for scope in tool.scopes if scope not in AGS_SCOPES]
        full = SCOPE_LINEITEM in tool.scopes
        given = [s for s in AGS_SCOPES if full or s != SCOPE_LINEITEM]
        tool.scopes = [*given, *others]
        answer["scope"] = " ".join(dict.fromkeys([SCOPE_LINEITEM, SCOPE_LINEITEM_READ, *tool.scopes]))
    config: dict[str, Any] = answer[_TOOL]
    echoed = {k: "=".join(str(v).split("=")[:1]) for k, v in (config.get("custom_parameters") or {}).items()}
    return {k: v for k, v in answer.items() if k != "registration_client_uri"} | {
        _TOOL: config | ({"custom_parameters": echoed} if echoed else {})
    }


def refusal(error: OAuthError) -> tuple[int, str, str]:
    if error.error == "token_already_used":
        return 401, "text/plain; charset=utf-8", error.error
    if error.error in ("page", "invalid_token"):
        return 404, "text/html; charset=utf-8", _PAGE
    return 400, "text/plain; charset=utf-8", error.description


RULES = RegistrationRules(
    status=200,
    new_token=new_token,
    new_client_id=new_client_id,
    configuration=configuration,
    check=check,
    finish=finish,
    refusal=refusal,
)
