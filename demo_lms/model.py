"""What the demo LMS keeps: people, courses, links, columns, scores, tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from .keys import TokenForm
from .names import ALL_SCOPES

Privacy = Literal["public", "name_only", "email_only", "anonymous"]


@dataclass
class Person:
    """Somebody with an account. ``id`` is also the ``sub`` of their tokens unless the dialect differs."""

    id: str
    name: str
    given_name: str = ""
    family_name: str = ""
    email: str = ""
    username: str = ""
    sourced_id: str = ""
    locale: str = "en"
    extra_roles: list[str] = field(default_factory=list)
    """Institution and system role URIs, sent with every message."""
    past_ids: list[str] = field(default_factory=list)
    """Ids of accounts that were merged into this one."""
    anonymous: bool = False
    """Nobody in particular: a visitor of a public course."""


@dataclass
class Enrolment:
    """A person in a course. ``roles`` are the LMS's own names (keys of ``names.ROLE_URIS``) or URIs."""

    roles: list[str]
    active: bool = True
    mentees: list[str] = field(default_factory=list)


@dataclass
class Page:
    """A page of text in a course, so that the course is not only links."""

    title: str
    text: str
    module: str


@dataclass
class Course:
    id: str
    title: str
    label: str = ""
    organization: str = ""
    enrolments: dict[str, Enrolment] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    concluded: bool = False
    """A concluded course takes no more scores."""
    published: bool = True
    unpublished_modules: list[str] = field(default_factory=list)
    """Modules that only staff see."""
    grading_categories: list[str] = field(default_factory=lambda: ["Assignments"])
    linked: str = ""
    """Sections with the same word here are one course to their teacher."""
    deployment_ids: dict[str, str] = field(default_factory=dict)
    """Of tools installed in this very course: deployment by client id."""
    history: list[str] = field(default_factory=list)
    """Ids of the courses this one was copied from, newest first."""


@dataclass
class Link:
    """Something in a course that opens a tool (``kind`` ltiResourceLink) or plain content."""

    id: str
    course_id: str
    client_id: str
    deployment_id: str
    title: str = ""
    text: str = ""
    url: str = ""
    kind: str = "ltiResourceLink"
    html: str = ""
    custom: dict[str, Any] = field(default_factory=dict)
    module: str = "Micro-credentials"
    new_window: bool = False
    height: int | None = None
    available: dict[str, str] = field(default_factory=dict)
    submission: dict[str, str] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    icon: str = ""
    published: bool = True
    deep_linked: bool = False
    line_item_elsewhere: str = ""
    """Id of the column this link uses, though it belongs to a linked section's link."""


@dataclass
class PlannedItem:
    """A content item as the LMS will make it: a link, and with ``column`` its gradebook column."""

    link: dict[str, Any]
    """Fields of :class:`Link`; ``title`` among them."""
    column: dict[str, Any] | None = None
    """Fields of :class:`LineItem`; ``label`` and ``score_maximum`` among them."""


@dataclass
class Draft:
    """What a picker answered, waiting in a form until the teacher saves it."""

    id: str
    person_id: str
    course_id: str
    client_id: str
    deployment_id: str
    items: list[PlannedItem]
    publishable: bool = False
    """The form offers "Save and publish" beside "Save"; otherwise saved content is visible at once."""


@dataclass
class Grade:
    """One cell of the gradebook: what the platform shows now for a person in a column."""

    score: float | None = None
    maximum: float = 1.0
    """The maximum that ``score`` was given against; the shown value is rescaled to the column."""
    comment: str = ""
    activity_progress: str = ""
    grading_progress: str = ""
    scoring_user_id: str = ""
    timestamp: str = ""
    """Of the last update that was applied, as the tool wrote it."""
    started_at: str = ""
    submitted_at: str = ""
    from_teacher: bool = False
    """The score was last set in the gradebook, not by the tool."""
    from_tool: bool = False
    """The tool sent something for this cell."""
    tool_maximum: float | None = None
    """``scoreMaximum`` of the tool's last update that had one."""
    flag: str = ""
    """A mark a teacher put beside the grade: Missing, Incomplete, Excused."""
    comments: list[str] = field(default_factory=list)
    """Every comment of the tool, where the LMS keeps them all."""
    attempts: int = 0
    late: bool = False
    needs_review: bool = False
    submission_type: str = ""
    submission_data: str = ""
    files: list[str] = field(default_factory=list)


@dataclass
class ScoreEvent:
    """One line of a cell's history."""

    at: datetime
    person_id: str
    source: Literal["tool", "teacher"]
    body: dict[str, Any]
    applied: bool
    note: str = ""


@dataclass
class LineItem:
    """A gradebook column."""

    id: str
    course_id: str
    client_id: str
    label: str
    score_maximum: float
    resource_link_id: str | None = None
    resource_id: str = ""
    tag: str = ""
    start: str = ""
    end: str = ""
    grades_released: bool | None = None
    submission_review: dict[str, Any] | None = None
    extensions: dict[str, Any] = field(default_factory=dict)
    made_by_tool: bool = False
    """Made by the line item service, not by a person or by deep linking."""
    published: bool = True
    in_gradebook: bool = True
    """False: takes scores that nobody sees."""
    allowed_attempts: int | None = None
    submission_type: str = ""
    grades: dict[str, Grade] = field(default_factory=dict)
    history: list[ScoreEvent] = field(default_factory=list)


@dataclass
class Tool:
    """A registered tool (a client). ``jwks`` in place of ``jwks_url`` needs no network."""

    client_id: str
    login_url: str
    redirect_uris: list[str]
    jwks_url: str = ""
    deep_link_url: str = ""
    launch_url: str = ""
    name: str = "Micro-credentials"
    deployments: list[str] = field(default_factory=lambda: ["1"])
    scopes: list[str] = field(default_factory=lambda: list(ALL_SCOPES))
    """What the platform allows this tool; a token holds the asked ones among these."""
    claimed_scopes: list[str] | None = None
    """What the AGS claim offers, where it should differ from ``scopes``."""
    privacy: Privacy = "public"
    custom: dict[str, str] = field(default_factory=dict)
    jwks: dict[str, Any] | None = None
    enabled: bool = True
    """Switched on. Some LMSs leave a registered tool off until somebody activates it."""
    in_chooser: bool = True
    """Offered to teachers who add content."""
    placements: list[str] = field(default_factory=list)
    """Where the tool appears besides course content, by the LMS's own names."""
    notice_handlers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Per deployment: the tool's address for each type of notice."""
    signing_kid: str = ""
    """Sign this tool's tokens with that published key, not the current one."""


@dataclass
class AccessToken:
    client_id: str
    scopes: list[str]
    expires_at: datetime


@dataclass
class RegistrationToken:
    """Leave to register one tool, once."""

    expires_at: datetime
    client_id: str
    used: bool = False


@dataclass
class Message:
    """A message waiting for the browser to come by the authorization endpoint (``lti_message_hint``)."""

    type: str
    person_id: str
    client_id: str
    deployment_id: str
    target_link_uri: str
    expires_at: datetime
    course_id: str | None = None
    link_id: str | None = None
    line_item_id: str | None = None
    for_user_id: str | None = None
    return_id: str | None = None
    placement: str = ""
    """The place in the LMS, beside course content, that was launched from."""
    document_target: str = "iframe"
    claims: dict[str, object] = field(default_factory=dict)
    token: TokenForm | None = None
    form: dict[str, object] = field(default_factory=dict)
    used: bool = False


@dataclass
class DeepLinkVisit:
    """One visit to a tool's picker: what was asked, and where its answer may come."""

    id: str
    person_id: str
    course_id: str
    client_id: str
    deployment_id: str
    settings: dict[str, Any]
    module: str
    placement: str = ""
    name: str = ""
    """What the teacher had typed as a name before opening the picker."""
    used: bool = False
    claims: dict[str, Any] | None = None
    """The verified answer, once it came."""
