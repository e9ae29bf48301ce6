"""Carrying out a planned transition: new state, audit event, decision, award, next try, score and badge, in
one transaction.

Every operation that changes the state of a try ends here, so that no caller can forget the grade.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

import grade_passback
from microcred.badges import lifecycle as badges
from microcred.badges.facts import Addresses
from microcred.credentials import Definition, definition_of
from microcred.credentials.due import add_business_days, add_months
from microcred.credentials.models import (
    Attempt,
    Award,
    Credential,
    CredentialVersion,
    Decision,
    EvidenceItem,
    Pursuit,
    Rating,
    Response,
    Review,
)
from microcred.credentials.steps import (
    Action,
    AddDecision,
    AssignReview,
    BadgeWork,
    CancelReviews,
    DoBadge,
    Moment,
    NewTry,
    ReopenReview,
    SendMail,
    SendScore,
    State,
)
from microcred.credentials.workflow import Plan
from microcred.operations import appeal_dates, award_expiry, notifying, reminding, review_watch
from microcred.people import audit, policies
from microcred.placements import Placement


@dataclass
class Done:
    """What a transition made, for the caller to show."""

    decision: Decision | None = None
    award: Award | None = None
    next_try: Attempt | None = None


@dataclass(frozen=True)
class _Case:
    """A try with everything its consequences need."""

    attempt: Attempt
    pursuit: Pursuit
    version: CredentialVersion
    definition: Definition
    placement: Placement
    issuer_id: int
    actor_id: int | None
    review: Review | None
    reason: str
    badge_url: str | None
    now: datetime


def apply(
    session: Session,
    attempt: Attempt,
    plan: Plan,
    *,
    actor_id: int | None,
    now: datetime,
    review: Review | None = None,
    reason: str = "",
    badge_url: str | None = None,
) -> Done:
    """Carry out `plan` on `attempt`.

    `review` is the one a recommendation or decision rests on; `reason` the words given with it; `badge_url`
    the origin under which badges live, for plans that may award. A try that somebody else changed since it
    was read raises sqlalchemy.orm.exc.StaleDataError (row version), and nothing is changed.
    """
    pursuit = session.get_one(Pursuit, attempt.pursuit_id)
    version = session.get_one(CredentialVersion, pursuit.version_id)
    case = _Case(
        attempt=attempt,
        pursuit=pursuit,
        version=version,
        definition=definition_of(session, version),
        placement=session.get_one(Placement, pursuit.placement_id),
        issuer_id=session.scalars(
            select(Credential.issuer_id).where(Credential.id == version.credential_id)
        ).one(),
        actor_id=actor_id,
        review=review,
        reason=reason,
        badge_url=badge_url,
        now=now,
    )
    _enter(session, case, plan)
    if plan.audit is not None:
        audit.record(
            session,
            at=now,
            actor_id=actor_id,
            action=plan.audit,
            subject=("attempt", attempt.id),
            before=plan.source,
            after=plan.target,
        )
    session.flush()
    done = Done()
    for follow in plan.follows:
        match follow:
            case AddDecision():
                done.decision = _decide(session, case, follow.kind)
            case DoBadge():
                done.award = _badge(session, case, follow.work, done.decision)
            case NewTry():
                done.next_try = _open_next(session, case, follow.locked_parts)
            case AssignReview() if plan.target is State.SUBMITTED:
                attempt.decision_due_at = attempt.first_due_at = _due(session, case)
                for review in _readings(session, case):
                    review.due_at = attempt.decision_due_at
                review_watch.plan(session, attempt, now, now)
            case AssignReview():
                pass  # the reader was assigned by whoever found that another one is needed
            case CancelReviews():
                _cancel_reviews(session, case)
            case ReopenReview():
                _reopen(case)
            case SendScore():
                _score(session, case, follow, done)
            case SendMail():
                assert plan.audit is not None  # a turn that nobody records is told to nobody
                notifying.tell_turn(session, attempt, plan.audit, follow.to, now)
    session.flush()
    reminding.plan(session, done.next_try or attempt, now)
    return done


def _enter(session: Session, case: _Case, plan: Plan) -> None:
    attempt = case.attempt
    attempt.state = plan.target
    if plan.target is State.SUBMITTED:
        attempt.submitted_at, attempt.incomplete_because = case.now, ""
    if plan.action is Action.RETURN_INCOMPLETE:
        attempt.incomplete_because = case.reason
    if plan.target is State.APPEAL_OPEN:
        attempt.decision_due_at = appeal_dates.decision_by(session, case.placement, case.issuer_id, case.now)
        review_watch.plan(session, attempt, case.now, case.now)
    if plan.target in (State.AWARDED, State.DENIED, State.REVISIONS_REQUESTED, State.UPHELD):
        attempt.decided_at = case.now


def _decide(session: Session, case: _Case, kind: str) -> Decision:
    before = session.scalar(
        select(Decision.id)
        .where(Decision.attempt_id == case.attempt.id)
        .order_by(Decision.id.desc())
        .limit(1)
    )
    assert case.actor_id is not None
    decision = Decision(
        attempt_id=case.attempt.id,
        kind=kind,
        decided_by_id=case.actor_id,
        review_id=case.review.id if case.review else None,
        reason=case.reason,
        supersedes_id=before,
        decided_at=case.now,
    )
    session.add(decision)
    session.flush()
    return decision


def _badge(session: Session, case: _Case, work: BadgeWork, decision: Decision | None) -> Award | None:
    assert decision is not None
    if work is BadgeWork.REVOKE:
        return _revoke(session, case)
    if work is BadgeWork.RENEW:
        return _renew(session, case)
    document = case.definition.document
    months = document.validity.months if document.validity.expires else None
    award = Award(
        decision_id=decision.id,
        person_id=case.pursuit.person_id,
        pursuit_id=case.pursuit.id,
        version_id=case.version.id,
        issuer_id=case.issuer_id,
        approved_by_id=decision.decided_by_id,
        awarded_at=case.now,
        valid_until=add_months(case.now, months) if months else None,
        clock_hours=document.effort.clock_hours,
        is_test=case.pursuit.is_test,
    )
    session.add(award)
    session.flush()
    award_expiry.plan(session, award, case.now)
    if not award.is_test:  # a test user's work counts for nothing outside
        badges.request(session, award, now=case.now)
    return award


def _standing_award(session: Session, case: _Case) -> Award:
    return session.scalars(
        select(Award)
        .where(Award.pursuit_id == case.pursuit.id, Award.revoked_at.is_(None))
        .order_by(Award.id.desc())
    ).one()


def _renew(session: Session, case: _Case) -> Award:
    """The same award for another term: its hours count once, and its badge keeps its id."""
    award, validity = _standing_award(session, case), case.definition.document.validity
    award.valid_until = add_months(case.now, validity.months) if validity.months else None
    award_expiry.plan(session, award, case.now)
    if not award.is_test:
        badges.reissue(session, award, now=case.now)
    return award


def _revoke(session: Session, case: _Case) -> Award:
    award = _standing_award(session, case)
    badges.revoke(session, award, reason=case.reason, now=case.now)
    return award


def _open_next(session: Session, case: _Case, locked_parts: tuple[str, ...]) -> Attempt:
    """The next try as a draft. All answers and evidence come along; those of passed parts are locked."""
    fresh = Attempt(
        pursuit_id=case.pursuit.id,
        number=case.attempt.number + 1,
        state=State.DRAFT,
        locked_parts=list(locked_parts),
        created_at=case.now,
    )
    session.add(fresh)
    session.flush()
    for answer in session.scalars(
        select(Response).where(Response.attempt_id == case.attempt.id).order_by(Response.id)
    ):
        session.add(
            Response(
                attempt_id=fresh.id,
                part_id=answer.part_id,
                prompt_id=answer.prompt_id,
                student_code=answer.student_code,
                body=answer.body,
                words=answer.words,
                revision=1,
                saved_at=answer.saved_at,
            )
        )
    items = select(EvidenceItem).where(
        EvidenceItem.attempt_id == case.attempt.id, EvidenceItem.removed_at.is_(None)
    )
    for item in session.scalars(items.order_by(EvidenceItem.id)):
        kept = {
            c.key: getattr(item, c.key)
            for c in EvidenceItem.__table__.columns
            if c.key not in ("id", "public_id")
        }
        session.add(EvidenceItem(**kept | {"attempt_id": fresh.id}))
    return fresh


def _due(session: Session, case: _Case) -> datetime:
    organization_id = case.placement.organization_id
    return add_business_days(
        case.now,
        case.definition.document.review_policy.turnaround_business_days,
        policies.zone_of(session, organization_id),
        policies.holidays_of(session, organization_id),
    )


def _cancel_reviews(session: Session, case: _Case) -> None:
    """Readings that have not begun are taken back. Where the work itself comes back, whoever read it first
    reads it again when it is sent in, with their ratings; a later reading was of work that is no more.
    """
    session.execute(delete(Review).where(Review.attempt_id == case.attempt.id, Review.started_at.is_(None)))
    case.attempt.decision_due_at = None
    if case.attempt.state != State.DRAFT:
        return
    case.attempt.readings_differ = False
    for review in _readings(session, case):
        review.recommendation = review.finished_at = None
        if review.place != "first":
            review.released_at, review.released_because = case.now, "came_back"


def _readings(session: Session, case: _Case) -> Sequence[Review]:
    """The readings of the try that count: those not taken from their reviewer."""
    return session.scalars(
        select(Review).where(Review.attempt_id == case.attempt.id, Review.released_at.is_(None))
    ).all()


def _reopen(case: _Case) -> None:
    assert case.review is not None
    case.review.recommendation = None
    case.review.finished_at = None


def _score(session: Session, case: _Case, follow: SendScore, done: Done) -> None:
    moment = _moment(session, follow.moment, done.decision)
    grade_passback.enqueue(
        session,
        placement=case.placement,
        pursuit=case.pursuit,
        attempt=case.attempt,
        definition=case.definition,
        moment=moment,
        ratings=_ratings(session, case),
        locked_parts=tuple(done.next_try.locked_parts if done.next_try else ()),
        award=done.award,
        verify_url=_verify_url(case, done.award),
        appeal_until=appeal_dates.until(session, case.placement, case.issuer_id, case.now)
        if moment is Moment.DENIED
        else None,
        now=case.now,
    )
    grade_passback.enqueue_stacks(session, pursuit=case.pursuit, moment=moment, now=case.now)


def _moment(session: Session, moment: Moment, decision: Decision | None) -> Moment:
    """What the gradebook hears: an appeal lost against revisions leaves the work as it was, with no grade."""
    if moment is not Moment.APPEAL_LOST or decision is None or decision.supersedes_id is None:
        return moment
    before = session.get_one(Decision, decision.supersedes_id)
    return Moment.REVISIONS_REQUESTED if before.kind == "request_revisions" else moment


def _verify_url(case: _Case, award: Award | None) -> str | None:
    """Where anybody can check the badge of an award; a test award has none."""
    if award is None or award.is_test or case.badge_url is None:
        return None
    return Addresses(case.badge_url).page(award.public_id)


def _ratings(session: Session, case: _Case) -> Mapping[str, str]:
    """Level per criterion as the review has it; empty where no review is meant."""
    if case.review is None:
        return {}
    rows = session.execute(
        select(Rating.criterion_id, Rating.level).where(
            Rating.review_id == case.review.id, Rating.level.is_not(None)
        )
    )
    return {criterion: level for criterion, level in rows if level is not None}
