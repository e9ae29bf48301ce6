"""Dynamic registration, the platform's side (LTI Dynamic Registration 1.0)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from .model import Privacy, Tool
from .names import ALL_SCOPES, SPEC
from .services import json_answer, platform
from .state import State
from .tokens import OAuthError

registration = Blueprint("registration", __name__)
TOOL_CONFIGURATION = f"{SPEC}/lti-tool-configuration"
PLATFORM_CONFIGURATION = f"{SPEC}/lti-platform-configuration"
TOKEN_HOURS = 1


def new_registration_token(state: State) -> str:
    """A token for one registration, good for an hour."""
    with state.lock:
        value = state.token()
        state.registration_tokens[value] = state.clock() + timedelta(hours=TOKEN_HOURS)
    return value


def openid_configuration(state: State) -> dict[str, Any]:
    return {
        "issuer": state.issuer,
        "authorization_endpoint": state.auth_url,
        "token_endpoint": state.token_url,
        "jwks_uri": state.jwks_url,
        "registration_endpoint": state.url("/register"),
        "scopes_supported": ["openid", *ALL_SCOPES],
        "response_types_supported": ["id_token"],
        "response_modes_supported": ["form_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
        PLATFORM_CONFIGURATION: {
            "product_family_code": state.dialect.product_family_code,
            "version": state.dialect.version,
            "messages_supported": [
                {"type": "LtiResourceLinkRequest"},
                {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]},
                {"type": "LtiSubmissionReviewRequest"},
            ],
            "variables": ["Context.id", "ResourceLink.id", "User.id", "Person.name.full"],
        },
    }


def register_tool(state: State, body: Any) -> tuple[Tool, dict[str, Any]]:
    """Make a tool of a registration request; OAuthError 400 names what is wrong."""
    config = body.get(TOOL_CONFIGURATION) if isinstance(body, dict) else None
    if not isinstance(config, dict):
        raise _invalid("the tool configuration is missing")
    _check_registration(body, config)
    wanted = [s for s in str(body.get("scope", "")).split() if s in ALL_SCOPES]
    deep_link = [m for m in config.get("messages", []) if m.get("type") == "LtiDeepLinkingRequest"]
    with state.lock:
        tool = state.add_tool(
            f"tool-{state.token()[:12]}",
            body["initiate_login_uri"],
            body["redirect_uris"],
            body["jwks_uri"],
            str(deep_link[0].get("target_link_uri") or config["target_link_uri"]) if deep_link else "",
            deployment_id=str(len(state.tools) + 1),
            launch_url=config["target_link_uri"],
            name=body["client_name"],
            scopes=wanted,
            custom={k: str(v) for k, v in (config.get("custom_parameters") or {}).items()},
            privacy=_privacy(config.get("claims") or []),
        )
    answer = dict(body) | {
        "client_id": tool.client_id,
        "scope": " ".join(wanted),
        "registration_client_uri": state.url(f"/register/{tool.client_id}"),
        TOOL_CONFIGURATION: config | {"deployment_id": tool.deployments[0]},
    }
    return tool, answer


def _check_registration(body: dict[str, Any], config: dict[str, Any]) -> None:
    fixed = {"application_type": "web", "token_endpoint_auth_method": "private_key_jwt"}
    for name, value in fixed.items():
        if body.get(name) != value:
            raise _invalid(f"{name} must be {value}")
    lists = {"response_types": ["id_token"], "grant_types": ["implicit", "client_credentials"]}
    for name, values in lists.items():
        if not isinstance(body.get(name), list) or not set(values) <= set(body[name]):
            raise _invalid(f"{name} must hold {', '.join(values)}")
    for name in ("initiate_login_uri", "client_name", "jwks_uri"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise _invalid(f"{name} is required")
    uris = body.get("redirect_uris")
    if not isinstance(uris, list) or not uris or not all(isinstance(uri, str) for uri in uris):
        raise _invalid("redirect_uris must be a list of addresses")
    target = config.get("target_link_uri")
    if not isinstance(target, str) or config.get("domain") != urlsplit(target).netloc:
        raise _invalid("domain must be the host and port of target_link_uri")


def _privacy(claims: list[str]) -> Privacy:
    names, mail = bool({"name", "given_name", "family_name"} & set(claims)), "email" in claims
    if names:
        return "public" if mail else "name_only"
    return "email_only" if mail else "anonymous"


def _invalid(description: str) -> OAuthError:
    return OAuthError(400, "invalid_client_metadata", description)


@registration.get("/.well-known/openid-configuration", endpoint="openid_configuration")
def configuration() -> Response:
    return json_answer(openid_configuration(platform()))


@registration.post("/register", endpoint="register")
def register() -> Response:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    with platform().lock:
        expires = platform().registration_tokens.get(token)
        if kind.lower() != "bearer" or expires is None or expires <= platform().clock():
            raise OAuthError(401, "invalid_token", "The registration token is missing, used or expired.")
        if request.mimetype != "application/json":
            raise OAuthError(400, "invalid_request", "Content-Type must be application/json.")
        _, answer = register_tool(platform(), request.get_json(silent=True))
        del platform().registration_tokens[token]
    return json_answer(answer, status=201)


@registration.errorhandler(OAuthError)
def refused(error: OAuthError) -> Response:
    body = {"error": error.error, "error_description": error.description}
    return json_answer(body, status=error.status)
