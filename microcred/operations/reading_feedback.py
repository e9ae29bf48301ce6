"""Feedback as the teacher reads it: the decision, a level for every point, what to fix and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.definition import Definition
from microcred.credentials.models import Attempt, Decision, Rating, Review
from microcred.credentials.schema import Criterion, Level, Part
from microcred.operations.errors import NotFound
from microcred.operations.reading_teacher import Loaded

SHOWN = ("award", "deny", "request_revisions", "appeal_award", "appeal_uphold", "revoke")
"""Kinds of decision that a teacher reads; a return to the reviewer stays inside."""


@dataclass(frozen=True)
class Comment:
    """What a reader wrote about a point."""

    body: str
    reader: int
    """1, 2 ... in the order of reading; 0 where no other reading counts, or all wrote the same."""
    level: Level | None
    """The level this reader gave, where it is not the one that counts."""


@dataclass(frozen=True)
class Point:
    """One point reviewers look for, as it was read."""

    part: Part
    criterion: Criterion
    level: Level | None
    comments: tuple[Comment, ...]
    before: Level | None
    """The level in the try before; None where there was none or it is the same."""

    @property
    def passes(self) -> bool:
        return self.level is not None and self.level.passes

    @property
    def place_id(self) -> str:
        """The box it belongs to, or the part itself: `p1-q2`, else `p4`."""
        return place_of(self.part, self.criterion)

    @property
    def where(self) -> str:
        """`Part 1, question 2`, `Part 4`."""
        number = next((n for n, prompt in enumerate(self.part.prompts, 1) if prompt.id == self.place_id), 0)
        question = f", question {number}" if number and len(self.part.prompts) > 1 else ""
        return f"Part {self.part.number}{question}"


@dataclass(frozen=True)
class PastTry:
    """One decided try, for comparing."""

    number: int
    decided_at: datetime


@dataclass(frozen=True)
class Feedback:
    """What came back for one try."""

    number: int
    decided_at: datetime
    decision: str
    reason: str
    rows: tuple[tuple[Part, tuple[Point, ...]], ...]
    tries: tuple[PastTry, ...]
    """Every decided try, oldest first."""
    is_newest: bool
    readers: int
    """How many readings count."""
    stands: bool
    """An appeal against this request for changes was read, and it stands."""

    @property
    def points(self) -> tuple[Point, ...]:
        """All points, in order."""
        return tuple(point for _, points in self.rows for point in points)

    @property
    def fixes(self) -> tuple[Point, ...]:
        """What does not pass yet."""
        return tuple(point for point in self.points if not point.passes)

    @property
    def passed_parts(self) -> tuple[Part, ...]:
        """Parts of which every point passes."""
        return tuple(part for part, points in self.rows if all(point.passes for point in points))

    @property
    def open_parts(self) -> tuple[Part, ...]:
        """Parts with something to fix."""
        return tuple(part for part, points in self.rows if not all(point.passes for point in points))

    def of_part(self, part_id: str) -> tuple[Point, ...]:
        """The points of one part."""
        return tuple(point for point in self.points if point.part.id == part_id)


@dataclass(frozen=True)
class Readings:
    """The readings that count, each as ratings by criterion id."""

    counts: Mapping[str, Rating]
    """The one whose levels count."""
    each: tuple[Mapping[str, Rating], ...]
    """All that came to the same result, in the order of reading; what was overruled is left out."""


def place_of(part: Part, criterion: Criterion) -> str:
    """Where feedback on a criterion is pinned.

    A part with as many criteria as questions, each asked once, has one criterion a question; else it is
    the part.
    """
    asked_once = all(prompt.repeat_per is None for prompt in part.prompts)
    if asked_once and len(part.criteria) == len(part.prompts):
        return part.prompts[part.criteria.index(criterion)].id
    return part.id


def feedback(session: Session, loaded: Loaded, number: int | None = None) -> Feedback:
    """The feedback on the newest decided try, or on try `number`. Raises NotFound."""
    found = newest_feedback(session, loaded, number)
    if found is None:
        raise NotFound("no_feedback", "There is no feedback yet. You will find it here after the decision.")
    return found


def newest_feedback(session: Session, loaded: Loaded, number: int | None = None) -> Feedback | None:
    """As `feedback`, None where nothing has been decided."""
    decided = list(
        session.scalars(
            select(Attempt)
            .where(Attempt.pursuit_id == loaded.pursuit.id, Attempt.decided_at.is_not(None))
            .order_by(Attempt.number)
        )
    )
    chosen = [one for one in decided if number is None or one.number == number]
    if not chosen:
        return None
    attempt = chosen[-1]
    decision = session.scalar(
        select(Decision)
        .where(Decision.attempt_id == attempt.id, Decision.kind.in_(SHOWN))
        .order_by(Decision.id.desc())
        .limit(1)
    )
    earlier = next((one for one in decided if one.number == attempt.number - 1), None)
    given = readings(session, attempt, decision)
    before = readings(session, earlier, None).counts if earlier is not None else {}
    assert attempt.decided_at is not None
    kind = decision.kind if decision is not None else "request_revisions"
    stands = decision is not None and kind == "appeal_uphold" and _was_about_revisions(session, decision)
    return Feedback(
        number=attempt.number,
        decided_at=attempt.decided_at,
        decision="request_revisions" if stands else kind,
        reason=decision.reason if decision is not None else "",
        rows=_rows(loaded.definition, given, before),
        tries=tuple(PastTry(one.number, one.decided_at) for one in decided if one.decided_at is not None),
        is_newest=attempt.number == decided[-1].number,
        readers=len(given.each),
        stands=stands,
    )


def _was_about_revisions(session: Session, decision: Decision) -> bool:
    before = session.get(Decision, decision.supersedes_id) if decision.supersedes_id is not None else None
    return before is not None and before.kind == "request_revisions"


def _rows(
    definition: Definition, given: Readings, before: Mapping[str, Rating]
) -> tuple[tuple[Part, tuple[Point, ...]], ...]:
    rows = []
    for part in definition.parts:
        points = []
        for criterion in part.criteria:
            level = _level(definition, criterion, given.counts.get(criterion.id))
            was = _level(definition, criterion, before.get(criterion.id))
            changed = was if level is not None and was is not None and was.key != level.key else None
            comments = _comments(definition, criterion, level, given.each)
            points.append(Point(part, criterion, level, comments, changed))
        rows.append((part, tuple(points)))
    return tuple(rows)


def _level(definition: Definition, criterion: Criterion, rating: Rating | None) -> Level | None:
    if rating is None or rating.level is None:
        return None
    return definition.scales[criterion.scale].level(rating.level)


def _comments(
    definition: Definition, criterion: Criterion, counts: Level | None, each: Sequence[Mapping[str, Rating]]
) -> tuple[Comment, ...]:
    said = [
        (number, rating)
        for number, ratings in enumerate(each, 1)
        if (rating := ratings.get(criterion.id)) is not None and rating.comment
    ]
    # Comments of a part that was kept came along from an earlier try into every reading.
    alone = len(each) == 1 or (len(said) > 1 and len({rating.comment for _, rating in said}) == 1)
    found = []
    for number, rating in said[:1] if alone else said:
        level = _level(definition, criterion, rating)
        differs = level is not None and counts is not None and level.key != counts.key
        found.append(Comment(rating.comment, 0 if alone else number, level if differs else None))
    return tuple(found)


def readings(session: Session, attempt: Attempt, decision: Decision | None) -> Readings:
    """The readings that a decision rests on; without one, those that agree with the newest finished one."""
    finished = session.scalars(
        select(Review)
        .where(Review.attempt_id == attempt.id, Review.finished_at.is_not(None))
        .order_by(Review.finished_at, Review.id)
    ).all()
    if not finished:
        return Readings({}, ())
    counts = next((one for one in finished if decision and one.id == decision.review_id), finished[-1])
    same = [one for one in finished if one.recommendation == counts.recommendation]
    ratings: dict[int, dict[str, Rating]] = {one.id: {} for one in same}
    for row in session.scalars(select(Rating).where(Rating.review_id.in_(ratings))):
        ratings[row.review_id][row.criterion_id] = row
    in_order = sorted(same, key=lambda one: one.id)
    return Readings(ratings[counts.id], tuple(ratings[one.id] for one in in_order))
