"""Login and id_token of Canvas (``ims/authentication_controller.rb``, ``messages/jwt_message.rb``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import jwt

from ...model import Course, Person
from ...names import CLAIMS, MEMBERSHIP, SCOPE_NOTICES, TEST_USER
from ...notices import NOTICE_TYPES
from ...values import number_of, opaque, plain_number, uuid_of
from ..parts import MessageFacts, Problem
from ..spec import enrolled_roles, role_uris, spec_custom
from .names import PERSON_ROLE, PLACEMENT, SYSTEM_ROLE

if TYPE_CHECKING:
    from ...state import State

PUBLIC_VISITOR = "5d6a1c2c6f1b6b1bd4b2e3f3cc8a7d2e9f0b4a61"
"""The login hint of everybody who is not signed in to a public course."""

REQUIRED = (
    "client_id", "login_hint", "lti_message_hint", "nonce", "prompt", "redirect_uri", "response_mode",
    "response_type", "scope",
)  # fmt: skip
CHECKS = (
    "hint_unknown", "hint_expired", "client", "redirect_uri", "missing", "scope", "no_session", "login_hint",
    "inactive", "hint_client", "hint_used",
)  # fmt: skip
"""Only presence is checked of the others."""
_CONSUMED = "The launch has either expired or already been consumed"
PROBLEMS: Mapping[str, Problem] = {
    "hint_unknown": Problem("page", "invalid_request", "Invalid lti_message_hint"),
    "hint_expired": Problem("page", "invalid_request", "Invalid lti_message_hint"),
    "client": Problem("page", "not_found", "The specified resource does not exist.", 404),
    "redirect_uri": Problem("page", "invalid_request", "Invalid redirect_uri"),
    "missing": Problem("post", "invalid_request_object", "The following parameters are missing: {name}"),
    "scope": Problem("post", "invalid_request_object", "The 'scope' must be 'openid'"),
    "no_session": Problem("page", "login_required", "Must have an active user session", 401),
    "login_hint": Problem("post", "login_required", "Must have an active user session"),
    "inactive": Problem("post", "unauthorized_client", "Client not authorized in requested context"),
    "hint_client": Problem("post", "launch_no_longer_valid", _CONSUMED),
    "hint_used": Problem("post", "launch_no_longer_valid", _CONSUMED),
}


def new_id(state: State, kind: str) -> str:
    """Links are UUIDs, line items numbers, a deployment ``<tool>:<40 hex of where it is installed>``."""
    if kind == "link":
        return uuid_of(state.token())
    number = state.next_number(kind)
    return number if kind == "line_item" else f"{number}:{opaque(state.token())}"


def context_id(course: Course) -> str:
    return opaque(f"course {course.id}")


def login_hint(person: Person) -> str:
    """The id of LTI 1.1 days, which is not the ``sub``."""
    return PUBLIC_VISITOR if person.anonymous else opaque(f"user {person.id}")


def login_fields(facts: MessageFacts) -> dict[str, str]:
    state = facts.state
    fields = {
        "client_id": facts.tool.client_id,
        "canvas_environment": str(state.switch("environment")),
        "canvas_region": str(state.switch("region")),
    }
    parameter = str(state.switch("deployment_parameter"))
    return fields | ({parameter: facts.message.deployment_id} if parameter else {})


def hint(facts: MessageFacts, token: str) -> str:
    claims = {
        "verifier": token,
        "canvas_domain": facts.state.base_url.partition("://")[2],
        "context_type": "Course" if facts.course else "Account",
        "context_id": number_of(facts.course.id) if facts.course else 1,
        "exp": int(facts.message.expires_at.timestamp()),
    }
    return jwt.encode(claims, facts.state.session_secret, algorithm="HS256")


def redirect_matches(given: str, registered: list[str]) -> bool:
    """Equal up to "?"; of a registered address with a query only that query must be in the given one."""
    bare, _, query = given.partition("?")
    have = set(parse_qsl(query))
    for uri in registered:
        wanted = urlsplit(uri).query
        if set(parse_qsl(wanted)) <= have if wanted else bare == uri:
            return True
    return False


def refuses_launch(facts: MessageFacts) -> str:
    """Unpublished work, and an assignment whose address is not the tool's, show a page of Canvas's own."""
    known = {urlsplit(u).netloc for u in (facts.tool.launch_url, *facts.tool.redirect_uris)}
    if facts.link is not None and facts.link.url and urlsplit(facts.link.url).netloc not in known:
        return "Assignment not configured for external tool launches with specified tool"
    staff = set(enrolled_roles(facts.person, facts.course)) - {"Learner", "TestUser"}
    if facts.link is not None and not facts.state.is_visible(facts.link) and not staff:
        return "This has not been published yet."
    return ""


# -- roles -------------------------------------------------------------------------------------

_INSTITUTION = {"Instructor": "Instructor", "TeachingAssistant": "Instructor", "Learner": "Student"}


def roles(state: State, person: Person, course: Course | None) -> list[str]:
    """Course roles, then those of the whole account: what somebody is in any course of it."""
    held = enrolled_roles(person, course)
    uris = role_uris(held)
    if "TestUser" in held:
        return sorted({f"{MEMBERSHIP}#Learner", TEST_USER, f"{SYSTEM_ROLE}#User"})
    if person.anonymous:
        return [f"{SYSTEM_ROLE}#None"]
    for any_course in state.courses.values():
        names = enrolled_roles(person, any_course)
        uris += [f"{PERSON_ROLE}#{_INSTITUTION[name]}" for name in names if name in _INSTITUTION]
    return sorted({*uris, f"{SYSTEM_ROLE}#User", *person.extra_roles})


def member_roles(state: State, person: Person, course: Course) -> list[str]:
    return sorted(role_uris(enrolled_roles(person, course)))


# -- claims ------------------------------------------------------------------------------------


def finish_claims(claims: dict[str, object], facts: MessageFacts) -> dict[str, object]:
    state, tool, message = facts.state, facts.tool, facts.message
    done = {k: v for k, v in claims.items() if k not in (CLAIMS["launch_presentation"], CLAIMS["lis"])}
    done |= {
        "azp": tool.client_id,
        CLAIMS["tool_platform"]: {
            "guid": f"{opaque(state.issuer)}:canvas-lms",
            "name": state.name,
            "version": "cloud",
            "product_family_code": "canvas",
        },
        CLAIMS["launch_presentation"]: _presentation(facts),
        CLAIMS["lti11_legacy_user_id"]: login_hint(facts.person),
        PLACEMENT: message.placement or None,
    }
    if tool.privacy in ("public", "name_only"):
        done[CLAIMS["lis"]] = {
            "person_sourcedid": facts.person.sourced_id or "$Person.sourcedId",
            "course_offering_sourcedid": "$CourseSection.sourcedId",
        }
    if tool.privacy == "public":
        done["picture"] = state.url("/static/icon.svg")
    if facts.person.anonymous:
        for name in ("sub", "name", "given_name", "family_name", "email", "picture"):
            done.pop(name, None)
        done.pop(CLAIMS["lti11_legacy_user_id"])
    _use_http(done)
    if SCOPE_NOTICES in tool.scopes:
        number = message.deployment_id.partition(":")[0]
        done[CLAIMS["pns"]] = {
            "platform_notification_service_url": state.endpoint_url("notices", deployment=number),
            "service_versions": ["1.0"],
            "scope": [SCOPE_NOTICES],
            "notice_types_supported": list(NOTICE_TYPES),
        }
    return done


def _presentation(facts: MessageFacts) -> dict[str, object]:
    """``document_target`` is always iframe, even in a new window."""
    shown: dict[str, object] = {"document_target": "iframe", "locale": facts.person.locale}
    if facts.course is not None:
        shown["return_url"] = facts.state.url(f"/courses/{facts.course.id}/return?from=tool")
    if facts.link is not None and facts.link.height:
        shown["height"] = facts.link.height
    return shown


def _use_http(claims: dict[str, object]) -> None:
    """A captured launch had ``lineitems`` with http and ``lineitem`` with https on the same host."""
    ags = claims.get(CLAIMS["ags"])
    if isinstance(ags, dict) and str(ags["lineitems"]).startswith("https://"):
        claims[CLAIMS["ags"]] = ags | {"lineitems": str(ags["lineitems"]).replace("https://", "http://", 1)}


# -- custom ------------------------------------------------------------------------------------


def custom(facts: MessageFacts, variables: Mapping[str, object]) -> dict[str, object]:
    """Canvas's variables (``doc/api/tools_variable_substitutions.md``); values keep their JSON type."""
    known = {k: v for k, v in variables.items() if k != "$ResourceLink.id.history" and v not in ("", None)}
    known |= _course_variables(facts) | _assignment_variables(facts) | _user_variables(facts)
    return spec_custom(facts, known)


def _user_variables(facts: MessageFacts) -> dict[str, object]:
    person = facts.person
    held = enrolled_roles(person, facts.course)
    known: dict[str, object] = {
        "$Canvas.user.id": number_of(person.id),
        "$com.instructure.User.student_view": "TestUser" in held,
        "$Canvas.membership.roles": ",".join(f"{role}Enrollment" for role in held),
        "$Canvas.environment.test": facts.state.switch("environment") != "prod",
    }
    if facts.tool.privacy in ("public", "name_only") and person.sourced_id:
        known |= {"$Canvas.user.sisSourceId": person.sourced_id}
    if facts.tool.privacy == "public" and person.username:
        known |= {"$Canvas.user.loginId": person.username}
    return known


def _course_variables(facts: MessageFacts) -> dict[str, object]:
    course = facts.course
    if course is None:
        return {}
    return {
        "$Canvas.course.id": number_of(course.id),
        "$Canvas.course.name": course.title,
        "$Canvas.course.workflowState": "completed" if course.concluded else "available",
        "$Canvas.api.baseUrl": facts.state.base_url,
        "$Canvas.api.domain": facts.state.base_url.partition("://")[2],
    }


def _assignment_variables(facts: MessageFacts) -> dict[str, object]:
    link = facts.link
    items = facts.state.line_items_of(link.id) if link else []
    if link is None or not items:
        return {}
    item = items[0]
    known: dict[str, object] = {
        "$Canvas.assignment.id": number_of(item.id),
        "$Canvas.assignment.title": item.label,
        "$Canvas.assignment.pointsPossible": plain_number(item.score_maximum),
        "$Canvas.assignment.published": item.published,
        "$LineItem.resultValue.max": plain_number(item.score_maximum),
        "$com.instructure.Assignment.lti.id": link.id,
    }
    if item.end:
        known["$Canvas.assignment.dueAt.iso8601"] = item.end
    if item.allowed_attempts is not None:
        known["$Canvas.assignment.allowedAttempts"] = item.allowed_attempts
    return known
