"""The plain specification as data and short functions: what a dialect does where it says nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..model import Course, DeepLinkVisit, Enrolment, Grade, LineItem, Link, Person
from ..names import MEMBERSHIP, ROLE_URIS
from .parts import MessageFacts, Problem, ScoreFacts, ScoreOutcome

if TYPE_CHECKING:
    from ..state import State

PATHS: Mapping[str, str] = {
    "auth": "/auth",
    "token": "/token",
    "jwks": "/jwks",
    "openid_configuration": "/.well-known/openid-configuration",
    "register": "/register",
    "deep_link_return": "/deep-link/<visit_id>",
    "lineitems": "/api/lti/courses/<course_id>/lineitems",
    "lineitem": "/api/lti/courses/<course_id>/lineitems/<item_id>",
    "scores": "/api/lti/courses/<course_id>/lineitems/<item_id>/scores",
    "results": "/api/lti/courses/<course_id>/lineitems/<item_id>/results",
    "result": "/api/lti/courses/<course_id>/lineitems/<item_id>/results/<person_id>",
    "memberships": "/api/lti/courses/<course_id>/memberships",
}
"""Where each endpoint answers. Others that a dialect may add: ``authorize``, ``progress``, ``notices``."""


SPEC_PROBLEMS: Mapping[str, Problem] = {
    "client": Problem("page", "invalid_client", "No tool is registered with this client_id."),
    "redirect_uri": Problem("page", "invalid_request", "This redirect_uri is not registered for the tool."),
    "inactive": Problem("post", "unauthorized_client", "The tool is switched off."),
    "scope": Problem("post", "invalid_scope", "scope must be openid."),
    "response_type": Problem("post", "unsupported_response_type", "response_type must be id_token."),
    "response_mode": Problem("post", "invalid_request", "response_mode must be form_post."),
    "prompt": Problem("post", "invalid_request", "prompt must be none."),
    "missing": Problem("post", "invalid_request", "A required parameter is missing: {name}."),
    "no_session": Problem("post", "login_required", "Nobody is signed in."),
    "login_hint": Problem("post", "login_required", "login_hint is not the person who is signed in."),
    "hint_unknown": Problem("post", "invalid_request", "lti_message_hint is not known."),
    "hint_client": Problem("post", "unauthorized_client", "lti_message_hint belongs to another tool."),
    "hint_used": Problem("post", "invalid_request", "lti_message_hint was used before."),
    "hint_expired": Problem("post", "invalid_request", "lti_message_hint has expired."),
}
"""What is checked of an authorization request, in this order: strict wherever the documents say must."""


def spec_login_fields(facts: MessageFacts) -> dict[str, str]:
    """The optional members of a login initiation, beside iss, login_hint, hint and target."""
    return {"client_id": facts.tool.client_id, "lti_deployment_id": facts.message.deployment_id}


def spec_subject(person: Person, course: Course | None) -> str:
    return person.id


def spec_redirect_matches(given: str, registered: list[str]) -> bool:
    return given in registered


def spec_claims(claims: dict[str, object], facts: MessageFacts) -> dict[str, object]:
    return claims


def spec_custom(facts: MessageFacts, variables: Mapping[str, object]) -> dict[str, object]:
    """Tool-wide parameters under the link's own; known variables replaced, others left as written."""
    merged: dict[str, object] = {**facts.tool.custom, **(facts.link.custom if facts.link else {})}
    return {k: variables.get(v, v) if isinstance(v, str) else v for k, v in merged.items()}


def spec_settings(settings: dict[str, object], visit: DeepLinkVisit) -> dict[str, object]:
    return settings


def spec_return_url(state: State, visit: DeepLinkVisit) -> str:
    return state.endpoint_url("deep_link_return", visit_id=visit.id)


def spec_find_visit(state: State, ids: Mapping[str, str], query: Mapping[str, str]) -> str:
    return ids.get("visit_id", "")


def spec_error_body(status: int, message: str) -> object:
    return {"status": status, "title": message}


def role_uris(names: list[str]) -> list[str]:
    """Role URIs, in order and once each; a name the LMS does not know is taken as a URI."""
    uris = [uri for name in names for uri in ROLE_URIS.get(name, (name,))]
    return list(dict.fromkeys(uris))


def enrolled_roles(person: Person, course: Course | None) -> list[str]:
    """The LMS's own names of a person's roles in a course."""
    enrolment = course.enrolments.get(person.id) if course else None
    return enrolment.roles if enrolment else []


def spec_roles(state: State, person: Person, course: Course | None) -> list[str]:
    return role_uris(enrolled_roles(person, course)) + person.extra_roles


def spec_member_roles(state: State, person: Person, course: Course) -> list[str]:
    return role_uris(enrolled_roles(person, course))


def spec_has_role(roles: list[str], wanted: str) -> bool:
    return (wanted if "#" in wanted else f"{MEMBERSHIP}#{wanted}") in roles


def spec_member(member: dict[str, Any], person: Person, enrolment: Enrolment) -> dict[str, Any] | None:
    return member


def spec_claimed_item(link: Link, items: list[LineItem]) -> LineItem | None:
    """The one column of a link; None where there is none or more than one (AGS 3.1)."""
    return items[0] if len(items) == 1 else None


def submission_dates(grade: Grade, body: Mapping[str, Any]) -> dict[str, str]:
    """What becomes of the dates: they last until the activity goes back before them (AGS 3.4.10)."""
    progress, submission = body["activityProgress"], body.get("submission") or {}
    started = "" if progress == "Initialized" else grade.started_at
    submitted = "" if progress in ("Initialized", "Started", "InProgress") else grade.submitted_at
    return {
        "started_at": str(submission.get("startedAt") or started),
        "submitted_at": str(submission.get("submittedAt") or submitted),
    }


def spec_score(facts: ScoreFacts) -> ScoreOutcome:
    """AGS 3.4: only FullyGraded is recorded, a missing score clears, a missing comment clears."""
    body, given = facts.body, facts.body.get("scoreGiven")
    changes: dict[str, Any] = {"comment": str(body.get("comment") or "").strip()}
    changes |= submission_dates(facts.grade, body)
    if given is None:
        note = "no score in the update: the tool's score was cleared"
        if not facts.grade.from_teacher:
            changes["score"] = None
    elif body["gradingProgress"] == "FullyGraded":
        note = "score recorded"
        changes |= {"score": float(given), "maximum": float(body["scoreMaximum"]), "from_teacher": False}
    else:
        note = "score is not final: not recorded"
    return ScoreOutcome(changes, note)


def spec_item_json(state: State, item: LineItem, members: dict[str, Any]) -> dict[str, Any]:
    return members


def spec_result_json(
    state: State, item: LineItem, grade: Grade, members: dict[str, Any]
) -> dict[str, Any] | None:
    return members


TOKEN_REFUSALS: Mapping[str, tuple[int, str]] = {
    "missing": (401, "The access token is missing, unknown or expired."),
    "unknown": (401, "The access token is missing, unknown or expired."),
    "expired": (401, "The access token is missing, unknown or expired."),
    "inactive": (401, "The tool is switched off."),
    "scope": (403, "The access token lacks the scope."),
}
