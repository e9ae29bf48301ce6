"""What a reviewer says beside the ratings: something the issuer must look at, or that they know who it is."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.models import Attempt
from microcred.credentials.review_models import ReviewConflict, ReviewFlag
from microcred.credentials.steps import Action
from microcred.credentials.workflow import SYSTEM
from microcred.operations import assigning, consequences
from microcred.operations.access import Access, require
from microcred.operations.actor import Actor
from microcred.operations.assigning import Chance
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.judging import clean, facts, planned
from microcred.operations.reading_decide import require_decider
from microcred.operations.reading_flags import KINDS
from microcred.operations.reading_review import find_attempt, review_of
from microcred.people import audit


def raise_flag(session: Session, actor: Actor, public_id: str, kind: str, detail: str, now: datetime) -> None:
    """Put a flag on a try that the actor reviews. Raises NotFound, NotAllowed, OperationRefused
    (`unknown_flag`, `detail_missing`).
    """
    attempt = find_attempt(session, public_id, lock=True)
    require(session, actor, attempt, Access.RATE)
    if kind not in KINDS:
        raise OperationRefused("unknown_flag", "Choose what is wrong; nothing was sent.")
    if not (detail := clean(detail)):
        raise OperationRefused("detail_missing", "Say in a sentence what you saw and where.")
    session.add(
        ReviewFlag(attempt_id=attempt.id, raised_by_id=actor.own_id, kind=kind, detail=detail, raised_at=now)
    )
    _record(session, actor, "flag_raised", attempt, now, kind)


def settle(session: Session, actor: Actor, public_id: str, flag_id: int, now: datetime) -> None:
    """Mark a flag as looked at, as the approver; once is enough. Raises NotFound, NotAllowed."""
    attempt = find_attempt(session, public_id, lock=True)
    require_decider(session, actor, attempt)
    row = session.scalar(
        select(ReviewFlag).where(ReviewFlag.id == flag_id, ReviewFlag.attempt_id == attempt.id)
    )
    if row is None:
        raise NotFound("no_such_flag", "There is no such flag here.")
    if row.settled_at is None:
        row.settled_at, row.settled_by_id = now, actor.own_id
        _record(session, actor, "flag_settled", attempt, now, row.kind)


def declare_conflict(session: Session, actor: Actor, public_id: str, now: datetime, chance: Chance) -> None:
    """Say that the actor knows whose work this is: it goes to somebody else, and nothing of this teacher's
    pursuit comes to them again. Raises NotFound, NotAllowed, OperationRefused (`finished`).
    """
    attempt = find_attempt(session, public_id, lock=True)
    require(session, actor, attempt, Access.RATE)
    review = review_of(session, actor, attempt)
    assert review is not None  # what `require` has just established
    if review.finished_at is not None:
        raise OperationRefused("finished", "You have finished this review; tell the issuer instead.")
    session.add(ReviewConflict(reviewer_id=actor.own_id, pursuit_id=attempt.pursuit_id, declared_at=now))
    assigning.release(review, "conflict", now)
    _record(session, actor, "conflict_declared", attempt, now, review.place)
    session.flush()
    other = assigning.next_reader(session, attempt, now, chance)
    if other is not None:
        assigning.assign(session, attempt, other, now, place=review.place, because=review.asked_because)
    turn = planned(facts(session, attempt, reviewer_ids=[]), Action.REASSIGN, SYSTEM)
    consequences.apply(session, attempt, turn, actor_id=None, now=now)


def _record(session: Session, actor: Actor, action: str, attempt: Attempt, now: datetime, what: str) -> None:
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action=action,
        subject=("attempt", attempt.id),
        detail={"what": what},
    )
