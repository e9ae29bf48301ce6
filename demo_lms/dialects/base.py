"""What may differ between LMSs, as data and short functions. The defaults are the plain specification.

A hook that is None stands for the specification's own procedure, which lives in the module named beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..errors import USUAL, DeepLinkError, OAuthError
from ..model import (
    Course,
    DeepLinkVisit,
    Enrolment,
    Grade,
    LineItem,
    Link,
    Message,
    Person,
    PlannedItem,
    Tool,
)
from ..names import AGS_SCOPES, COURSE_OFFERING, MEMBERSHIP, ROLE_URIS

if TYPE_CHECKING:
    from ..state import State


@dataclass(frozen=True)
class MessageFacts:
    """What a dialect may look at when it shapes a login or a token."""

    state: State
    message: Message
    person: Person
    tool: Tool
    course: Course | None
    link: Link | None


@dataclass(frozen=True)
class ScoreFacts:
    """A score update on its way into a cell of the gradebook."""

    state: State
    item: LineItem
    grade: Grade
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """How an authorization request is refused: a page of the platform, or a form post to the tool."""

    how: Literal["page", "post"]
    error: str
    description: str
    """May name the wrong parameters: ``{name}``."""
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
    keep_dates: bool = True
    answered_once: bool = True
    """A return address takes one answer."""


@dataclass(frozen=True)
class TokenRules:
    """What the token endpoint asks of a client assertion, and how it answers."""

    refused_status: int = 401
    check_jti: bool = True
    check_audience: bool = True
    max_age: int | None = 300
    all_scopes_or_none: bool = False
    """One scope that is not allowed refuses the whole request; otherwise the others are granted."""
    media_type: str = "application/json"
    token_type: str = "Bearer"
    jwks_seconds: int = 0
    """How long a tool's keys are kept; they are read again at once when a signature fails."""


@dataclass(frozen=True)
class RegistrationRules:
    """Dynamic registration. Hooks of None: ``registration.py``."""

    offered: bool = True
    status: int = 201
    token_in_query: bool = False
    """The configuration address carries the registration token, and asks for it."""
    new_token: Callable[[State, str], str] = lambda state, client_id: state.token()
    new_client_id: Callable[[State], str] = lambda state: f"tool-{state.token()[:12]}"
    configuration: Callable[[State, dict[str, Any]], dict[str, Any]] = lambda state, config: config
    check: Callable[[Any], None] | None = None
    """Raises OAuthError for a body that is not acceptable."""
    finish: Callable[[State, Tool, dict[str, Any], dict[str, Any]], dict[str, Any]] = (
        lambda state, tool, body, answer: answer
    )
    """Changes the new tool, and gives the answer from the body that was sent and the usual answer."""
    refusal: Callable[[OAuthError], tuple[int, str, str] | None] = lambda error: None
    """Status, media type and text of a refusal; None for the usual JSON."""


@dataclass(frozen=True)
class Throttle:
    """A leaky bucket for each client; how much it holds is the switch ``rate_limit`` (0: no limit)."""

    leak: float
    """What runs out in a second."""
    upfront: float
    """Held while a request is under way."""
    cost: float
    """What stays of it afterwards."""


@dataclass(frozen=True)
class ScoreOutcome:
    """What a score did: ``changes`` go into the cell; ``note`` stands in its history."""

    changes: dict[str, Any]
    note: str


@dataclass
class DeepLinkPlan:
    """What a response asks to be made. ``held``: a teacher must save it first."""

    items: list[PlannedItem] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    """By the item's place in the list (from 0): why it cannot be made."""
    held: bool = False
    publishable: bool = False
    unpublished_module: str = ""
    """A module to be made for these items, hidden from learners."""


@dataclass(frozen=True)
class Paging:
    """How a page of a list is asked for. Hooks of None: ``services.py``."""

    limits: tuple[str, ...] = ("limit",)
    cursor: str = "pAge"
    encode: Callable[[int], str] | None = None
    decode: Callable[[str], int] | None = None
    drops: tuple[str, ...] = ()
    """Parameters that the address of the next page loses."""
    link: Callable[[str, str], str] = lambda service, url: f'<{url}>; rel="next"'
    """The Link header of a service's page."""


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


@dataclass(frozen=True)
class Dialect:
    """The facts of one LMS. A dialect's module names the source of each."""

    name: str
    title: str
    product_family_code: str
    version: str = "1"
    paths: Mapping[str, str] = field(default_factory=lambda: PATHS)
    switches: Mapping[str, object] = field(default_factory=dict)
    """What sites and versions of this LMS differ in, with the usual value; see ``State.switches``."""
    role_words: Mapping[str, str] = field(default_factory=dict)
    """This LMS's words for roles, on its pages."""
    program_ids: tuple[str, str] = ("demo-tool", "demo-deployment")
    """Client id and deployment id of the tool where the LMS runs as a program."""
    menu_placement: str = ""
    """The placement that puts a tool into a course's menu."""
    flags: tuple[str, ...] = ()
    """Marks a teacher can put beside a grade."""

    # ids
    new_id: Callable[[State, str], str] = lambda state, kind: state.token()
    """A new id; kinds: link, line_item, deployment."""
    new_kid: Callable[[State, int], str] = lambda state, number: f"demo-{number}"
    """The id of a new signing key, by its number."""
    context_id: Callable[[Course], str] = lambda course: course.id
    course_path_id: Callable[[Course], str] = lambda course: course.id
    """How service addresses name a course."""
    tool_path_id: Callable[[Tool], str] = lambda tool: tool.client_id
    subject: Callable[[Person, Course | None], str] = spec_subject
    also_known_as: Callable[[Person], list[str]] = lambda person: []
    """Other user ids that the score service takes."""

    # login and authorization
    login_method: Literal["POST", "GET"] = "POST"
    login_fields: Callable[[MessageFacts], dict[str, str]] = spec_login_fields
    login_hint: Callable[[Person], str] = lambda person: person.id
    hint: Callable[[MessageFacts, str], str] = lambda facts, token: token
    """``lti_message_hint`` of a message, made around a token of chance."""
    storage_target: str = "_parent"
    """Sent as ``lti_storage_target`` where platform storage is switched on; "" is never sent."""
    storage_partitions: bool = False
    """Any origin may store, each on its own; otherwise only the tool's may."""
    page_messages: tuple[str, ...] = ()
    """More subjects of window messages that the launch page answers."""
    hint_seconds: int = 300
    authorization_checks: tuple[str, ...] = tuple(SPEC_PROBLEMS)
    """Keys of ``login.CHECKS`` in order; the first that fails answers by ``problems``."""
    required_parameters: tuple[str, ...] = ("nonce", "login_hint", "lti_message_hint")
    redirect_matches: Callable[[str, list[str]], bool] = spec_redirect_matches
    problems: Mapping[str, Problem] = field(default_factory=lambda: SPEC_PROBLEMS)
    entry_checks: tuple[str, ...] = ()
    """With a path for ``authorize``: what ``auth`` checks before it redirects there."""
    repost_parameter: str = "repost"
    clean: Callable[[str], str] = lambda text: text
    """What becomes of ``state`` and ``nonce`` on their way through."""
    always_state: bool = False
    """An authorization response has a ``state`` even if the request had none."""
    refuses_launch: Callable[[MessageFacts], str] = lambda facts: ""
    """Why the LMS shows a page of its own in place of this launch, or ""."""

    # id_token
    token_seconds: int = 300
    aud_as_list: bool = False
    roles: Callable[[State, Person, Course | None], list[str]] = spec_roles
    context_type: tuple[str, ...] = (COURSE_OFFERING,)
    custom: Callable[[MessageFacts, Mapping[str, object]], dict[str, object]] = spec_custom
    claimed_item: Callable[[Link, list[LineItem]], LineItem | None] = spec_claimed_item
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
    return_url: Callable[[State, DeepLinkVisit], str] = spec_return_url
    find_visit: Callable[[State, Mapping[str, str], Mapping[str, str]], str] = spec_find_visit
    """The visit that a return address (its path's ids and its query) belongs to; DeepLinkError if it lies."""
    finish_settings: Callable[[dict[str, object], DeepLinkVisit], dict[str, object]] = spec_settings
    deep_link_rules: DeepLinkRules = DeepLinkRules()
    check_response: Callable[[State, DeepLinkVisit, str], dict[str, Any]] | None = None
    """The verified claims of a response; DeepLinkError. None: ``deep_linking.py``."""
    plan_items: Callable[[State, DeepLinkVisit, dict[str, Any]], DeepLinkPlan] | None = None
    """What to make of a response's claims. None: ``deep_linking.py``."""
    deep_link_refusal: Callable[[DeepLinkError], tuple[int, object]] | None = None
    """Status and JSON of a refused response; None: a page."""

    # services
    service_query: Callable[[str, Tool], str] = lambda endpoint, tool: ""
    """Query string that a service URL of this tool carries, without "?"."""
    accepts: Callable[[str, str | None, str], int] | None = None
    """(endpoint, Accept header, media type): 0, or the status of a refusal. None: exactly the type."""
    strict_content_type: bool = True
    wrong_type_status: int = 415
    paging: Paging = Paging()
    page_sizes: Mapping[str, int] = field(default_factory=dict)
    """By service (``lineitems``, ``results``, ``memberships``), where a request names no limit; else all."""
    max_page_sizes: Mapping[str, int] = field(default_factory=dict)
    throttle: Throttle | None = None
    token_rules: TokenRules = TokenRules()
    find_client: Callable[[State, str], Tool] | None = None
    """The tool that signed a client assertion; OAuthError. None: ``tokens.py``."""
    access_token: Callable[[State, Tool, list[str]], str] = lambda state, tool, scopes: state.token()
    oauth_error: Callable[[OAuthError], str] | None = None
    """The text of a token refusal; None: the JSON of RFC 6749."""
    token_refusals: Mapping[str, tuple[int, str]] = field(default_factory=lambda: TOKEN_REFUSALS)
    """Why an access token is no good for a request: status and sentence."""
    says_www_authenticate: bool = True
    error_body: Callable[[int, str], object] = spec_error_body
    """What a refused service request is answered with, as JSON."""
    error_type: str = "application/problem+json"
    error_reason: Callable[[int, str, str], tuple[int, str] | None] = lambda status, message, body: None
    """(status, message, request body): the status to send, and its reason phrase; a success says ``[]``."""
    check_course: Callable[[State, Course], None] = lambda state, course: None
    """Raises ServiceError where a course takes no AGS requests at all."""
    foreign_item_status: Mapping[str, int] = field(default_factory=dict)
    """By endpoint: the answer where a line item is another tool's; 0 lets it pass. Otherwise 404."""
    create_item: Callable[[State, Tool, Course, Any], LineItem] | None = None
    echoes_new_items: bool = False
    """A new line item is answered with what was posted and its id, whatever was kept."""
    change_item: Callable[[State, LineItem, Any], LineItem] | None = None
    delete_status: Callable[[LineItem], int] = lambda item: 204
    """The answer to a DELETE; a 4xx keeps the line item."""
    item_json: Callable[[State, LineItem, dict[str, Any]], dict[str, Any]] = spec_item_json
    check_score: Callable[[State, LineItem, Any], str] | None = None
    """The person a score is for, if it may be taken; ServiceError. None: ``ags.py``."""
    score: Callable[[ScoreFacts], ScoreOutcome] = spec_score
    """May raise ServiceError; nothing has changed then."""
    score_status: int = 200
    score_body: Callable[[State, LineItem, Grade, str], object] = lambda state, item, grade, url: None
    """The answer to an accepted score, from its result's address; None for an empty one."""
    read_time: Callable[[Any], Any] | None = None
    """The moment a timestamp means, None if it means none; None: ISO 8601 with a zone."""
    timestamp_step: float = 0.0
    """Timestamps are compared in whole steps of so many seconds; 0 compares them exactly."""
    equal_timestamp_is_stale: bool = True
    stale_status: int = 409
    stale_body: object = USUAL
    stale_message: str = "The timestamp is not newer than that of the last update."
    """``{new}`` and ``{old}`` stand for the timestamps."""
    unknown_user_status: int = 404
    not_a_learner_status: int = 403
    concluded_status: int = 403
    result_path_id: Callable[[Person], str] = lambda person: person.id
    result_json: Callable[[State, LineItem, Grade, dict[str, Any]], dict[str, Any] | None] = spec_result_json
    """None: this result is not shown."""
    allows_result_limit: bool = True
    member_roles: Callable[[State, Person, Course], list[str]] = spec_member_roles
    has_role: Callable[[list[str], str], bool] = spec_has_role
    member: Callable[[dict[str, Any], Person, Enrolment], dict[str, Any] | None] = spec_member
    """None: this person is not listed."""
    find_rlid: Callable[[State, Tool, Course, str], Link | None] | None = None
    """The link that ``rlid`` names, None for the course itself; ServiceError. None: ``members.py``."""
    member_message: Callable[[State, Link | None, Tool, Person], list[dict[str, Any]]] | None = None
    key_problem: Callable[[list[dict[str, Any]], str], str] = lambda keys, kid: ""
    """What this LMS dislikes in a tool's key set, though the specification does not; "" for nothing."""
    registration: RegistrationRules = RegistrationRules()
    ags_scopes: tuple[str, ...] = AGS_SCOPES
    more_scopes: tuple[str, ...] = ()
    """Scopes beyond AGS and NRPS that a tool may be given."""
    after_copy: Callable[[State, Course, Course], None] = lambda state, old, new: None
    reviews_submissions: bool = True


TOKEN_REFUSALS: Mapping[str, tuple[int, str]] = {
    "missing": (401, "The access token is missing, unknown or expired."),
    "unknown": (401, "The access token is missing, unknown or expired."),
    "expired": (401, "The access token is missing, unknown or expired."),
    "inactive": (401, "The tool is switched off."),
    "scope": (403, "The access token lacks the scope."),
}
