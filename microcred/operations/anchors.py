"""Anchors: decided tries that the issuer marks for practice, with the ratings agreed on and why."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.definition import definition_of
from microcred.credentials.models import Attempt, Credential
from microcred.credentials.review_models import Anchor
from microcred.credentials.steps import State
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.judging import clean
from microcred.operations.reading_decide import require_decider
from microcred.operations.reading_review import find_attempt
from microcred.people import audit

DECIDED = (State.AWARDED, State.DENIED, State.UPHELD, State.EXPIRED)
"""States of a try that may become an anchor: nothing of it changes any more."""


def mark(
    session: Session,
    actor: Actor,
    public_id: str,
    agreed: Mapping[str, str],
    reasons: Mapping[str, str],
    *,
    teacher_agreed: bool,
    now: datetime,
) -> None:
    """Make a decided try an anchor, or change what was agreed on it.

    `agreed` names a level for every criterion, `reasons` say why. Raises NotFound, NotAllowed, and
    OperationRefused: `teacher_not_asked` without the word that the teacher agreed, `unrated` where a point
    has no level, `not_decided`.
    """
    attempt = find_attempt(session, public_id, lock=True)
    require_decider(session, actor, attempt)
    if attempt.state not in DECIDED:
        raise OperationRefused("not_decided", "Only a try that has been decided can be used for practice.")
    if not teacher_agreed:
        raise OperationRefused(
            "teacher_not_asked",
            "Confirm that the teacher agreed in writing that this try is used for practice.",
        )
    definition = definition_of(session, attempt.pursuit.version)
    known = {criterion.id: criterion for _, criterion in definition.criteria()}
    levels = {
        key: level
        for key, level in agreed.items()
        if key in known and level in {each.key for each, _ in definition.levels(known[key])}
    }
    if levels.keys() != known.keys():
        raise OperationRefused("unrated", "Agree on a level for every point first.")
    anchor = session.scalar(select(Anchor).where(Anchor.attempt_id == attempt.id))
    if anchor is None:
        anchor = Anchor(
            attempt_id=attempt.id,
            credential_id=attempt.pursuit.version.credential_id,
            marked_by_id=actor.own_id,
            marked_at=now,
        )
        session.add(anchor)
    anchor.agreed = levels
    anchor.reasons = {key: clean(text) for key, text in reasons.items() if key in known and text.strip()}
    anchor.retired_at = None
    session.flush()
    _record(session, actor, "anchor_marked", anchor, now)


def retire(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Use a try for practice no more; rounds under way still show it. Raises NotFound, NotAllowed."""
    attempt = find_attempt(session, public_id, lock=True)
    require_decider(session, actor, attempt)
    anchor = session.scalar(select(Anchor).where(Anchor.attempt_id == attempt.id))
    if anchor is None:
        raise NotFound("no_such_anchor", "This try is not used for practice.")
    if anchor.retired_at is None:
        anchor.retired_at = now
        _record(session, actor, "anchor_retired", anchor, now)


def anchor_of(session: Session, attempt_public_id: str) -> Anchor | None:
    """The anchor made of a try, if it is used now."""
    return session.scalar(
        select(Anchor)
        .join(Attempt, Attempt.id == Anchor.attempt_id)
        .where(Attempt.public_id == attempt_public_id, Anchor.retired_at.is_(None))
    )


def counts(session: Session, actor: Actor) -> Mapping[str, int]:
    """How many anchors are used, by the credential's key, for the issuers that the actor approves for."""
    rows = session.scalars(
        select(Credential.key)
        .join(Anchor, Anchor.credential_id == Credential.id)
        .where(Credential.issuer_id.in_(actor.organizations("approver")), Anchor.retired_at.is_(None))
    )
    found: dict[str, int] = {}
    for key in rows:
        found[key] = found.get(key, 0) + 1
    return found


def _record(session: Session, actor: Actor, action: str, anchor: Anchor, now: datetime) -> None:
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action=action,
        subject=("anchor", anchor.id),
        detail={"points": len(anchor.agreed)},
    )
