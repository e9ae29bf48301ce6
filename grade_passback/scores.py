"""From a moment of the workflow to the exact scores of the gradebook columns, or to nothing. Pure.

The plain specification follows the product table "Moment"; a dialect narrows it. Two rules hold everywhere:
a number is
never sent before a decision, and a post without a score never follows one with a score, for it would erase
the grade
(AGS 3.4.4).

Rounding: whole credential and parts are 1 of 1, `hundred` is 100 of 100, rubric points are whole, the
graduate percent has one decimal, halves to the even neighbour; a stack counts whole micro-credentials.
Bonus: no scheme gives one. A score above its maximum would be sent as it is; the platform must accept it
(AGS 3.4.4). All of it for people: docs/grades.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

from grade_passback.comments import stack_comment
from lti_tool.dialects import Dialect
from microcred.credentials import Definition, StackProgress, evaluate, points
from microcred.placements import MAIN, STACK

MOMENTS = (
    "opened",
    "submitted",
    "incomplete",
    "revisions_requested",
    "withdrawn",
    "awarded",
    "denied",
    "appeal_opened",
    "appeal_won",
    "appeal_lost",
    "revoked",
)
STACK_MOMENTS = ("awarded", "appeal_won", "revoked")
"""After these another number of micro-credentials may be earned."""
Number = int | float

_STATUS: Mapping[str, tuple[str, str]] = {
    "opened": ("Started", "NotReady"),
    "submitted": ("Submitted", "PendingManual"),
    "incomplete": ("InProgress", "NotReady"),
    "revisions_requested": ("InProgress", "NotReady"),
    "withdrawn": ("Started", "NotReady"),
}
_FINAL = ("Completed", "FullyGraded")
_APPEAL = ("Submitted", "PendingManual")


@dataclass(frozen=True)
class Score:
    """Points of a maximum, as they stand in a gradebook. Both finite, given at least 0, maximum above 0."""

    given: Number
    maximum: Number

    def __post_init__(self) -> None:
        if not (math.isfinite(self.given) and math.isfinite(self.maximum)):
            raise ValueError("a score is a finite number")
        if self.given < 0 or self.maximum <= 0:
            raise ValueError("a score is at least 0, of a maximum above 0")

    def equals(self, given: Number, maximum: Number) -> bool:
        """Whether the same share of the maximum, whatever the scale (platforms rescale)."""
        return maximum > 0 and math.isclose(
            self.given / self.maximum, given / maximum, rel_tol=1e-6, abs_tol=1e-6
        )


def score_of(content: Mapping[str, Any]) -> Score | None:
    """The number in a score as it is kept and sent; None where there is none."""
    return Score(content["scoreGiven"], content["scoreMaximum"]) if "scoreGiven" in content else None


@dataclass(frozen=True)
class ScoreDraft:
    """One post to one column, without user and timestamp. `score` None says that there is none (AGS
    3.4.4)."""

    tag: str
    activity_progress: str
    grading_progress: str
    score: Score | None = None
    comment: str | None = None
    not_before: datetime | None = None
    """A zero waits until the window for appeals has closed."""
    submitted_at: datetime | None = None
    """When the try was handed in (AGS 3.4.10). Canvas makes one attempt of it, however often it is posted."""

    @property
    def is_final(self) -> bool:
        """Whether a platform must record it (AGS 3.4.8), with a number."""
        return self.grading_progress == "FullyGraded" and self.score is not None


@dataclass(frozen=True)
class GradeFacts:
    """What the mapping needs to know. `tags` are the columns that exist, `previous` the newest score of
    each."""

    scheme: str
    tags: Sequence[str]
    part_ids: Sequence[str]
    passed_parts: frozenset[str] = frozenset()
    points: Score | None = None
    """Rubric points of the whole credential, of the highest possible."""
    denied_as: Literal["blank", "zero"] = "blank"
    revoked_as: Literal["keep", "zero"] = "keep"
    zero_from: datetime | None = None
    """The end of the window for appeals; None: at once."""
    previous: Mapping[str, Score] = field(default_factory=dict)
    submitted_at: datetime | None = None


def facts_of(
    definition: Definition,
    ratings: Mapping[str, str],
    *,
    scheme: str,
    tags: Sequence[str],
    locked_parts: Sequence[str] = (),
    denied_as: Literal["blank", "zero"] = "blank",
    zero_from: datetime | None = None,
    revoked_as: Literal["keep", "zero"] = "keep",
    previous: Mapping[str, Score] | None = None,
    submitted_at: datetime | None = None,
) -> GradeFacts:
    """The facts of a credential with these ratings (criterion id to level key); locked parts passed in an
    earlier try."""
    given = points(definition, ratings)
    return GradeFacts(
        scheme=scheme,
        tags=tags,
        part_ids=[part.id for part in definition.parts],
        passed_parts=frozenset(evaluate(definition, ratings).passed_parts) | frozenset(locked_parts),
        points=Score(given.given, given.maximum) if given.maximum else None,
        denied_as=denied_as,
        revoked_as=revoked_as,
        zero_from=zero_from,
        previous=previous or {},
        submitted_at=submitted_at,
    )


def score_for(moment: str, facts: GradeFacts, comment: str | None, dialect: Dialect) -> list[ScoreDraft]:
    """What to post at `moment`: at most one draft for each column, but for a zero that waits behind a
    blank."""
    drafts = [draft for tag in facts.tags for draft in _column(moment, facts, tag, comment)]
    if moment not in dialect.moments:
        drafts = [draft for draft in drafts if draft.is_final]
    # A post without a score erases the one that stands there.
    return [draft for draft in drafts if draft.score is not None or draft.tag not in facts.previous]


def score_for_stack(
    moment: str, progress: StackProgress, previous: Score | None, on: date
) -> ScoreDraft | None:
    """What the column of a stack hears: how many of its micro-credentials are earned, of how many it wants.

    Only an award or its end changes the count, and nobody gets a first score of 0. It is a final score
    however few they are, since Canvas and Moodle keep no other; `on` is the day of `moment`.
    """
    if moment not in STACK_MOMENTS or (progress.earned == 0 and previous is None):
        return None
    activity = "Completed" if progress.is_complete else "InProgress"
    score = Score(progress.earned, progress.needed)
    return ScoreDraft(STACK, activity, "FullyGraded", score, stack_comment(moment, progress, on))


def _column(moment: str, facts: GradeFacts, tag: str, comment: str | None) -> list[ScoreDraft]:
    previous = facts.previous.get(tag)
    match moment:
        case "awarded" | "appeal_won":
            return [ScoreDraft(tag, *_FINAL, _full(facts, tag), comment)]
        case "denied":
            return _denied(facts, tag, comment)
        case "appeal_opened":
            return [ScoreDraft(tag, *_APPEAL, previous, comment)]
        case "appeal_lost":
            if previous is not None:
                return [ScoreDraft(tag, *_FINAL, previous, comment)]
            return _denied(replace(facts, zero_from=None), tag, comment)
        case "revoked":
            if previous is None:
                return []
            score = Score(0, previous.maximum) if facts.revoked_as == "zero" else previous
            return [ScoreDraft(tag, *_FINAL, score, comment)]
        case "submitted":
            return [ScoreDraft(tag, *_STATUS[moment], None, comment, submitted_at=facts.submitted_at)]
        case "revisions_requested" if tag in facts.passed_parts:
            return [ScoreDraft(tag, *_FINAL, Score(1, 1), "Passed.")]
    return [ScoreDraft(tag, *_STATUS[moment], None, comment)]


def _denied(facts: GradeFacts, tag: str, comment: str | None) -> list[ScoreDraft]:
    """Blank, or a zero that is never sent before the window for appeals has closed; a passed part stays
    passed."""
    if facts.scheme == "per_part" and tag in facts.passed_parts:
        return [ScoreDraft(tag, *_FINAL, Score(1, 1), "Passed.")]
    blank = ScoreDraft(tag, *_FINAL, None, comment)
    if facts.denied_as == "blank":
        return [blank]
    zero = ScoreDraft(tag, *_FINAL, Score(0, _maximum(facts, tag)), comment, facts.zero_from)
    return [zero] if facts.zero_from is None else [blank, zero]


def _full(facts: GradeFacts, tag: str) -> Score:
    """The score of a credential that was earned."""
    if tag != MAIN or facts.scheme in ("complete", "per_part"):
        return Score(1, 1)
    if facts.scheme == "hundred" or facts.points is None:
        return Score(100, 100)
    if facts.scheme == "rubric_points":
        return Score(round(facts.points.given), round(facts.points.maximum))
    return Score(round(100 * facts.points.given / facts.points.maximum, 1), 100)


def _maximum(facts: GradeFacts, tag: str) -> Number:
    return _full(facts, tag).maximum
