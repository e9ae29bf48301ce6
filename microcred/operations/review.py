"""What a reviewer does: take a try, rate it, finish with what the passing rule makes of the ratings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.errors import NotInCatalogue
from microcred.credentials.models import Attempt, Rating, Review
from microcred.credentials.passing import evaluate
from microcred.credentials.steps import Action, State
from microcred.credentials.workflow import SYSTEM, Party
from microcred.operations import assigning, consequences, double_scoring
from microcred.operations.access import Access, require
from microcred.operations.actor import Actor
from microcred.operations.assigning import Chance
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.operations.judging import clean, facts, planned
from microcred.operations.reading_queue import FREE, READING, WAITING
from microcred.operations.reading_review import (
    Piece,
    find_attempt,
    levels,
    ratings_of,
    review_of,
    uncommented,
)
from microcred.people import audit

RECOMMENDED = {"award": Action.RECOMMEND_AWARD, "revise": Action.REQUEST_REVISIONS}


class NotReady(OperationRefused):
    """The review cannot be finished as it stands; every rating is kept."""


@dataclass(frozen=True)
class Entry:
    """What to save for one criterion; None leaves it as it is."""

    level: str | None = None
    comment: str | None = None


def start(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Take a try and begin to read: the teacher can no longer withdraw it. A second click changes nothing.

    Raises NotFound, NotAllowed, and OperationRefused (`taken`) to whoever comes second.
    """
    attempt = find_attempt(session, public_id, lock=True)
    review = review_of(session, actor, attempt)
    if review is None:
        review = take(session, actor, attempt, now)
    else:
        require(session, actor, attempt, Access.RATE)
    if attempt.state in WAITING or attempt.state == State.RETURNED_TO_REVIEWER:
        _begin(session, actor, attempt, review, now)
    elif attempt.state in READING and review.started_at is None:
        _begin_reading(session, attempt, review, now)
        audit.record(
            session,
            at=now,
            actor_id=actor.own_id,
            action="review_started",
            subject=("attempt", attempt.id),
            before=attempt.state,
            after=attempt.state,
            detail={"reading": review.place},
        )


def take(session: Session, actor: Actor, attempt: Attempt, now: datetime) -> Review:
    """Assign a waiting try to the actor. Raises NotFound, NotAllowed, OperationRefused (`taken`, ...)."""
    require(session, actor, attempt, Access.TAKE_REVIEW)
    barred = assigning.bar_for(session, actor.person_ids, attempt, now)
    if barred is not None:
        raise NotAllowed(barred.code, barred.message)
    if assigning.active_reviews(session, attempt):
        raise OperationRefused(
            "taken",
            "Another reviewer has just taken this one. Nothing is lost; your queue shows what is free.",
        )
    if attempt.state not in FREE:
        raise OperationRefused(
            "not_waiting", "This does not wait for a reviewer any more. Your queue shows what is free."
        )
    return assigning.assign(session, attempt, actor.own_id, now, place="first", because=None)


def save_ratings(
    session: Session,
    actor: Actor,
    public_id: str,
    entries: Mapping[str, Entry],
    *,
    private_note: str | None = None,
    now: datetime,
) -> None:
    """Keep levels and comments by criterion id, and the private note.

    Raises NotFound, NotAllowed, OperationRefused.
    """
    attempt, review, definition = _on_my_desk(session, actor, public_id, now)
    planned(facts(session, attempt, reviewer_ids=[actor.person_id]), Action.RATE, Party(actor.person_id))
    rows = {
        row.criterion_id: row for row in session.scalars(select(Rating).where(Rating.review_id == review.id))
    }
    for criterion_id, entry in entries.items():
        part_id = _rateable(definition, attempt, criterion_id, entry.level)
        row = rows.get(criterion_id)
        if row is None:
            row = Rating(
                review_id=review.id, part_id=part_id, criterion_id=criterion_id, comment="", rated_at=now
            )
            session.add(row)
        row.level = entry.level or row.level
        row.comment = row.comment if entry.comment is None else clean(entry.comment)
        row.rated_at = now
    if private_note is not None:
        review.private_note = clean(private_note)
    session.flush()


def finish(
    session: Session, actor: Actor, public_id: str, expected: str, now: datetime, *, chance: Chance
) -> str:
    """Finish the review; gives the recommendation, `award` or `revise`, which follows from the passing rule.

    What follows may be a second reading (drawn by `chance`, or of a borderline result), or a third where two
    differ; else the issuer decides, or the teacher revises. `expected` is what the reviewer saw before the
    click: ratings that changed since, in another tab, must be looked at again. A second click gives the same
    answer. Raises NotReady while something is missing, NotFound, NotAllowed, OperationRefused.
    """
    attempt = find_attempt(session, public_id, lock=True)
    review = review_of(session, actor, attempt)
    if review is not None and review.recommendation is not None and review.recommendation == expected:
        return review.recommendation
    attempt, review, definition = _on_my_desk(session, actor, public_id, now)
    given = ratings_of(session, review)
    outcome = evaluate(definition, levels(given))
    recommendation = "award" if outcome.passed else "revise"
    if outcome.passed is not None and recommendation != expected:
        raise NotReady(
            "ratings_changed",
            "Your ratings have changed since this page was made. Look at them once more, then finish.",
        )
    about = facts(
        session,
        attempt,
        reviewer_ids=[actor.person_id],
        outcome=outcome,
        uncommented=len(uncommented(definition, frozenset(attempt.locked_parts), given)),
    )
    try:
        plan = planned(about, RECOMMENDED[recommendation], Party(actor.person_id))
    except OperationRefused as refused:
        raise NotReady(refused.code, f"{refused.message} Your ratings are saved.") from refused
    review.recommendation, review.finished_at = recommendation, now
    session.flush()
    further = double_scoring.further_reading(session, attempt, review, definition, now, chance)
    if further is None:
        consequences.apply(session, attempt, plan, actor_id=actor.own_id, now=now, review=review)
    else:
        plan = planned(about, further, SYSTEM)
        consequences.apply(session, attempt, plan, actor_id=None, now=now)
    return recommendation


def record_opening(session: Session, actor: Actor, piece: Piece, now: datetime) -> None:
    """Put on record that the actor opened a piece of evidence."""
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action="evidence_opened",
        subject=("evidence_item", piece.row_id),
    )


def _begin(session: Session, actor: Actor, attempt: Attempt, review: Review, now: datetime) -> None:
    _begin_reading(session, attempt, review, now)
    plan = planned(
        facts(session, attempt, reviewer_ids=[actor.person_id]), Action.START_REVIEW, Party(actor.person_id)
    )
    consequences.apply(session, attempt, plan, actor_id=actor.own_id, now=now, review=review)


def _begin_reading(session: Session, attempt: Attempt, review: Review, now: datetime) -> None:
    if review.started_at is None:
        review.started_at = now
        _carry_ratings(session, attempt, review)


def _carry_ratings(session: Session, attempt: Attempt, review: Review) -> None:
    """Copy the ratings of kept parts from the newest finished review: this one is then whole."""
    if not attempt.locked_parts:
        return
    earlier = session.execute(
        select(Rating)
        .join(Review, Review.id == Rating.review_id)
        .join(Attempt, Attempt.id == Review.attempt_id)
        .where(
            Attempt.pursuit_id == attempt.pursuit_id,
            Attempt.number < attempt.number,
            Review.finished_at.is_not(None),
            Rating.part_id.in_(attempt.locked_parts),
        )
        .order_by(Attempt.number, Review.id)
    ).scalars()
    newest = {rating.criterion_id: rating for rating in earlier}
    for rating in newest.values():
        session.add(
            Rating(
                review_id=review.id,
                part_id=rating.part_id,
                criterion_id=rating.criterion_id,
                level=rating.level,
                comment=rating.comment,
                rated_at=rating.rated_at,
            )
        )
    session.flush()


def _on_my_desk(
    session: Session, actor: Actor, public_id: str, now: datetime
) -> tuple[Attempt, Review, Definition]:
    """The try, locked, with the actor's own open review; one that was sent back is begun again."""
    attempt = find_attempt(session, public_id, lock=True)
    require(session, actor, attempt, Access.RATE)
    review = review_of(session, actor, attempt)
    assert review is not None  # what `require` has just established
    if review.recommendation is not None:
        raise OperationRefused("finished", "You have finished this review; nothing was changed.")
    if attempt.state == State.RETURNED_TO_REVIEWER:
        _begin(session, actor, attempt, review, now)
    return attempt, review, definition_of(session, attempt.pursuit.version)


def _rateable(definition: Definition, attempt: Attempt, criterion_id: str, level: str | None) -> str:
    """The part of a criterion that may be rated at this level. Raises NotFound, OperationRefused."""
    try:
        part, criterion = definition.criterion(criterion_id)
        if level:
            definition.level(criterion, level)
    except NotInCatalogue as unknown:
        raise NotFound(
            unknown.code, "There is no such point or level here; nothing was changed."
        ) from unknown
    if part.id in attempt.locked_parts:
        raise OperationRefused(
            "part_kept", f"Part {part.number} passed in an earlier try and is kept as it was."
        )
    return part.id
