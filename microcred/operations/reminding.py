"""Reminders as timed work: a draft nobody touched, revisions that wait, a decision that is due.

One row of the outbox a try and kind looks again at its time and plans the next look; saving a draft costs
nothing here.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.credentials.models import Attempt, EvidenceItem, Pursuit, Response, Review
from microcred.credentials.steps import State
from microcred.database import Clock
from microcred.operations.notice_words import (
    DECISION_DUE,
    DRAFT_WAITS,
    REVIEW_DUE,
    REVISIONS_WAIT,
)
from microcred.operations.notifying import (
    About,
    about,
    open_reviewers,
    plan_digest,
    tell,
    tell_group,
    unseen_approvers,
)
from microcred.people import holders

KIND = "reminder"
DRAFT_AFTER = timedelta(days=14)
REVISIONS_AFTER = timedelta(days=7)
DRAFT_REMINDERS = 3
"""So often about one draft that stays untouched, each wait twice the one before; then silence."""
JUDGES_BEFORE = timedelta(days=1)
APPEAL_BEFORE = timedelta(days=3)
"""Nobody is assigned to an appeal: those who may decide it hear before a later day is announced."""
_READING = (State.SUBMITTED, State.CHECKING, State.IN_REVIEW, State.SECOND_REVIEW, State.ADJUDICATION)
_JUDGED = (*_READING, State.RETURNED_TO_REVIEWER, State.RECOMMENDED, State.APPEAL_OPEN)
What = Literal["draft", "decision"]


def plan(session: Session, attempt: Attempt, now: datetime) -> None:
    """Plan what a try in its present state may need; called after every turn of the workflow."""
    if session.get_one(Pursuit, attempt.pursuit_id).is_test:
        return
    if attempt.state == State.DRAFT:
        _add(session, attempt.id, "draft", {"round": 1}, now, now + _patience(attempt))
    elif attempt.state in _JUDGED and attempt.decision_due_at is not None:
        due = attempt.decision_due_at
        _add(session, attempt.id, "decision", {}, now, max(now, due - _before(attempt)))


def handler(clock: Clock) -> outbox.Handler:
    """Handler of kind `reminder`: what it writes is stored together with the row's result."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        remind: Callable[[Session, Attempt, Any, datetime], None] = _REMINDERS[job.payload["what"]]

        def record(session: Session) -> None:
            attempt = session.get(Attempt, int(job.payload["attempt"]))
            if attempt is not None:
                remind(session, attempt, job.payload, clock.now())

        return outbox.Delivered(record=record)

    return handle


def digest_handler(clock: Clock) -> outbox.Handler:
    """Handler of kind `notice_digest`."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        def record(session: Session) -> None:
            topic, issuer_id = job.payload["topic"], int(job.payload["issuer"])
            tell_group(session, topic, issuer_id, f"digest:{job.id}", clock.now())

        return outbox.Delivered(record=record)

    return handle


def _draft(session: Session, attempt: Attempt, payload: Any, now: datetime) -> None:
    """Remind of a draft that was not touched; a touched one is looked at again later."""
    if attempt.state != State.DRAFT:
        return
    touched, number = _touched(session, attempt), int(payload["round"])
    since = datetime.fromisoformat(payload["touched"]) if "touched" in payload else None
    number = number if since == touched else 1
    wait = _patience(attempt) * 2 ** (number - 1)
    if now - touched < wait:
        _add(session, attempt.id, "draft", {"round": 1}, now, touched + _patience(attempt))
        return
    words = DRAFT_WAITS if attempt.number == 1 else REVISIONS_WAIT
    found = about(session, attempt)
    tell(
        session,
        [found.pursuit.person_id],
        words,
        found,
        kind="draft_waits",
        day_of=touched,
        once_for=f"{touched:%y%m%d%H%M}:{number}",  # after new work the same words may come again
        now=now,
    )
    if number < DRAFT_REMINDERS:
        later = {"round": number + 1, "touched": touched.isoformat()}
        _add(session, attempt.id, "draft", later, now, touched + _patience(attempt) * 2**number)


def _decision(session: Session, attempt: Attempt, _payload: Any, now: datetime) -> None:
    """Those who judge hear before the promised day, and once more if it passes. The day may have moved
    meanwhile; the teacher hears of that from whoever moves it.
    """
    due = attempt.decision_due_at
    if attempt.state not in _JUDGED or due is None:
        return
    if now < due - _before(attempt):
        _add(session, attempt.id, "decision", {}, now, due - _before(attempt))
        return
    kind = "decision_due" if now < due else "decision_overdue"
    _tell_judges(session, about(session, attempt), kind, f"{due:%y%m%d%H%M}", now)
    if now < due:
        _add(session, attempt.id, "decision", {}, now, due)


_REMINDERS: dict[What, Callable[[Session, Attempt, Any, datetime], None]] = {
    "draft": _draft,
    "decision": _decision,
}


def _tell_judges(session: Session, found: About, kind: str, once_for: str, now: datetime) -> None:
    """Whoever the try waits for: its reviewers, the pool, the approvers, or those who may read the appeal."""
    if found.attempt.state == State.APPEAL_OPEN:
        unseen = unseen_approvers(session, found, now)
        tell(session, unseen, DECISION_DUE, found, kind=kind, once_for=once_for, now=now)
        return
    if found.attempt.state == State.RECOMMENDED:
        reviewed = set(_reviewers(session, found))
        approvers = [one for one in holders(session, "approver", found.issuer_id, now) if one not in reviewed]
        tell(session, approvers, DECISION_DUE, found, kind=kind, once_for=once_for, now=now)
        return
    assigned = open_reviewers(session, found.attempt)
    if assigned:
        if kind == "decision_due":
            assigned = _who_had_it_for_a_day(session, found, assigned, now)
        tell(session, assigned, REVIEW_DUE, found, kind=kind, once_for=once_for, now=now)
    else:
        plan_digest(session, "reviews", found.issuer_id, now)


def _who_had_it_for_a_day(session: Session, found: About, reviewers: list[int], now: datetime) -> list[int]:
    """Without those who were given it since then: they were told the day with it."""
    fresh = session.scalars(
        select(Review.reviewer_id).where(
            Review.attempt_id == found.attempt.id,
            Review.assigned_at > now - JUDGES_BEFORE,
            Review.started_at.is_distinct_from(Review.assigned_at),  # else they took it themselves
        )
    ).all()
    return [one for one in reviewers if one not in fresh]


def _reviewers(session: Session, found: About) -> list[int]:
    return list(session.scalars(select(Review.reviewer_id).where(Review.attempt_id == found.attempt.id)))


def _before(attempt: Attempt) -> timedelta:
    return APPEAL_BEFORE if attempt.state == State.APPEAL_OPEN else JUDGES_BEFORE


def _patience(attempt: Attempt) -> timedelta:
    return DRAFT_AFTER if attempt.number == 1 else REVISIONS_AFTER


def _touched(session: Session, attempt: Attempt) -> datetime:
    """When the try was last changed."""
    answered = session.scalar(select(func.max(Response.saved_at)).where(Response.attempt_id == attempt.id))
    added = session.scalar(
        select(func.max(EvidenceItem.created_at)).where(EvidenceItem.attempt_id == attempt.id)
    )
    # Answers of an earlier try keep their own date: the try itself is the least.
    return max(moment for moment in (attempt.created_at, answered, added) if moment is not None)


def _add(
    session: Session, attempt_id: int, what: What, state: dict[str, Any], now: datetime, due_at: datetime
) -> None:
    outbox.add(
        session,
        kind=KIND,
        destination="local",
        order_key=f"{KIND}:{what}:{attempt_id}",
        subject=("attempt", str(attempt_id)),
        payload={"attempt": attempt_id, "what": what} | state,
        now=now,
        due_at=due_at,
    )
