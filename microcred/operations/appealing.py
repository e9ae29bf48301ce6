"""Appeals: a teacher asks for another look; somebody who has seen none of it decides, without a name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.errors import Refused
from microcred.credentials.models import Credential, CredentialVersion, Decision, Review
from microcred.credentials.review_models import Appeal
from microcred.credentials.steps import Action, State
from microcred.credentials.workflow import Facts, Party, plan
from microcred.operations import appeal_dates, consequences
from microcred.operations.access import Access, require
from microcred.operations.actor import Actor
from microcred.operations.errors import OperationRefused
from microcred.operations.judging import clean, facts, planned
from microcred.operations.reading_decide import reviewers_of_pursuit
from microcred.operations.reading_review import find_attempt
from microcred.operations.reading_teacher import Loaded, load

OUTCOMES = {"award": Action.APPEAL_AWARD, "uphold": Action.APPEAL_UPHOLD}
_AGAINST = ("deny", "revoke")


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
    attempt = loaded.attempt
    appeal = session.scalar(
        select(Appeal).where(Appeal.attempt_id == attempt.id).order_by(Appeal.id.desc()).limit(1)
    )
    until = _until(session, loaded)
    return Standing(
        until=until,
        is_open=until is not None and now <= until,
        reason=appeal.reason if appeal is not None else "",
        decided_by=attempt.decision_due_at if attempt.state == State.APPEAL_OPEN else None,
    )


def open_appeal(session: Session, actor: Actor, reason: str, now: datetime) -> None:
    """Appeal against the newest decision about the actor's newest try. A second press changes nothing.

    Raises OperationRefused (`appeal_closed`, `reason_missing`, `wrong_state`, `text_too_long`).
    """
    loaded = load(session, actor, lock=True)
    attempt = loaded.attempt
    if attempt.state == State.APPEAL_OPEN:
        return
    until = _until(session, loaded)
    reason = clean(reason)
    about = Facts(
        state=State(attempt.state),
        owner_id=actor.canonical(loaded.pursuit.person_id),
        reason=reason,
        tries=attempt.number,
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


def _until(session: Session, loaded: Loaded) -> datetime | None:
    """The last moment for an appeal against what was decided last; None where nothing can be appealed."""
    if loaded.attempt.state not in (State.DENIED, State.REVOKED):
        return None
    decided_at = session.scalars(
        select(Decision.decided_at)
        .where(Decision.attempt_id == loaded.attempt.id, Decision.kind.in_(_AGAINST))
        .order_by(Decision.id.desc())
        .limit(1)
    ).one()
    return appeal_dates.until(session, loaded.placement, _issuer_id(session, loaded), decided_at)


def _issuer_id(session: Session, loaded: Loaded) -> int:
    return session.scalars(
        select(Credential.issuer_id)
        .join(CredentialVersion, CredentialVersion.credential_id == Credential.id)
        .where(CredentialVersion.id == loaded.pursuit.version_id)
    ).one()
