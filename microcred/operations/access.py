"""Who may do and see what: one table, asked in one place.

A person stands in relations to a try: its owner, its assigned reviewer, a reviewer of the issuer's pool, the
issuer's approver, staff of the course. What each relation allows is `ALLOWED`; nothing else opens evidence or
changes work.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.models import Attempt, Credential, CredentialVersion, Decision, Pursuit, Review
from microcred.credentials.review_models import Anchor, CalibrationRound
from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed, NotFound
from microcred.placements import Placement


class Relation(StrEnum):
    """How a person stands to a try."""

    OWNER = "owner"
    ASSIGNED_REVIEWER = "assigned_reviewer"
    POOL_REVIEWER = "pool_reviewer"
    APPROVER = "approver"
    APPEAL_READER = "appeal_reader"
    """An approver who has seen nothing of this pursuit, while an appeal is open: reads it without a name."""
    PRACTISING = "practising"
    """A reviewer in whose open round of practice the try is an anchor."""
    COURSE_STAFF = "course_staff"


class Access(StrEnum):
    """What may be allowed."""

    WRITE = "write"
    """Change answers and evidence, submit, withdraw."""
    SEE_STATUS = "see_status"
    """State, dates, decision and badge; no evidence, no ratings."""
    SEE_FEEDBACK = "see_feedback"
    OPEN_EVIDENCE = "open_evidence"
    TAKE_REVIEW = "take_review"
    RATE = "rate"
    DECIDE = "decide"
    JUDGE_APPEAL = "judge_appeal"
    SEE_NAME = "see_name"


_R = Relation
ALLOWED: Mapping[Access, frozenset[Relation]] = {
    Access.WRITE: frozenset({_R.OWNER}),
    Access.SEE_STATUS: frozenset({_R.OWNER, _R.ASSIGNED_REVIEWER, _R.APPROVER, _R.COURSE_STAFF}),
    Access.SEE_FEEDBACK: frozenset({_R.OWNER, _R.APPROVER}),
    Access.OPEN_EVIDENCE: frozenset(
        {_R.OWNER, _R.ASSIGNED_REVIEWER, _R.APPROVER, _R.APPEAL_READER, _R.PRACTISING}
    ),
    Access.TAKE_REVIEW: frozenset({_R.POOL_REVIEWER}),
    Access.RATE: frozenset({_R.ASSIGNED_REVIEWER}),
    Access.DECIDE: frozenset({_R.APPROVER}),
    Access.JUDGE_APPEAL: frozenset({_R.APPEAL_READER}),
    Access.SEE_NAME: frozenset({_R.OWNER, _R.APPROVER, _R.COURSE_STAFF}),
}

_APPROVERS_SEE = (
    "recommended",
    "returned_to_reviewer",
    "awarded",
    "denied",
    "appeal_open",
    "upheld",
    "revoked",
    "expired",
)
"""An approver meets a try, and the name on it, only once a reviewer has recommended something."""


def relations(session: Session, actor: Actor, attempt: Attempt) -> frozenset[Relation]:
    """Every relation of the actor to the try. Nobody is reviewer or approver of their own work, or approver
    of what they reviewed.
    """
    row = session.execute(
        select(Pursuit.person_id, Credential.issuer_id, Placement.context_id)
        .join(CredentialVersion, CredentialVersion.id == Pursuit.version_id)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .join(Placement, Placement.id == Pursuit.placement_id)
        .where(Pursuit.id == attempt.pursuit_id)
    ).one()
    owner_id, issuer_id, context_id = row
    if owner_id in actor.person_ids:
        return frozenset({Relation.OWNER})
    found: set[Relation] = set()
    own = session.execute(
        select(Review.released_at).where(
            Review.attempt_id == attempt.id, Review.reviewer_id.in_(actor.person_ids)
        )
    ).all()
    reviewed = bool(own)
    # What came back to its owner is nobody else's until it is sent in again.
    if actor.holds("reviewer", issuer_id) and attempt.state not in ("draft", "withdrawn"):
        if any(released_at is None for (released_at,) in own):
            found.add(Relation.ASSIGNED_REVIEWER)
        else:
            found.add(Relation.POOL_REVIEWER)
            if _is_practising(session, actor, attempt):
                found.add(Relation.PRACTISING)
    if actor.holds("approver", issuer_id) and not reviewed and attempt.state in _APPROVERS_SEE:
        unseen = attempt.state == "appeal_open" and not has_met(session, actor.person_ids, attempt.pursuit_id)
        found.add(Relation.APPEAL_READER if unseen else Relation.APPROVER)
    if (
        "see_progress" in actor.rights
        and actor.launch is not None
        and actor.launch.context_row_id == context_id
    ):
        found.add(Relation.COURSE_STAFF)
    return frozenset(found)


def _is_practising(session: Session, actor: Actor, attempt: Attempt) -> bool:
    rounds = session.execute(
        select(Anchor.id, CalibrationRound.anchor_ids)
        .join(CalibrationRound, CalibrationRound.credential_id == Anchor.credential_id)
        .where(
            Anchor.attempt_id == attempt.id,
            CalibrationRound.reviewer_id.in_(actor.person_ids),
            CalibrationRound.finished_at.is_(None),
        )
    )
    return any(anchor_id in anchor_ids for anchor_id, anchor_ids in rounds)


def has_met(session: Session, person_ids: Collection[int], pursuit_id: int) -> bool:
    """Whether a human, known by these ids, was given any try of the pursuit to review, or decided on one."""
    tries = select(Attempt.id).where(Attempt.pursuit_id == pursuit_id)
    reviewed = select(Review.id).where(Review.attempt_id.in_(tries), Review.reviewer_id.in_(person_ids))
    decided = select(Decision.id).where(
        Decision.attempt_id.in_(tries), Decision.decided_by_id.in_(person_ids)
    )
    return any(session.scalar(query.limit(1)) is not None for query in (reviewed, decided))


def allows(held: frozenset[Relation], access: Access) -> bool:
    """Whether any of the relations allows it."""
    return bool(held & ALLOWED[access])


def require(session: Session, actor: Actor, attempt: Attempt, access: Access) -> frozenset[Relation]:
    """The actor's relations to the try, when they allow `access`.

    Raises NotFound to somebody who has nothing to do with the try, and NotAllowed to somebody who has, but
    not this.
    """
    held = relations(session, actor, attempt)
    if allows(held, access):
        return held
    if not held:
        raise NotFound(
            "no_such_try", "There is no such page for you here. Open it again from your course or your queue."
        )
    raise NotAllowed("not_yours", "Your part in this does not include that page. Nothing was changed.")
