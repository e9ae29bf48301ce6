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
    signing_kid: str = ""
    """Sign this tool's tokens with that published key, not the current one."""


@dataclass
class AccessToken:
    client_id: str
    scopes: list[str]
    expires_at: datetime


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
    used: bool = False
    claims: dict[str, Any] | None = None
    """The verified answer, once it came."""
