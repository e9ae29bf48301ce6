"""Dynamic registration, the platform's side (LTI Dynamic Registration 1.0)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, request

from .dialects import Dialect
from .errors import OAuthError
from .model import Privacy, RegistrationToken, Tool
from .names import ALL_SCOPES, SPEC
from .services import json_answer, platform
from .state import State

TOOL_CONFIGURATION = f"{SPEC}/lti-tool-configuration"
PLATFORM_CONFIGURATION = f"{SPEC}/lti-platform-configuration"
TOKEN_HOURS = 1


def registration(dialect: Dialect) -> Blueprint:
    """The registration endpoints, at the addresses that a dialect has for them; none where it has none."""
    made = Blueprint("registration", __name__)
    if dialect.registration.offered:
        made.add_url_rule(dialect.paths["openid_configuration"], "openid_configuration", configuration)
        made.add_url_rule(dialect.paths["register"], "register", register, methods=["POST"])
        made.register_error_handler(OAuthError, refused)
    return made


def new_registration_token(state: State) -> str:
    """A token for one registration, good for an hour."""
    with state.lock:
        rules = state.dialect.registration
        client_id = rules.new_client_id(state)
        value = rules.new_token(state, client_id)
        expires = state.clock() + timedelta(hours=TOKEN_HOURS)
        state.registration_tokens[value] = RegistrationToken(expires, client_id)
    return value


def configuration_url(state: State, token: str) -> str:
    """The address of the configuration, as a tool is given it."""
    query = urlencode({"registration_token": token}) if state.dialect.registration.token_in_query else ""
    return state.configuration_url + (f"?{query}" if query else "")


def openid_configuration(state: State) -> dict[str, Any]:
    return state.dialect.registration.configuration(state, _spec_configuration(state))


def _spec_configuration(state: State) -> dict[str, Any]:
    return {
        "issuer": state.issuer,
        "authorization_endpoint": state.auth_url,
        "token_endpoint": state.token_url,
        "jwks_uri": state.jwks_url,
        "registration_endpoint": state.endpoint_url("register"),
        "scopes_supported": ["openid", *ALL_SCOPES, *state.dialect.more_scopes],
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


def register_tool(state: State, body: Any, client_id: str = "") -> tuple[Tool, dict[str, Any]]:
    """Make a tool of a registration request; OAuthError 400 names what is wrong."""
    rules = state.dialect.registration
    (rules.check or check_registration)(body)
    config: dict[str, Any] = body[TOOL_CONFIGURATION]
    known = (*ALL_SCOPES, *state.dialect.more_scopes)
    wanted = [s for s in str(body.get("scope", "")).split() if s in known]
    deep_link = [m for m in config.get("messages", []) if m.get("type") == "LtiDeepLinkingRequest"]
    with state.lock:
        tool = state.add_tool(
            client_id or rules.new_client_id(state),
            body["initiate_login_uri"],
            body["redirect_uris"],
            body["jwks_uri"],
            str(deep_link[0].get("target_link_uri") or config["target_link_uri"]) if deep_link else "",
            deployment_id=state.next_number("deployment"),
            launch_url=config["target_link_uri"],
            name=body["client_name"],
            scopes=wanted,
            custom={k: str(v) for k, v in (config.get("custom_parameters") or {}).items()},
            privacy=_privacy(config.get("claims") or []),
        )
        answer = dict(body) | {
            "client_id": tool.client_id,
            "scope": " ".join(wanted),
            "registration_client_uri": f"{state.endpoint_url('register')}/{tool.client_id}",
            TOOL_CONFIGURATION: config | {"deployment_id": tool.deployments[0]},
        }
        answer = rules.finish(state, tool, body, answer)
    return tool, answer


def check_registration(body: Any) -> None:
    """The specification's checks of a registration request; OAuthError."""
    config = body.get(TOOL_CONFIGURATION) if isinstance(body, dict) else None
    if not isinstance(config, dict):
        raise _invalid("the tool configuration is missing")
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


def configuration() -> Response:
    if platform().dialect.registration.token_in_query:
        token = platform().registration_tokens.get(request.args.get("registration_token", ""))
        if token is None or token.expires_at <= platform().clock():
            raise OAuthError(401, "configuration", "The registration token is missing or expired.")
    return json_answer(openid_configuration(platform()))


def _live_token(value: str) -> RegistrationToken:
    token = platform().registration_tokens.get(value)
    if token is None or token.expires_at <= platform().clock():
        raise OAuthError(401, "invalid_token", "The registration token is missing or expired.")
    return token


def register() -> Response:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    with platform().lock:
        token = _live_token(value if kind.lower() == "bearer" else "")
        if token.used:
            raise OAuthError(401, "token_already_used", "The registration token was used before.")
        if request.mimetype != "application/json":
            raise OAuthError(400, "invalid_request", "Content-Type must be application/json.")
        _, answer = register_tool(platform(), request.get_json(silent=True), token.client_id)
        token.used = True
    return json_answer(answer, status=platform().dialect.registration.status)


def refused(error: OAuthError) -> Response:
    said = platform().dialect.registration.refusal(error)
    if said is None:
        return json_answer(
            {"error": error.error, "error_description": error.description}, status=error.status
        )
    status, media_type, text = said
    return Response(text, status, content_type=media_type)
