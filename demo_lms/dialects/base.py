"""What may differ between LMSs, as data and short functions. The defaults are the plain specification.

A hook that is None stands for the specification's own procedure, which lives in the module named beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..errors import USUAL, DeepLinkError, OAuthError
from ..model import Course, DeepLinkVisit, Enrolment, Grade, LineItem, Link, Person, Tool
from ..names import AGS_SCOPES, COURSE_OFFERING
from .parts import (
    DeepLinkPlan,
    DeepLinkRules,
    MessageFacts,
    Paging,
    Problem,
    RegistrationRules,
    ScoreFacts,
    ScoreOutcome,
    Throttle,
    TokenRules,
)
from .spec import (
    PATHS,
    SPEC_PROBLEMS,
    TOKEN_REFUSALS,
    spec_claimed_item,
    spec_claims,
    spec_custom,
    spec_error_body,
    spec_find_visit,
    spec_has_role,
    spec_item_json,
    spec_login_fields,
    spec_member,
    spec_member_roles,
    spec_redirect_matches,
    spec_result_json,
    spec_return_url,
    spec_roles,
    spec_score,
    spec_settings,
    spec_subject,
)

if TYPE_CHECKING:
    from ..state import State


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
    deep_link_rules: DeepLinkRules = field(default_factory=DeepLinkRules)
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
    paging: Paging = field(default_factory=Paging)
    page_sizes: Mapping[str, int] = field(default_factory=dict)
    """By service (``lineitems``, ``results``, ``memberships``), where a request names no limit; else all."""
    max_page_sizes: Mapping[str, int] = field(default_factory=dict)
    throttle: Throttle | None = None
    token_rules: TokenRules = field(default_factory=TokenRules)
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
    delete_status: Callable[[State, LineItem], int] = lambda state, item: 204
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
    lists_member: Callable[[State, Link, Enrolment], bool] = lambda state, link, enrolment: True
    """Whether ``rlid`` leaves a person in the list of members."""
    member_message: Callable[[State, Link | None, Tool, Person], list[dict[str, Any]]] | None = None
    key_problem: Callable[[list[dict[str, Any]], str], str] = lambda keys, kid: ""
    """What this LMS dislikes in a tool's key set, though the specification does not; "" for nothing."""
    registration: RegistrationRules = field(default_factory=RegistrationRules)
    ags_scopes: tuple[str, ...] = AGS_SCOPES
    more_scopes: tuple[str, ...] = ()
    """Scopes beyond AGS and NRPS that a tool may be given."""
    after_copy: Callable[[State, Course, Course], None] = lambda state, old, new: None
    reviews_submissions: bool = True
