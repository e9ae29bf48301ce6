"""Looking after a try so that its decision comes in time: assigns it where nobody took it, gives it to
somebody else where it lies, and tells the teacher a new day before the old one slips.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.credentials.due import add_business_days
from microcred.credentials.models import Attempt, Decision, Pursuit, Rating, Review
from microcred.credentials.steps import Action, State
from microcred.credentials.workflow import SYSTEM
from microcred.database import Clock
from microcred.operations import assigning, consequences, double_scoring
from microcred.operations.assigning import Chance
from microcred.operations.judging import facts, planned
from microcred.operations.reading_review import find_attempt
from microcred.operations.review_watch import (
    ANNOUNCE_AT,
    REASSIGN_AT,
    RESTS_AFTER,
    SOONEST,
    TAKE_OVER_AT,
    plan,
    share,
)
from microcred.people import policies
from microcred.placements import Placement

NEW_DAY = 2
"""Business days until the decision that is announced when the first day slips."""
_AGAIN = timedelta(hours=6)
"""Where nobody may read a try, it is tried again so often."""
_PLACES = {
    State.SUBMITTED: "first",
    State.CHECKING: "first",
    State.IN_REVIEW: "first",
    State.RETURNED_TO_REVIEWER: None,
    State.SECOND_REVIEW: "second",
    State.ADJUDICATION: "third",
    State.RECOMMENDED: None,
    State.APPEAL_OPEN: None,
}
"""Which reading a state waits for; None where nobody is looked for, or where the try itself says which."""
_BECAUSE = {"first": None, "second": "policy", "third": "disagreement"}


def handler(clock: Clock, chance: Chance) -> outbox.Handler:
    """Handler of kind `review_watch`: what it does is stored together with the row's result."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        def record(session: Session) -> None:
            public_id = session.scalar(
                select(Attempt.public_id).where(Attempt.id == int(job.payload["attempt"]))
            )
            if public_id is not None:
                since = datetime.fromisoformat(job.payload["since"])
                look_after(session, public_id, since, clock.now(), chance)

        return outbox.Delivered(record=record)

    return handle


def look_after(session: Session, public_id: str, since: datetime, now: datetime, chance: Chance) -> None:
    """Do what a try needs now, and plan the next look; nothing once it is decided or taken back.

    `since` is when the time until its decision began.
    """
    attempt = find_attempt(session, public_id, lock=True)
    if State(attempt.state) not in _PLACES or attempt.decision_due_at is None:
        return
    since = _announce(session, attempt, since, now) or since
    following = [share(since, attempt.decision_due_at, ANNOUNCE_AT)]
    place = _PLACES[State(attempt.state)]
    if attempt.state == State.RETURNED_TO_REVIEWER:
        place = _returned(session, attempt)
    if place is not None:
        following.append(_see_to_a_reader(session, attempt, place, since, now, chance))
    plan(session, attempt, since, now, max(min(following), now + SOONEST))


def _announce(session: Session, attempt: Attempt, since: datetime, now: datetime) -> datetime | None:
    """Tell the teacher a new day where the old one will not be kept; when the new time begins, or None."""
    assert attempt.decision_due_at is not None
    if now < share(since, attempt.decision_due_at, ANNOUNCE_AT):
        return None
    pursuit = session.get_one(Pursuit, attempt.pursuit_id)
    placement = session.get_one(Placement, pursuit.placement_id)
    attempt.decision_due_at = add_business_days(
        max(now, attempt.decision_due_at),
        NEW_DAY,
        policies.zone_of(session, placement.organization_id),
        policies.holidays_of(session, placement.organization_id),
    )
    for review in assigning.active_reviews(session, attempt):
        if review.finished_at is None:
            review.due_at = attempt.decision_due_at
    _turn(session, attempt, Action.ANNOUNCE_DELAY, now)
    return now


def _see_to_a_reader(
    session: Session, attempt: Attempt, place: str, since: datetime, now: datetime, chance: Chance
) -> datetime:
    """Assign, or give to somebody else; gives when to look again."""
    here = [one for one in assigning.active_reviews(session, attempt) if one.place == place]
    if not here:
        free_until = _free_until(session, attempt, since) if place == "first" else now
        if now < free_until:
            return free_until
        given = double_scoring.read_by_another(
            session, attempt, now, chance, place=place, because=_BECAUSE[place]
        )
        if given is None:
            return now + _AGAIN
        _turn(session, attempt, Action.REASSIGN, now)
        return _lies_from(session, given)
    review = here[-1]
    if review.finished_at is not None:
        return now + _AGAIN
    lies_from = _lies_from(session, review)
    if now < lies_from:
        return lies_from
    return _give_to_another(session, attempt, review, now, chance)


def _give_to_another(
    session: Session, attempt: Attempt, review: Review, now: datetime, chance: Chance
) -> datetime:
    """With nobody else who may read it, it stays where it is."""
    other = assigning.next_reader(session, attempt, now, chance)
    if other is None:
        return now + _AGAIN
    assigning.release(review, "late", now)
    given = assigning.assign(session, attempt, other, now, place=review.place, because=review.asked_because)
    _turn(session, attempt, Action.REASSIGN, now)
    return _lies_from(session, given)


def _free_until(session: Session, attempt: Attempt, since: datetime) -> datetime:
    assert attempt.decision_due_at is not None
    rules = policies.reviewing_of(session, attempt.pursuit.version.credential.issuer_id)
    return share(since, attempt.decision_due_at, rules.take_percent / 100)


def _returned(session: Session, attempt: Attempt) -> str | None:
    """Which reading the approver sent back."""
    return next(
        (one.place for one in assigning.active_reviews(session, attempt) if one.finished_at is None), None
    )


def _lies_from(session: Session, review: Review) -> datetime:
    """From when a review counts as lying: not begun at 60 % of its time, or resting for a day after 80 %.
    One that was sent back begins to rest then.
    """
    if review.started_at is None:
        return share(review.assigned_at, review.due_at, REASSIGN_AT)
    touched = session.scalar(select(func.max(Rating.rated_at)).where(Rating.review_id == review.id))
    returned = session.scalar(
        select(func.max(Decision.decided_at)).where(
            Decision.review_id == review.id, Decision.kind == "return_to_reviewer"
        )
    )
    last = max(moment for moment in (review.started_at, touched, returned) if moment is not None)
    return max(share(review.assigned_at, review.due_at, TAKE_OVER_AT), last + RESTS_AFTER)


def _turn(session: Session, attempt: Attempt, action: Action, now: datetime) -> None:
    turn = planned(facts(session, attempt, reviewer_ids=[]), action, SYSTEM)
    consequences.apply(session, attempt, turn, actor_id=None, now=now)
