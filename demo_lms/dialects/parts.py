"""The pieces of a dialect: what it is told, what its hooks give back, and its sets of rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..errors import OAuthError
from ..model import Course, Grade, LineItem, Link, Message, Person, PlannedItem, Tool

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
