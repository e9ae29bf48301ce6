"""Appeals: a teacher asks for another look; somebody who has seen none of it decides, without a name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.errors import Refused
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Decision, Review
from microcred.credentials.review_models import Appeal
from microcred.credentials.steps import Action, State
from microcred.credentials.workflow import SYSTEM, Facts, Party, plan
from microcred.operations import appeal_dates, consequences
from microcred.operations.access import Access, require
from microcred.operations.actor import Actor
from microcred.operations.errors import OperationRefused
from microcred.operations.judging import clean, facts, planned
from microcred.operations.reading_decide import reviewers_of_pursuit
from microcred.operations.reading_review import find_attempt
from microcred.operations.reading_teacher import Loaded, load

OUTCOMES = {"award": Action.APPEAL_AWARD, "uphold": Action.APPEAL_UPHOLD}
AGAINST = ("deny", "revoke", "request_revisions")
"""Kinds of decision that may be appealed; revisions once they were asked for as often as a coach is offered
after.
"""


@dataclass(frozen=True)
class Standing:
    """What a teacher may know about appealing now."""

    until: datetime | None
    """The last moment for an appeal; None where there is nothing to appeal against."""
    is_open: bool
    """Whether one may be opened now."""
    reason: str
    """What was written in the newest appeal; empty without one."""
    decided_by: datetime | None
    """By when the open appeal is decided."""


def standing(session: Session, loaded: Loaded, now: datetime) -> Standing:
    """Whether the teacher may appeal, and what became of an appeal."""
    attempt = _contested(session, loaded)
    appeal = session.scalar(
        select(Appeal).where(Appeal.attempt_id == attempt.id).order_by(Appeal.id.desc()).limit(1)
    )
    until = _until(session, loaded, attempt)
    return Standing(
        until=until,
        is_open=until is not None and now <= until,
        reason=appeal.reason if appeal is not None else "",
        decided_by=attempt.decision_due_at if attempt.state == State.APPEAL_OPEN else None,
    )


def open_appeal(session: Session, actor: Actor, reason: str, now: datetime) -> None:
    """Appeal against the newest decision about the actor's work. A second press changes nothing. A draft that
    follows revisions stays, and can be sent in once the appeal is decided.

    Raises OperationRefused (`appeal_closed`, `reason_missing`, `wrong_state`, `tries_left`, `text_too_long`).
    """
    loaded = load(session, actor, lock=True)
    attempt = _contested(session, loaded)
    if attempt.state == State.APPEAL_OPEN:
        return
    until = _until(session, loaded, attempt)
    reason = clean(reason)
    about = Facts(
        state=State(attempt.state),
        owner_id=actor.canonical(loaded.pursuit.person_id),
        reason=reason,
        tries=attempt.number,
        tries_before_coaching=_tries_before(loaded),
        appeal_closed=until is not None and now > until,
    )
    try:
        opened = plan(about, Action.OPEN_APPEAL, Party(actor.person_id))
    except Refused as refused:
        raise OperationRefused(refused.code, refused.message) from refused
    session.add(
        Appeal(attempt_id=attempt.id, issuer_id=_issuer_id(session, loaded), reason=reason, opened_at=now)
    )
    consequences.apply(session, attempt, opened, actor_id=actor.own_id, now=now, reason=reason)


def judge(
    session: Session,
    actor: Actor,
    public_id: str,
    outcome: str,
    *,
    reason: str,
    badge_url: str,
    now: datetime,
) -> None:
    """Decide an appeal; `outcome` is one of OUTCOMES. Grade, badge and hours follow an award at once.

    Raises NotFound, NotAllowed to whoever has seen the work before, OperationRefused.
    """
    if outcome not in OUTCOMES:
        raise OperationRefused("unknown_decision", "That is not one of the decisions; nothing was changed.")
    attempt = find_attempt(session, public_id, lock=True)
    require(session, actor, attempt, Access.JUDGE_APPEAL)
    review = session.scalar(
        select(Review)
        .where(Review.attempt_id == attempt.id, Review.finished_at.is_not(None))
        .order_by(Review.finished_at.desc(), Review.id.desc())
        .limit(1)
    )
    about = facts(session, attempt, reviewer_ids=reviewers_of_pursuit(session, attempt), reason=clean(reason))
    # `require` has established that the actor approves for the issuer and has met none of the tries.
    decided = planned(about, OUTCOMES[outcome], Party(actor.person_id, is_appeal_reader=True))
    appeal = session.scalars(
        select(Appeal).where(Appeal.attempt_id == attempt.id, Appeal.closed_at.is_(None))
    ).one()
    done = consequences.apply(
        session,
        attempt,
        decided,
        actor_id=actor.own_id,
        now=now,
        review=review,
        reason=about.reason,
        badge_url=badge_url,
    )
    assert done.decision is not None  # both outcomes add one
    appeal.closed_at, appeal.decision_id = now, done.decision.id
    session.flush()
    if done.award is not None:
        _close_beside(session, attempt, now)


def _contested(session: Session, loaded: Loaded) -> Attempt:
    """The try an appeal is about: the newest, or the one before where that is the draft which follows."""
    if loaded.attempt.state != State.DRAFT or loaded.attempt.number == 1:
        return loaded.attempt
    return session.scalars(
        select(Attempt).where(
            Attempt.pursuit_id == loaded.pursuit.id, Attempt.number == loaded.attempt.number - 1
        )
    ).one()


def _tries_before(loaded: Loaded) -> int | None:
    return loaded.definition.document.review_policy.attempts_before_coaching


def _until(session: Session, loaded: Loaded, attempt: Attempt) -> datetime | None:
    """The last moment for an appeal against what was decided last; None where nothing can be appealed."""
    often = attempt.number >= (_tries_before(loaded) or attempt.number + 1)
    if attempt.state not in (State.DENIED, State.REVOKED) and not (
        attempt.state == State.REVISIONS_REQUESTED and often
    ):
        return None
    decided_at = session.scalars(
        select(Decision.decided_at)
        .where(Decision.attempt_id == attempt.id, Decision.kind.in_(AGAINST))
        .order_by(Decision.id.desc())
        .limit(1)
    ).one()
    return appeal_dates.until(session, loaded.placement, _issuer_id(session, loaded), decided_at)


def _close_beside(session: Session, attempt: Attempt, now: datetime) -> None:
    """The draft that followed revisions is needed no more: the try before it has earned the award."""
    draft = session.scalar(
        select(Attempt)
        .where(Attempt.pursuit_id == attempt.pursuit_id, Attempt.state == State.DRAFT)
        .with_for_update()
    )
    if draft is not None:
        closing = plan(Facts(state=State.DRAFT, owner_id=0), Action.CLOSE, SYSTEM)
        consequences.apply(session, draft, closing, actor_id=None, now=now)


def _issuer_id(session: Session, loaded: Loaded) -> int:
    return session.scalars(
        select(Credential.issuer_id)
        .join(CredentialVersion, CredentialVersion.credential_id == Credential.id)
        .where(CredentialVersion.id == loaded.pursuit.version_id)
    ).one()
