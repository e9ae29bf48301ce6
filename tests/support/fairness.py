"""What must hold of every pursuit whatever people did, read from the database alone: rule to how often it was
broken.
"""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.models import Attempt, Award, Decision, Pursuit, Review
from microcred.credentials.review_models import Appeal, ReviewConflict
from microcred.credentials.steps import TABLE, State
from microcred.people.models import AuditEvent

TURNS = {(row.audit, source, row.target) for row in TABLE for source in row.sources if row.audit}
"""Every way from a state to the next, as the audit trail tells it."""
RULES = (
    "own work judged",
    "reviewed and decided by one person",
    "appeal read by somebody who had decided",
    "awarding decision without exactly one award",
    "two awards that stand",
    "two readings in one place",
    "open appeal that is not open",
    "read in spite of a conflict",
    "change of state without audit event",
)


def broken_rules(session: Session) -> Counter[str]:
    """Every rule, with 0 where it holds."""
    broken = Counter(dict.fromkeys(RULES, 0))
    for pursuit in session.scalars(select(Pursuit)).all():
        _look_at(session, pursuit, broken)
    return broken


def _look_at(session: Session, pursuit: Pursuit, broken: Counter[str]) -> None:
    tries = session.scalars(select(Attempt).where(Attempt.pursuit_id == pursuit.id)).all()
    ids = [attempt.id for attempt in tries]
    reviews = session.scalars(select(Review).where(Review.attempt_id.in_(ids))).all()
    decisions = session.scalars(
        select(Decision).where(Decision.attempt_id.in_(ids)).order_by(Decision.id)
    ).all()
    readers = {one.reviewer_id for one in reviews}
    broken["own work judged"] += pursuit.person_id in readers | {one.decided_by_id for one in decisions}
    # A reviewer's own result is the decision where revisions are needed; all others are somebody else's.
    deciding = [
        one for one in decisions if one.kind != "request_revisions" or one.decided_by_id not in readers
    ]
    broken["reviewed and decided by one person"] += len(readers & {one.decided_by_id for one in deciding})
    for place, one in enumerate(decisions):
        if one.kind.startswith("appeal_"):
            before = {earlier.decided_by_id for earlier in decisions[:place]}
            broken["appeal read by somebody who had decided"] += one.decided_by_id in before
    _look_at_awards(session, pursuit, decisions, broken)
    for attempt in tries:
        here = [one for one in reviews if one.attempt_id == attempt.id and one.released_at is None]
        one_each = len({one.place for one in here}) == len(here) == len({one.reviewer_id for one in here})
        broken["two readings in one place"] += not one_each
        open_appeals = session.scalars(
            select(Appeal).where(Appeal.attempt_id == attempt.id, Appeal.closed_at.is_(None))
        ).all()
        broken["open appeal that is not open"] += len(open_appeals) != (attempt.state == "appeal_open")
        broken["change of state without audit event"] += not _is_told(session, attempt)
    conflicts = set(
        session.scalars(select(ReviewConflict.reviewer_id).where(ReviewConflict.pursuit_id == pursuit.id))
    )
    busy = {one.reviewer_id for one in reviews if one.finished_at is None and one.released_at is None}
    broken["read in spite of a conflict"] += len(conflicts & busy)


def _look_at_awards(
    session: Session, pursuit: Pursuit, decisions: Sequence[Decision], broken: Counter[str]
) -> None:
    given = session.scalars(select(Award).where(Award.pursuit_id == pursuit.id)).all()
    awarding = [one.id for one in decisions if one.kind in ("award", "appeal_award")]
    broken["awarding decision without exactly one award"] += sorted(
        one.decision_id for one in given
    ) != sorted(awarding)
    broken["two awards that stand"] += sum(one.revoked_at is None for one in given) > 1


def _is_told(session: Session, attempt: Attempt) -> bool:
    """Whether the audit trail tells every change of state, each as the workflow table has it."""
    events = session.scalars(
        select(AuditEvent)
        .where(AuditEvent.subject_type == "attempt", AuditEvent.subject_id == str(attempt.id))
        .order_by(AuditEvent.id)
    ).all()
    changes = [event for event in events if event.before != event.after]
    if not changes:  # opened by the revisions of the try before
        return attempt.number > 1 and attempt.state == "draft"
    state = changes[0].before
    for event in changes:
        source = State(event.before) if event.before else None
        if event.before != state or event.after is None:
            return False
        if (event.action, source, State(event.after)) not in TURNS:
            return False
        state = event.after
    return state == attempt.state
