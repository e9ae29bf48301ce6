"""Awards after the decision: revoked with a reason, expired when their time is over, renewed; their list."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from microcred import outbox
from microcred.badges import lifecycle as badges
from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.models import Attempt, Award, CredentialVersion, Decision, Review
from microcred.credentials.steps import Action, State
from microcred.credentials.workflow import SYSTEM, Party
from microcred.database import Clock
from microcred.operations import asking, award_expiry, consequences
from microcred.operations.actor import Actor
from microcred.operations.errors import OperationRefused
from microcred.operations.judging import clean, facts, planned
from microcred.operations.reading_decide import display_name, require_decider, reviewers_of_pursuit
from microcred.operations.reading_review import find_attempt
from microcred.people import audit
from microcred.people.models import Person

REASONS = {
    "mistake": "It was awarded by mistake",
    "evidence": "The evidence was not what it was said to be",
    "holder": "The holder asked for it",
    "other": "The issuer withdrew it",
}
"""Classes of reasons: the words stand on the public page of the badge, the issuer's own words do not."""
PAGE = 25


@dataclass(frozen=True)
class AwardRow:
    """An award in the issuer's list."""

    attempt_public_id: str
    name: str
    definition: Definition
    state: str
    awarded_at: datetime
    valid_until: datetime | None


@dataclass(frozen=True)
class AwardList:
    """A page of it, newest first; `after` opens the next page."""

    rows: tuple[AwardRow, ...]
    after: str | None


def awards(session: Session, actor: Actor, *, after: str | None = None) -> AwardList:
    """Awards of the issuers that the actor approves for; none of their own, none that they reviewed."""
    owner, tries = aliased(Person), aliased(Attempt)
    reviewed = (
        select(Review.id)
        .join(tries, tries.id == Review.attempt_id)
        .where(tries.pursuit_id == Award.pursuit_id, Review.reviewer_id.in_(actor.person_ids))
    )
    query = (
        select(Award, Attempt, owner, CredentialVersion)
        .join(Decision, Decision.id == Award.decision_id)
        .join(Attempt, Attempt.id == Decision.attempt_id)
        .join(owner, owner.id == Award.person_id)
        .join(CredentialVersion, CredentialVersion.id == Award.version_id)
        .where(
            Award.issuer_id.in_(actor.organizations("approver")),
            func.coalesce(owner.merged_into_id, owner.id) != actor.person_id,
            ~reviewed.exists(),
        )
        .order_by(Award.id.desc())
        .limit(PAGE + 1)
    )
    if after and after.isdecimal() and len(after) < 18:
        query = query.where(Award.id < int(after))
    found = session.execute(query).all()
    rows = tuple(
        AwardRow(
            attempt_public_id=attempt.public_id,
            name=display_name(person),
            definition=definition_of(session, version),
            state=attempt.state,
            awarded_at=award.awarded_at,
            valid_until=award.valid_until,
        )
        for award, attempt, person, version in found[:PAGE]
    )
    return AwardList(rows, str(found[PAGE - 1][0].id) if len(found) > PAGE else None)


def revoke(session: Session, actor: Actor, public_id: str, why: str, words: str, *, now: datetime) -> None:
    """Take an award back; `why` is a key of REASONS, `words` are for the teacher. A second press changes
    nothing. Raises NotFound, NotAllowed, OperationRefused (`unknown_reason`, `reason_missing`).
    """
    if why not in REASONS:
        raise OperationRefused("unknown_reason", "Choose why the award is withdrawn.")
    attempt = find_attempt(session, public_id, lock=True)
    require_decider(session, actor, attempt)
    if attempt.state == State.REVOKED:
        return
    about = facts(session, attempt, reviewer_ids=reviewers_of_pursuit(session, attempt), reason=clean(words))
    plan = planned(about, Action.REVOKE, Party(actor.person_id, is_issuer_approver=True))
    done = consequences.apply(session, attempt, plan, actor_id=actor.own_id, now=now, reason=about.reason)
    assert done.award is not None
    done.award.revocation_reason = REASONS[why]
    session.flush()


def renew(session: Session, actor: Actor, public_id: str, *, now: datetime) -> None:
    """Let an expired award count for another term. A second press changes nothing. Raises NotFound,
    NotAllowed, OperationRefused.
    """
    attempt = find_attempt(session, public_id, lock=True)
    require_decider(session, actor, attempt)
    if attempt.state == State.AWARDED:
        return
    about = facts(session, attempt, reviewer_ids=reviewers_of_pursuit(session, attempt))
    plan = planned(about, Action.RENEW, Party(actor.person_id, is_issuer_approver=True))
    consequences.apply(session, attempt, plan, actor_id=actor.own_id, now=now)
    asking.settle_renewal(session, actor, attempt.pursuit_id, now)


def extend(session: Session, award: Award, *, until: datetime, now: datetime) -> None:
    """Let an award stand until a later end that the operator set; one that has expired counts again. Its
    badge keeps its id and is issued anew. Raises OperationRefused (`revoked`, `until_too_early`).
    """
    if award.revoked_at is not None:
        raise OperationRefused("revoked", "This badge was taken back. It cannot be renewed; award it again.")
    if until <= max(now, award.valid_until or now):
        raise OperationRefused("until_too_early", "The new end must be later than today and the present end.")
    attempt = find_attempt(session, _attempt_of(session, award), lock=True)
    award.valid_until = until
    audit.record(session, at=now, actor_id=None, action="badge.renew", subject=("award", award.id))
    if attempt.state == State.EXPIRED:
        plan = planned(facts(session, attempt, reviewer_ids=[]), Action.EXTEND, SYSTEM)
        consequences.apply(session, attempt, plan, actor_id=None, now=now)
    award_expiry.plan(session, award, now)
    if not award.is_test:
        badges.reissue(session, award, now=now)


def expire(session: Session, award_id: int, now: datetime) -> None:
    """Let an award expire whose time is over; one that was renewed or revoked meanwhile is left alone."""
    award = session.get(Award, award_id)
    if award is None or award.revoked_at is not None or award.valid_until is None:
        return
    if award.valid_until > now:
        award_expiry.plan(session, award, now)
        return
    attempt = find_attempt(session, _attempt_of(session, award), lock=True)
    if attempt.state == State.AWARDED:
        plan = planned(facts(session, attempt, reviewer_ids=[]), Action.EXPIRE, SYSTEM)
        consequences.apply(session, attempt, plan, actor_id=None, now=now)


def _attempt_of(session: Session, award: Award) -> str:
    return session.scalars(
        select(Attempt.public_id)
        .join(Decision, Decision.attempt_id == Attempt.id)
        .where(Decision.id == award.decision_id)
    ).one()


def expiry_handler(clock: Clock) -> outbox.Handler:
    """Handler of kind `award_expiry`: what it does is stored together with the row's result."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        def record(session: Session) -> None:
            expire(session, int(job.payload["award"]), clock.now())

        return outbox.Delivered(record=record)

    return handle
