"""What an approver does with a recommendation: award, return it, ask for revisions, or not award."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.definition import definition_of
from microcred.credentials.models import Attempt, Award, Decision, Review
from microcred.credentials.passing import evaluate
from microcred.credentials.steps import Action
from microcred.credentials.workflow import Party
from microcred.operations import consequences
from microcred.operations.actor import Actor
from microcred.operations.errors import OperationRefused
from microcred.operations.judging import clean, facts, planned
from microcred.operations.reading_decide import require_decider, reviewers_of_pursuit
from microcred.operations.reading_review import find_attempt, levels, ratings_of, uncommented

KINDS = {
    "award": Action.AWARD,
    "deny": Action.DENY,
    "return_to_reviewer": Action.RETURN_TO_REVIEWER,
    "request_revisions": Action.REQUEST_REVISIONS,
}


@dataclass(frozen=True)
class Decided:
    """The decision that stands; `award_public_id` only where there is an award."""

    kind: str
    award_public_id: str | None


def decide(
    session: Session,
    actor: Actor,
    public_id: str,
    kind: str,
    *,
    reason: str = "",
    badge_url: str,
    now: datetime,
) -> Decided:
    """Decide about a recommended try; `kind` is one of KINDS. Grade, badge and hours follow at once.
    `badge_url` is the origin under which badges live: the grade's comment says where the badge is checked.

    A second click of the same person gives the decision that stands. Raises NotFound, NotAllowed and
    OperationRefused (among them `already_done` when somebody else decided meanwhile, `reason_missing`).
    """
    if kind not in KINDS:
        raise OperationRefused("unknown_decision", "That is not one of the decisions; nothing was changed.")
    attempt = find_attempt(session, public_id, lock=True)
    require_decider(session, actor, attempt)
    if attempt.state != "recommended":
        standing = _standing(session, attempt)
        if standing is not None and standing.kind == kind and standing.decided_by_id in actor.person_ids:
            return Decided(kind, _award_of(session, standing))
    review = session.scalar(
        select(Review)
        .where(Review.attempt_id == attempt.id, Review.finished_at.is_not(None))
        .order_by(Review.finished_at.desc(), Review.id.desc())
        .limit(1)
    )
    definition = definition_of(session, attempt.pursuit.version)
    given = ratings_of(session, review) if review is not None else {}
    about = facts(
        session,
        attempt,
        reviewer_ids=reviewers_of_pursuit(session, attempt),
        outcome=evaluate(definition, levels(given)),
        uncommented=len(uncommented(definition, frozenset(attempt.locked_parts), given)),
        reason=clean(reason),
    )
    # `require_decider` has established that the actor approves for the issuer.
    plan = planned(about, KINDS[kind], Party(actor.person_id, is_issuer_approver=True))
    done = consequences.apply(
        session,
        attempt,
        plan,
        actor_id=actor.own_id,
        now=now,
        review=review,
        reason=about.reason,
        badge_url=badge_url,
    )
    return Decided(kind, done.award.public_id if done.award is not None else None)


def _standing(session: Session, attempt: Attempt) -> Decision | None:
    return session.scalar(
        select(Decision).where(Decision.attempt_id == attempt.id).order_by(Decision.id.desc()).limit(1)
    )


def _award_of(session: Session, decision: Decision) -> str | None:
    return session.scalar(select(Award.public_id).where(Award.decision_id == decision.id))
