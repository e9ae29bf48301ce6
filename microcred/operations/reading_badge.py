"""The badge as its holder sees it: the award, whether it is signed, and what became of the grade."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

import grade_passback
from microcred.badges.models import Badge
from microcred.credentials.models import Award, Pursuit
from microcred.operations.actor import Actor
from microcred.people.models import LmsIdentity, Person

GradeState = Literal["none", "waiting", "delivered", "stuck"]
_ARRIVED = frozenset({"delivered", "accepted", "unverified", "superseded"})


@dataclass(frozen=True)
class EarnedBadge:
    """An award for its holder's page."""

    public_id: str
    awarded_at: datetime
    valid_until: datetime | None
    clock_hours: int
    is_signed: bool
    is_test: bool
    grade: GradeState
    grade_sent: str
    """`100 of 100`; empty where nothing was sent."""
    grade_at: datetime | None


@dataclass(frozen=True)
class Holder:
    """Whose badges they are. `identifier` is the user id by which the learner is recognised."""

    name: str | None
    identifier: str


def earned_badge(session: Session, pursuit: Pursuit) -> EarnedBadge | None:
    """The award of a pursuit that stands; None where there is none."""
    award = session.scalar(
        select(Award)
        .where(Award.pursuit_id == pursuit.id, Award.revoked_at.is_(None))
        .order_by(Award.id.desc())
        .limit(1)
    )
    if award is None:
        return None
    image = session.scalar(select(Badge.image_key).where(Badge.award_id == award.id))
    cells = grade_passback.sync_rows(session, pursuit.placement_id, [pursuit.person_id])
    sent = [cell for cell in cells.get(pursuit.person_id, ()) if cell.state != "none"]
    return EarnedBadge(
        award.public_id,
        award.awarded_at,
        award.valid_until,
        award.clock_hours,
        bool(image),
        award.is_test,
        _state({cell.state for cell in sent}),
        sent[0].sent if sent else "",
        max((cell.tried_at for cell in sent if cell.tried_at is not None), default=None),
    )


def record_of(session: Session, actor: Actor) -> list[str]:
    """The public ids of a person's awards wherever they were earned, newest first; without tests."""
    return list(
        session.scalars(
            select(Award.public_id)
            .where(Award.person_id.in_(actor.person_ids), Award.is_test.is_(False))
            .order_by(Award.awarded_at.desc(), Award.id.desc())
        )
    )


def holder_of(session: Session, actor: Actor) -> Holder:
    """The person at work, as a holder of badges."""
    person = session.get_one(Person, actor.own_id)
    sub = session.scalar(
        select(LmsIdentity.sub)
        .where(
            LmsIdentity.person_id == actor.own_id,
            LmsIdentity.registration_id == (actor.launch.registration_id if actor.launch else None),
        )
        .limit(1)
    )
    return Holder(person.name, sub or person.public_id)


def _state(states: set[str]) -> GradeState:
    """One word for all columns: the worst of them."""
    if not states:
        return "none"
    if states <= _ARRIVED:
        return "delivered"
    return "waiting" if states <= _ARRIVED | {"waiting"} else "stuck"
