"""Dynamic registration of Canvas (``dynamic_registration_controller.rb``, ``doc/api/registration.md``)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt

from ...errors import OAuthError
from ...model import Tool
from ...names import SPEC
from ...notices import NOTICE_TYPES
from ...values import opaque
from ..parts import RegistrationRules
from .names import EXTENSION
from .picker import PLACEMENTS

if TYPE_CHECKING:
    from ...state import State

_TOOL = f"{SPEC}/lti-tool-configuration"
_PLATFORM = f"{SPEC}/lti-platform-configuration"
_NAVIGATION = ("course_navigation", "account_navigation", "user_navigation", "global_navigation")
_STANDARD = {"ContentArea": "link_selection", "RichTextEditor": "editor_button"}


def configuration(state: State, config: dict[str, Any]) -> dict[str, Any]:
    deep = [f"{EXTENSION}{name}" for name in PLACEMENTS if name != "ActivityAssetProcessor"]
    return config | {
        "authorization_server": state.base_url,
        _PLATFORM: {
            "product_family_code": "canvas",
            "version": "OpenSource",
            "messages_supported": [
                {
                    "type": "LtiResourceLinkRequest",
                    "placements": [f"{EXTENSION}{name}" for name in (*_NAVIGATION, *PLACEMENTS)],
                },
                {"type": "LtiDeepLinkingRequest", "placements": [*deep, *_STANDARD]},
            ],
            "notice_types_supported": list(NOTICE_TYPES),
            "variables": ["Context.id", "Context.id.history", "ResourceLink.id", "User.id"],
            f"{EXTENSION}account_name": state.name,
            f"{EXTENSION}account_lti_guid": f"{opaque(state.issuer)}:canvas-lms",
        },
    }


def check(body: Any) -> None:
    """Everything wrong at once, as the schema's own messages."""
    body = body if isinstance(body, dict) else {}
    config = body.get(_TOOL) if isinstance(body.get(_TOOL), dict) else {}
    wrong = []
    for name, value in (("application_type", "web"), ("token_endpoint_auth_method", "private_key_jwt")):
        if body.get(name) != value:
            wrong.append(f"{name} must be one of [{value}]")
    lists = {"grant_types": {"client_credentials", "implicit"}, "response_types": {"id_token"}}
    for name, values in lists.items():
        missing = values - set(body.get(name) or [])
        wrong += [f"{name} must include {value}" for value in sorted(missing)]
    for name in ("redirect_uris", "initiate_login_uri", "client_name", "jwks_uri"):
        if not body.get(name):
            wrong.append(f"{name} is a required field")
    for name in ("domain", "messages", "claims", "target_link_uri"):
        if not config or config.get(name) is None:
            wrong.append(f"{_TOOL}.{name} is a required field")
    if config and "://" in str(config.get("domain")):
        wrong.append("domain must not have a scheme")
    if wrong:
        raise OAuthError(422, "invalid_client_metadata", "\n".join(wrong))


def finish(state: State, tool: Tool, body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The key stays off until an administrator switches it on."""
    config: dict[str, Any] = body[_TOOL]
    tool.enabled = False
    tool.placements = _placements(config)
    level = config.get(f"{EXTENSION}privacy_level")
    if level in ("public", "name_only", "email_only", "anonymous"):
        tool.privacy = level
    else:
        tool.privacy = _inferred(set(config.get("claims") or []))
    shown = {k: v for k, v in answer[_TOOL].items() if k != "deployment_id"}
    if state.switch("registration_deployment_id"):
        shown["deployment_id"] = tool.deployments[0]
    return answer | {"scope": f"{answer['scope']} openid".strip(), _TOOL: shown}


def _placements(config: dict[str, Any]) -> list[str]:
    """Unknown ones are dropped without a word; a message without any is for link_selection."""
    found: list[str] = []
    for message in config.get("messages", []):
        for name in message.get("placements") or ["ContentArea"]:
            short = _STANDARD.get(name, str(name).removeprefix(EXTENSION))
            if short in (*_NAVIGATION, *PLACEMENTS) and short not in found:
                found.append(short)
    return found


def _inferred(claims: set[str]) -> Any:
    names, mail = bool({"name", "given_name", "family_name"} & claims), "email" in claims
    if "picture" in claims or (names and mail):
        return "public"
    return "name_only" if names else "email_only" if mail else "anonymous"


def refusal(error: OAuthError) -> tuple[int, str, str]:
    said: dict[str, Any]
    if error.status == 422:
        said = {"errors": error.description.split("\n")}
    elif error.error == "token_already_used":
        said = {"errorMessage": "Registration token has already been used"}
    elif error.error == "configuration":
        said = {"error": "Access token missing or invalid"}
    else:
        said = {"errorMessage": "JWT did not include expected contents"}
    return error.status, "application/json", json.dumps(said)


def new_token(state: State, client_id: str) -> str:
    claims = {"uuid": state.token(), "user_id": 1, "root_account_global_id": 1}
    return jwt.encode(claims, state.session_secret, algorithm="HS256")


def new_client_id(state: State) -> str:
    taken = [int(client) for client in state.tools if client.isdecimal()]
    waiting = [int(token.client_id) for token in state.registration_tokens.values()]
    return str(1 + max([10_000_000_000_000, *taken, *waiting]))


RULES = RegistrationRules(
    status=200,
    token_in_query=True,
    new_token=new_token,
    new_client_id=new_client_id,
    configuration=configuration,
    check=check,
    finish=finish,
    refusal=refusal,
)
