"""Token endpoint, members and errors of Canvas (``lib/canvas/oauth``, ``advantage_services.rb``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt

from ...errors import OAuthError, ServiceError
from ...model import Course, Enrolment, Link, Person, Tool
from ...names import CLAIMS, SCOPE_NOTICES, SPEC
from ...tool_jwt import ToolJwtError, audience, unverified, verified_claims
from .launch import context_id, login_hint
from .picker import wrong_claims

if TYPE_CHECKING:
    from ...state import State

MORE_SCOPES = (
    SCOPE_NOTICES,
    f"{SPEC}/lti/scope/asset.readonly",
    f"{SPEC}/lti/scope/report",
    f"{SPEC}/lti/scope/eula/user",
    f"{SPEC}/lti/scope/eula/deployment",
    f"{SPEC}/lti-reg/scope/registration",
    f"{SPEC}/lti-reg/scope/registration.readonly",
    "https://canvas.instructure.com/lti-ags/progress/scope/show",
    "https://canvas.instructure.com/lti/public_jwk/scope/update",
)
REFUSALS: Mapping[str, tuple[int, str]] = {
    "missing": (401, "Missing access token"),
    "unknown": (401, "Invalid access token format"),
    "expired": (401, "Access token expired"),
    "inactive": (401, "Unknown or inactive Developer Key"),
    "scope": (401, "Insufficient permissions"),
}
_SYMBOLS = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    412: "precondition_failed",
    415: "unsupported_media_type",
    422: "unprocessable_entity",
}


def error_body(status: int, message: str) -> object:
    if status == 404:
        return {"errors": [{"message": "The specified resource does not exist."}]}
    return {"errors": {"type": _SYMBOLS.get(status, "error"), "message": message}}


def check_course(state: State, course: Course) -> None:
    if course.concluded:
        sentence = "This course has concluded. AGS requests will no longer be accepted for this course."
        raise ServiceError(422, sentence)


# -- token -------------------------------------------------------------------------------------


def find_client(state: State, assertion: str) -> Tool:
    """The key is found by ``sub``; ``jti`` must be there but may come again."""
    try:
        tool = state.tools.get(unverified(assertion, "sub"))
        if tool is None or not tool.enabled:
            raise OAuthError(401, "invalid_client", "unknown client")
        claims = verified_claims(state, tool, assertion)
    except ToolJwtError as error:
        said = {"signature": "JWS signature invalid.", "keys": f"JWK Error: {error}"}
        raise OAuthError(400, "invalid_request", said.get(error.code, "JWT format is invalid")) from error
    wrong = wrong_claims(state, claims, ("sub", "iss", "aud", "iat", "exp", "jti"))
    if "aud" in claims and not {state.token_url, state.base_url} & set(audience(claims)):
        wrong["aud"] = "the 'aud' is invalid"
    if wrong:
        raise OAuthError(400, "invalid_request", " | ".join(wrong.values()))
    return tool


def access_token(state: State, tool: Tool, scopes: list[str]) -> str:
    now = state.clock()
    claims = {
        "iss": "Canvas",
        "sub": tool.client_id,
        "aud": [state.token_url],
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
        "jti": state.token(),
        "scopes": " ".join(scopes),
    }
    return jwt.encode(claims, state.session_secret, algorithm="HS256")


def key_problem(keys: list[dict[str, Any]], kid: str) -> str:
    """The JWK needs ``alg`` and ``use``."""
    key = next((key for key in keys if key.get("kid") == kid), {})
    missing = [name for name in ("alg", "use") if key and not key.get(name)]
    return f"the key has no {' and no '.join(missing)}" if missing else ""


# -- members -----------------------------------------------------------------------------------


def member(row: dict[str, Any], person: Person, enrolment: Enrolment) -> dict[str, Any] | None:
    if not enrolment.active:
        return None
    return row | {"lti11_legacy_user_id": login_hint(person)}


def find_rlid(state: State, tool: Tool, course: Course, link_id: str) -> Link | None:
    """A link's UUID or the course's own opaque id."""
    if link_id == context_id(course):
        return None
    link = state.links.get(link_id)
    if link is None:
        raise ServiceError(400, "Invalid 'rlid' parameter")
    if link.client_id != tool.client_id or link.course_id != course.id:
        raise ServiceError(400, "Tool does not have access to rlid or rlid does not exist")
    return link


def member_message(state: State, link: Link | None, tool: Tool, person: Person) -> list[dict[str, Any]]:
    known = {"$User.id": state.dialect.subject(person, None), "$Person.name.full": person.name}
    merged = {**tool.custom, **(link.custom if link else {})}
    custom = {k: known.get(v, v) if isinstance(v, str) else v for k, v in merged.items()}
    return [
        {
            CLAIMS["message_type"]: "LtiResourceLinkRequest",
            "locale": person.locale,
            CLAIMS["custom"]: custom,
        }
    ]
