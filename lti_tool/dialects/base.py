"""The shape of a dialect: what to send, how to read the answer, what a launch means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from lti_tool.dialects import choosing, mending
from lti_tool.dialects.registering import Registering

Verdict = Literal["delivered", "accepted", "retry", "throttled", "too_old", "blocked", "unknown"]
CommentRule = Literal["always", "when_changed"]

CANVAS_SUBMISSION = "https://canvas.instructure.com/lti/submission"

FINAL_MOMENTS = frozenset({"awarded", "denied", "appeal_won", "appeal_lost", "revoked"})
"""Moments whose score is final; every platform must record it (AGS 3.4.8)."""
ALL_MOMENTS = FINAL_MOMENTS | {
    "opened",
    "submitted",
    "incomplete",
    "revisions_requested",
    "withdrawn",
    "appeal_opened",
}


@dataclass(frozen=True)
class Reading:
    """How an answer to a score is to be understood."""

    verdict: Verdict
    reason: str | None = None
    """For `blocked`: scope_missing, line_item_missing, user_not_in_course, course_closed, auth_failed,
    config_error.
    """
    after: float | None = None
    """For `retry` and `throttled`: seconds the platform asked us to wait, if it said so."""


Classify = Callable[[int, Mapping[str, str], bytes], Reading]


def as_it_is(score: dict[str, Any], moment: str, correction: bool) -> dict[str, Any]:
    """A score as the specification has it."""
    return score


@dataclass(frozen=True)
class Dialect:
    """One LMS. Data first; a function only where data cannot say it."""

    name: str
    classify: Classify
    service_hosts: tuple[str, ...] = ()
    """Hosts that the LMS's services use for every customer."""
    moments: frozenset[str] = ALL_MOMENTS
    """Moments of the workflow that are told to the gradebook."""
    comment: CommentRule = "always"
    """`when_changed`: an unchanged comment is not sent again (Canvas appends every one)."""
    only_changes: bool = False
    """A score is sent only when its number or comment changed (Schoology wipes teachers' flags on each post).
    """
    reads_before_correcting: bool = False
    """A correction first reads the result, so that a teacher's own grade is not fought."""
    pages_line_items: bool = True
    """Whether `limit` may be sent and `Link` followed (Moodle's paging links are broken; unpaged is
    complete).
    """
    nobody: str = "nobody-connection-check"
    """A user id that no user has, for the test of a connection (Moodle breaks down at one that is no number).
    """
    escapes_members: bool = False
    """Whether names and addresses in its roster carry HTML entities (Moodle's `format_string`), though those
    of launches do not.
    """
    link_names_column: bool = False
    """Whether the column that comes with a chosen link is called like the link: Canvas names the assignment
    by the line item's label, Moodle the column by the activity.
    """
    binds_line_items: bool = False
    """Whether a line item made for a link that has none names it (`resourceLinkId`): in Canvas and Moodle
    a second item of one link is hidden, or hides the `lineitem` claim.
    """
    registering: Registering = field(default_factory=Registering)
    """How the tool is registered there."""
    says_of_links: choosing.Say = choosing.plain
    """What somebody who chooses links should know of what this LMS makes of them."""
    mending: Mapping[str, str] = field(default_factory=lambda: mending.PLAIN)
    """What to change there when something does not work, by trouble (`mending.PLAIN` has all)."""
    learner_word: str = "learner"
    """What it calls the role that can have grades."""
    shape_score: Callable[[dict[str, Any], str, bool], dict[str, Any]] = as_it_is
    """Add the LMS's own members to a score: (score, moment, is a correction of a delivered one)."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a `Retry-After` header (RFC 9110 10.2.3); None where absent or unreadable.

    A moment is counted from the answer's own `Date`: the clock that set it is the platform's.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text[:9])
    until, sent = _moment(text), _moment(headers.get("Date", ""))
    return max(0.0, (until - sent).total_seconds()) if until is not None and sent is not None else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def mentions(body: bytes, *words: str) -> bool:
    """Whether an answer's text holds one of the words, whatever its case."""
    text = body[:4096].decode("utf-8", "replace").lower()
    return any(word in text for word in words)
