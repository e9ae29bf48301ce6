"""One learner's credential, as a submission review opens it from the gradebook (AGS submission review; DESIGN
section 4): in the rights of whoever opened it.

That says a name, so it never leads to a reviewer's desk: blind review stays blind. The people of the course
see state, dates, decision and badge, as on their course's page; an approver may go on to the case.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

import grade_passback
from lti_tool.sessions import PageSession
from microcred.credentials import Definition
from microcred.credentials.models import Attempt, Pursuit
from microcred.operations import access
from microcred.operations.access import Relation
from microcred.operations.actor import Actor
from microcred.operations.arriving import placement_of
from microcred.operations.coordinating import Learner, learner_of, staff_launch
from microcred.operations.current import CURRENT_FIRST
from microcred.operations.errors import NotFound
from microcred.operations.placing import version_of
from microcred.people import ids_of
from microcred.people.models import LmsIdentity, Person
from microcred.placements import GradeColumn, Placement


@dataclass(frozen=True)
class OneLearner:
    """What the page shows."""

    definition: Definition
    learner: Learner | None
    """None where this person has not opened the credential yet."""
    case: str | None
    """The newest try's public id, for an approver who may read it."""


def one_learner(session: Session, actor: Actor) -> OneLearner:
    """The learner whom the launch is about. Raises NotFound, NotAllowed."""
    launch = staff_launch(actor)
    placement = _placement(session, launch)
    if launch.for_user_sub is None or placement is None:
        raise NotFound(
            "no_such_learner",
            "The gradebook did not say which micro-credential this is. Open it from your course instead.",
        )
    definition = version_of(session, placement)
    found = _pursuit(session, launch, placement)
    if found is None:
        return OneLearner(definition, None, None)
    pursuit, person = found
    attempt = session.scalars(
        select(Attempt).where(Attempt.pursuit_id == pursuit.id).order_by(*CURRENT_FIRST).limit(1)
    ).one()
    held = access.require(session, actor, attempt, access.Access.SEE_STATUS)
    sent = grade_passback.sync_rows(session, placement.id, [person.id]).get(person.id, ())
    learner = learner_of(session, pursuit, person, sent)
    return OneLearner(definition, learner, attempt.public_id if Relation.APPROVER in held else None)


def _placement(session: Session, launch: PageSession) -> Placement | None:
    """That of the launch's link, or the one in this course whose column the message names."""
    placement = placement_of(session, launch)
    if placement is not None or launch.lineitem_url is None or launch.context_row_id is None:
        return placement
    return session.scalar(
        select(Placement)
        .join(GradeColumn, GradeColumn.placement_id == Placement.id)
        .options(selectinload(Placement.columns))
        .where(Placement.context_id == launch.context_row_id, GradeColumn.lineitem_url == launch.lineitem_url)
        .order_by(Placement.id)
        .limit(1)
    )


def _pursuit(session: Session, launch: PageSession, placement: Placement) -> tuple[Pursuit, Person] | None:
    """The person's work here; a person with two linked identities may have begun it with the other one."""
    person_id = session.scalar(
        select(LmsIdentity.person_id).where(
            LmsIdentity.registration_id == launch.registration_id, LmsIdentity.sub == launch.for_user_sub
        )
    )
    if person_id is None:
        return None
    row = session.execute(
        select(Pursuit, Person)
        .join(Person, Person.id == Pursuit.person_id)
        .where(Pursuit.placement_id == placement.id, Pursuit.person_id.in_(ids_of(session, person_id)))
        .order_by(Pursuit.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])
