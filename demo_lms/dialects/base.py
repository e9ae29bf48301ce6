"""What may differ between LMSs, as data and short functions. The defaults are the plain specification."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..model import Course, DeepLinkVisit, Grade, LineItem, Link, Message, Person, Tool
from ..names import COURSE_OFFERING, ROLE_URIS


@dataclass(frozen=True)
class MessageFacts:
    """What a dialect may look at when it shapes a login or a token."""

    message: Message
    person: Person
    tool: Tool
    course: Course | None
    link: Link | None


@dataclass(frozen=True)
class Problem:
    """How an authorization request is refused: a page of the platform, or a form post to the tool."""

    how: Literal["page", "post"]
    error: str
    description: str
    status: int = 400


@dataclass(frozen=True)
class DeepLinkRules:
    """Which claims of a deep linking response are checked, and what happens to its items."""

    required: tuple[str, ...] = ("iss", "aud", "iat", "exp", "nonce")
    max_age: int | None = 600
    """Seconds since ``iat``."""
    check_nonce: bool = True
    check_envelope: bool = True
    """deployment_id, message_type, version and data must be right."""
    strict_items: bool = True
    """One wrong item refuses the whole response."""
    label_names_link: bool = False
    """``lineItem.label`` beats ``title`` as the link's name."""
    keep_dates: bool = True


@dataclass(frozen=True)
class TokenRules:
    """What the token endpoint asks of a client assertion, and how it refuses."""

    refused_status: int = 401
    check_jti: bool = True
    check_audience: bool = True
    max_age: int | None = 300
    all_scopes_or_none: bool = False
    """One scope that is not allowed refuses the whole request; otherwise the others are granted."""
    media_type: str = "application/json"


@dataclass(frozen=True)
class ScoreOutcome:
    """What a score did: ``changes`` go into the cell; ``note`` stands in its history."""

    changes: dict[str, Any]
    note: str


def spec_login_fields(facts: MessageFacts) -> dict[str, str]:
    """The optional members of a login initiation, beside iss, login_hint, hint and target."""
    return {"client_id": facts.tool.client_id, "lti_deployment_id": facts.message.deployment_id}


def spec_subject(person: Person, course: Course | None) -> str:
    return person.id


def spec_redirect_matches(given: str, registered: list[str]) -> bool:
    return given in registered


def spec_claims(claims: dict[str, object], facts: MessageFacts) -> dict[str, object]:
    return claims


def spec_settings(settings: dict[str, object], visit: DeepLinkVisit) -> dict[str, object]:
    return settings


def spec_error_body(status: int, message: str) -> object:
    return {"status": status, "title": message}


def spec_roles(names: list[str]) -> list[str]:
    """Role URIs, in order and once each; a name the LMS does not know is taken as a URI."""
    uris = [uri for name in names for uri in ROLE_URIS.get(name, (name,))]
    return list(dict.fromkeys(uris))


def spec_score(grade: Grade, body: Mapping[str, Any]) -> ScoreOutcome:
    """AGS 3.4: only FullyGraded is recorded, a missing score clears, a missing comment clears."""
    given = body.get("scoreGiven")
    changes: dict[str, Any] = {"comment": str(body.get("comment") or "").strip()}
    if given is None:
        note = "no score in the update: the tool's score was cleared"
        if not grade.from_teacher:
            changes["score"] = None
    elif body["gradingProgress"] == "FullyGraded":
        note = "score recorded"
        changes |= {"score": float(given), "maximum": float(body["scoreMaximum"]), "from_teacher": False}
    else:
        note = "score is not final: not recorded"
    return ScoreOutcome(changes, note)


@dataclass(frozen=True)
class Dialect:
    """The facts of one LMS. A dialect's module names the source of each."""

    name: str
    title: str
    product_family_code: str
    version: str = "1"

    # login and authorization
    login_method: Literal["POST", "GET"] = "POST"
    login_fields: Callable[[MessageFacts], dict[str, str]] = spec_login_fields
    login_hint: Callable[[Person], str] = lambda person: person.id
    storage_target: str = "_parent"
    """Sent as ``lti_storage_target`` where platform storage is switched on."""
    hint_seconds: int = 300
    required_parameters: tuple[str, ...] = ("nonce", "login_hint", "lti_message_hint")
    redirect_matches: Callable[[str, list[str]], bool] = spec_redirect_matches
    problems: Mapping[str, Problem] = field(default_factory=lambda: dict(SPEC_PROBLEMS))
    """By cause: see ``SPEC_PROBLEMS``."""

    # id_token
    token_seconds: int = 300
    aud_as_list: bool = False
    subject: Callable[[Person, Course | None], str] = spec_subject
    roles: Callable[[list[str]], list[str]] = spec_roles
    context_type: tuple[str, ...] = (COURSE_OFFERING,)
    finish_claims: Callable[[dict[str, object], MessageFacts], dict[str, object]] = spec_claims
    """Vendor claims added, others taken away; runs before a test's overrides."""

    # deep linking: settings by placement, first is the default
    deep_link_settings: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {
            "course": {
                "accept_types": ["ltiResourceLink", "link"],
                "accept_presentation_document_targets": ["iframe", "window"],
                "accept_multiple": True,
                "accept_lineitem": True,
                "auto_create": True,
            }
        }
    )
    sends_data: bool = True
    finish_settings: Callable[[dict[str, object], DeepLinkVisit], dict[str, object]] = spec_settings
    deep_link_rules: DeepLinkRules = DeepLinkRules()

    # services
    service_query: Callable[[Tool], str] = lambda tool: ""
    """Query string that every service URL of this tool carries, without "?"."""
    strict_accept: bool = True
    """A GET must name exactly the service's media type in Accept."""
    page_sizes: Mapping[str, int] = field(default_factory=dict)
    """By service (``lineitems``, ``results``, ``memberships``), where a request names no limit; else all."""
    max_page_sizes: Mapping[str, int] = field(default_factory=dict)
    token_rules: TokenRules = TokenRules()
    refused_scope_status: int = 403
    error_body: Callable[[int, str], object] = spec_error_body
    """What a refused service request is answered with, as JSON."""
    score: Callable[[Grade, Mapping[str, Any]], ScoreOutcome] = spec_score
    score_status: int = 200
    score_body: Callable[[str], object] = lambda result_url: None
    """The answer to an accepted score, None for an empty one."""
    timestamp_step: float = 0.0
    """Timestamps are compared in whole steps of so many seconds; 0 compares them exactly."""
    equal_timestamp_is_stale: bool = True
    stale_status: int = 409
    unknown_user_status: int = 404
    not_a_learner_status: int = 403
    concluded_status: int = 403
    delete_status: Callable[[LineItem], int] = lambda item: 204
    """The answer to a DELETE; a 4xx keeps the line item."""
    member_roles: Callable[[list[str]], list[str]] = spec_roles
    reviews_submissions: bool = True


SPEC_PROBLEMS: Mapping[str, Problem] = {
    "client": Problem("page", "invalid_client", "No tool is registered with this client_id."),
    "redirect_uri": Problem("page", "invalid_request", "This redirect_uri is not registered for the tool."),
    "repeated": Problem("page", "invalid_request", "A parameter was sent more than once."),
    "inactive": Problem("post", "unauthorized_client", "The tool is switched off."),
    "scope": Problem("post", "invalid_scope", "scope must be openid."),
    "response_type": Problem("post", "unsupported_response_type", "response_type must be id_token."),
    "response_mode": Problem("post", "invalid_request", "response_mode must be form_post."),
    "prompt": Problem("post", "invalid_request", "prompt must be none."),
    "missing": Problem("post", "invalid_request", "A required parameter is missing: {name}."),
    "no_session": Problem("post", "login_required", "Nobody is signed in."),
    "login_hint": Problem("post", "login_required", "login_hint is not the person who is signed in."),
    "hint_unknown": Problem("post", "invalid_request", "lti_message_hint is not known."),
    "hint_used": Problem("post", "invalid_request", "lti_message_hint was used before."),
    "hint_expired": Problem("post", "invalid_request", "lti_message_hint has expired."),
    "hint_client": Problem("post", "unauthorized_client", "lti_message_hint belongs to another tool."),
}
