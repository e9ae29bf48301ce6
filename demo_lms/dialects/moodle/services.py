"""Token endpoint, members and errors of Moodle (``mod/lti/token.php``, ``services.php``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import request

from ...errors import OAuthError, ServiceError
from ...model import Course, Enrolment, Link, Person, Tool
from ...names import SPEC
from ...tool_jwt import ToolJwtError, unverified, verified_claims
from ...values import opaque
from ..spec import enrolled_roles
from .grades import INCORRECT
from .launch import TEACHING, is_admin
from .picker import wrong_times

if TYPE_CHECKING:
    from ...state import State

REFUSALS: Mapping[str, tuple[int, str]] = dict.fromkeys(
    ("missing", "unknown", "expired", "inactive", "scope"), (401, "Unauthorized")
)


def service_query(endpoint: str, tool: Tool) -> str:
    """Every address but that of the members names the tool type in its query."""
    return "" if endpoint == "memberships" else f"type_id={tool.deployments[0]}"


def accepts(endpoint: str, accept: str | None, media_type: str) -> int:
    """Exactly one media type, or no header at all; ``*/*`` finds no handler for the collection."""
    if accept in (None, "", media_type) or (accept == "*/*" and endpoint != "lineitems"):
        return 0
    return 400


def next_link(service: str, url: str) -> str:
    """The one of line items is broken: an HTML entity in the address, and typographic quotes."""
    if service == "lineitems":
        return f"<{url.replace('&', '&amp;')}>; rel=“next”"
    return f'<{url}>; rel="next"'


def error_body(status: int, message: str) -> object:
    asked = {"method": request.method, "url": request.path, "accept": request.headers.get("Accept", "")}
    return {"status": status, "reason": message, "request": asked}


def error_reason(status: int, message: str, body: str) -> tuple[int, str] | None:
    """The detail stands in the status line. With a line break in it PHP sends none: 200 and ``[]``."""
    phrase = f"{message}{body}" if message == INCORRECT else message
    if "\n" in phrase or "\r" in phrase:
        return 200, "OK"
    return status, phrase


# -- token -------------------------------------------------------------------------------------


def find_client(state: State, assertion: str) -> Tool:
    """The tool is found by ``sub``; ``iss``, ``aud``, ``jti`` are not looked at, ``exp`` may be missing."""
    try:
        tool = state.tools.get(unverified(assertion, "sub"))
        if tool is None or not tool.enabled:
            raise OAuthError(400, "invalid_client", "invalid_client")
        claims = verified_claims(state, tool, assertion)
    except ToolJwtError as error:
        said = '"kid" invalid, unable to lookup correct key' if error.code == "keys" else str(error)
        raise OAuthError(400, "invalid_client", said) from error
    wrong = wrong_times(state, claims)
    if wrong:
        raise OAuthError(400, "invalid_client", wrong)
    return tool


def oauth_error(error: OAuthError) -> str:
    """The message is put between quotes as it is, so the text may not be JSON."""
    said = error.description if error.error == "invalid_client" else error.error
    return f'{{"error": "{said}"}}'


def access_token(state: State, tool: Tool, scopes: list[str]) -> str:
    return opaque(state.token())[:32]


def key_problem(keys: list[dict[str, Any]], kid: str) -> str:
    """One key that the library cannot read voids the whole set."""
    for key in keys:
        kind = (key.get("kty"), key.get("crv"))
        if kind not in (("RSA", None), ("EC", "P-256"), ("EC", "P-384")) or not key.get("alg"):
            return f"the key {key.get('kid')} cannot be read"
    return ""


# -- members -----------------------------------------------------------------------------------


def member_roles(state: State, person: Person, course: Course) -> list[str]:
    """Short names; who teaches without editing is a learner here."""
    teaches = is_admin(person) or "Instructor" in enrolled_roles(person, course)
    found = ["Instructor" if teaches else "Learner"]
    return [*found, *(r for r in person.extra_roles if is_admin(person))]


def member(row: dict[str, Any], person: Person, enrolment: Enrolment) -> dict[str, Any] | None:
    if not enrolment.active:
        return None
    shown = {k: formatted(v) if k.endswith("name") or k == "email" else v for k, v in row.items()}
    return shown | ({"ext_user_username": person.username} if person.username and "name" in row else {})


def formatted(text: str) -> str:
    """As ``format_string`` leaves it: what looks like an entity stays, tags are gone, the rest is escaped."""
    whole = re.sub(r"&(?![a-zA-Z0-9#]{1,8};)", "&amp;", re.sub(r"<[^>]*>", "", text))
    return whole.replace("<", "&lt;").replace(">", "&gt;")


def find_rlid(state: State, tool: Tool, course: Course, link_id: str) -> Link | None:
    link = state.links.get(link_id)
    if link is None or link.course_id != course.id or link.client_id != tool.client_id:
        raise ServiceError(404, "Not Found")
    return link


def lists_member(state: State, link: Link, enrolment: Enrolment) -> bool:
    """A hidden activity is seen by those who teach."""
    return state.is_visible(link) or bool(TEACHING & set(enrolment.roles))


def member_message(state: State, link: Link | None, tool: Tool, person: Person) -> list[dict[str, Any]]:
    """Basic outcomes only, no custom parameters."""
    outcome = {"lis_result_sourcedid": "{}", "lis_outcome_service_url": state.url("/mod/lti/service.php")}
    return [{f"{SPEC}/lti-bo/claim/basicoutcome": outcome}]
