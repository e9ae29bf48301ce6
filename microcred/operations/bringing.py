"""A draft outlives its course: whoever opens the same credential in another course of the organization may
bring it along. The whole pursuit moves, with tries, feedback and permissions; grades follow the new course.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.models import Context
from microcred.credentials.models import Attempt, EvidenceItem, Pursuit, Response
from microcred.credentials.steps import State
from microcred.operations.actor import Actor
from microcred.operations.arriving import placement_of
from microcred.operations.errors import NotAllowed, NotFound
from microcred.operations.reading_teacher import pursuit_of
from microcred.people import audit
from microcred.placements import Placement


@dataclass(frozen=True)
class Offer:
    """A draft in another course."""

    pursuit_id: int
    course: str
    """Title of the course it stands in."""
    number: int
    """Which try it is."""
    words: int
    items: int
    saved_at: datetime


def offer(session: Session, actor: Actor) -> Offer | None:
    """The actor's newest draft of this credential in another course; None where nothing can be brought."""
    placement = _placement(session, actor)
    if placement is None or pursuit_of(session, actor, placement.id) is not None:
        return None
    found = session.execute(
        select(Pursuit, Attempt, Context.title)
        .join(Attempt, Attempt.pursuit_id == Pursuit.id)
        .join(Placement, Placement.id == Pursuit.placement_id)
        .outerjoin(Context, Context.id == Placement.context_id)
        .where(
            Pursuit.person_id.in_(actor.person_ids),
            Pursuit.version_id == placement.version_id,
            Pursuit.is_test == actor.is_test,
            Placement.organization_id == placement.organization_id,
            Attempt.state == State.DRAFT,
        )
        .order_by(Attempt.id.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    pursuit, attempt, title = found
    words, saved = session.execute(
        select(func.sum(Response.words), func.max(Response.saved_at)).where(Response.attempt_id == attempt.id)
    ).one()
    items = session.scalar(
        select(func.count())
        .select_from(EvidenceItem)
        .where(EvidenceItem.attempt_id == attempt.id, EvidenceItem.removed_at.is_(None))
    )
    if not words and not items:
        return None
    return Offer(
        pursuit.id,
        title or "another course",
        attempt.number,
        words or 0,
        items or 0,
        saved or attempt.created_at,
    )


def bring_along(session: Session, actor: Actor, now: datetime) -> None:
    """Move the offered draft here. A second press changes nothing. Raises NotFound, NotAllowed."""
    if "submit" not in actor.rights:
        raise NotAllowed("role", "Your role in this course does not submit work.")
    placement = _placement(session, actor)
    if placement is not None and pursuit_of(session, actor, placement.id) is not None:
        return
    offered = offer(session, actor)
    if placement is None or offered is None:
        raise NotFound("nothing_to_bring", "There is no draft of yours to bring along any more.")
    pursuit = session.get_one(Pursuit, offered.pursuit_id, with_for_update=True)
    before, pursuit.placement_id = pursuit.placement_id, placement.id
    session.flush()
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action="pursuit_brought_along",
        subject=("pursuit", pursuit.id),
        before=str(before),
        after=str(placement.id),
    )


def _placement(session: Session, actor: Actor) -> Placement | None:
    return placement_of(session, actor.launch) if actor.launch is not None else None
