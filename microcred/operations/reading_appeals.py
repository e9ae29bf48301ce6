"""Appeals as those read them who decide: due soonest first, under an alias, with grounds and readings."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, contains_eager

from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Decision, Pursuit, Review
from microcred.credentials.review_models import Appeal
from microcred.operations.access import Access, require
from microcred.operations.actor import Actor
from microcred.operations.appealing import AGAINST
from microcred.operations.reading_decide import Case, case_of
from microcred.operations.reading_review import find_attempt
from microcred.people.models import Person

MOST = 50
"""Appeals shown at once: there are few, and the oldest are due first."""


@dataclass(frozen=True)
class OpenAppeal:
    """An appeal in the list; `alias` stands for the teacher."""

    public_id: str
    alias: str
    definition: Definition
    opened_at: datetime
    due_at: datetime


@dataclass(frozen=True)
class AppealCase:
    """What an appeal reader decides about. `case.name` is the alias."""

    case: Case
    grounds: str
    against: str
    """Kind of the decision appealed against, one of `appealing.AGAINST`."""
    against_reason: str
    due_at: datetime


def open_appeals(session: Session, actor: Actor) -> tuple[OpenAppeal, ...]:
    """Appeals that the actor may decide, due soonest first."""
    owner, tries = aliased(Person), aliased(Attempt)
    others = select(tries.id).where(tries.pursuit_id == Attempt.pursuit_id).correlate(Attempt)
    reviewed = select(Review.id).where(
        Review.attempt_id.in_(others), Review.reviewer_id.in_(actor.person_ids)
    )
    decided = select(Decision.id).where(
        Decision.attempt_id.in_(others), Decision.decided_by_id.in_(actor.person_ids)
    )
    rows = session.execute(
        select(Attempt, Appeal.opened_at)
        .join(Appeal, Appeal.attempt_id == Attempt.id)
        .join(Attempt.pursuit)
        .join(Pursuit.version)
        .join(CredentialVersion.credential)
        .join(owner, owner.id == Pursuit.person_id)
        .options(
            contains_eager(Attempt.pursuit)
            .contains_eager(Pursuit.version)
            .contains_eager(CredentialVersion.credential)
        )
        .where(
            Appeal.closed_at.is_(None),
            Attempt.state == "appeal_open",
            Credential.issuer_id.in_(actor.organizations("approver")),
            func.coalesce(owner.merged_into_id, owner.id) != actor.person_id,
            ~reviewed.exists(),
            ~decided.exists(),
        )
        .order_by(Attempt.decision_due_at, Attempt.id)
        .limit(MOST)
    )
    return tuple(
        OpenAppeal(
            public_id=attempt.public_id,
            alias=attempt.pursuit.alias,
            definition=definition_of(session, attempt.pursuit.version),
            opened_at=opened_at,
            due_at=attempt.decision_due_at or opened_at,
        )
        for attempt, opened_at in rows
    )


def appeal(session: Session, actor: Actor, public_id: str) -> AppealCase:
    """The appeal, for somebody who may decide it. Raises NotFound, NotAllowed."""
    attempt = find_attempt(session, public_id)
    require(session, actor, attempt, Access.JUDGE_APPEAL)
    row = session.scalars(
        select(Appeal).where(Appeal.attempt_id == attempt.id, Appeal.closed_at.is_(None))
    ).one()
    against = session.scalars(
        select(Decision)
        .where(Decision.attempt_id == attempt.id, Decision.kind.in_(AGAINST))
        .order_by(Decision.id.desc())
        .limit(1)
    ).one()
    found = case_of(session, attempt)
    return AppealCase(
        case=replace(found, name=found.alias),
        grounds=row.reason,
        against=against.kind,
        against_reason=against.reason,
        due_at=attempt.decision_due_at or row.opened_at,
    )
