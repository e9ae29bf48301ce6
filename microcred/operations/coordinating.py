"""How a credential goes in one course, for the people who run the course: states and deliveries, no evidence,
no ratings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import grade_passback
from lti_tool.sessions import PageSession
from microcred.credentials import Definition
from microcred.credentials.models import Attempt, Award, Pursuit
from microcred.operations.actor import Actor
from microcred.operations.arriving import placement_of
from microcred.operations.current import CURRENT_FIRST
from microcred.operations.errors import NotAllowed
from microcred.operations.placement_settings import newer_version
from microcred.operations.placing import version_of
from microcred.people.models import Person
from microcred.placements import SCHEME_LABELS, Placement

PAGE_SIZE = 50

STATE_WORDS: Mapping[str, str] = {
    "draft": "Working on it",
    "submitted": "Submitted, waits for a reviewer",
    "checking": "Being checked",
    "in_review": "Being reviewed",
    "second_review": "Being reviewed",
    "adjudication": "Being reviewed",
    "recommended": "Waits for the decision",
    "returned_to_reviewer": "Being reviewed",
    "revisions_requested": "Revisions needed",
    "awarded": "Earned",
    "denied": "Not awarded",
    "withdrawn": "Taken back",
    "appeal_open": "Appeal under way",
    "upheld": "Not awarded",
    "revoked": "Withdrawn",
    "expired": "Expired",
}


@dataclass(frozen=True)
class Learner:
    """One teacher of the course, as its staff see them."""

    name: str
    state: str
    state_words: str
    tries: int
    submitted_at: datetime | None
    due_at: datetime | None
    decided_at: datetime | None
    award_public_id: str | None
    deliveries: Sequence[grade_passback.SyncRow]


@dataclass(frozen=True)
class CourseView:
    """A placement and who stands where."""

    definition: Definition
    scheme_label: str
    open_from: datetime | None
    submit_by: datetime | None
    learners: tuple[Learner, ...]
    counts: Mapping[str, int]
    """How many opened it, submitted, earned."""
    progress: grade_passback.Progress
    newer_version: str | None
    """Name of a version that was published after the course's own."""
    next_key: str | None


def course(session: Session, actor: Actor, *, after: str | None) -> CourseView | None:
    """The course's credential and its learners, paged by key; None where the link opens no credential yet.
    Raises NotAllowed.
    """
    launch = staff_launch(actor)
    placement = placement_of(session, launch)
    if placement is None:
        return None
    pursuits = session.execute(
        select(Pursuit, Person)
        .join(Person, Person.id == Pursuit.person_id)
        .where(Pursuit.placement_id == placement.id, Pursuit.id > key_after(after))
        .order_by(Pursuit.id)
        .limit(PAGE_SIZE + 1)
    ).all()
    page = pursuits[:PAGE_SIZE]
    sync = grade_passback.sync_rows(session, placement.id, [person.id for _, person in page])
    learners = tuple(
        learner_of(session, pursuit, person, sync.get(person.id, ())) for pursuit, person in page
    )
    return CourseView(
        definition=version_of(session, placement),
        scheme_label=SCHEME_LABELS[placement.grade_scheme],
        open_from=placement.open_from,
        submit_by=placement.submit_by,
        learners=learners,
        counts=_counts(session, placement),
        progress=grade_passback.progress(session, placement.id),
        newer_version=newer_version(session, placement),
        next_key=str(page[-1][0].id) if len(pursuits) > PAGE_SIZE else None,
    )


def staff_launch(actor: Actor) -> PageSession:
    """The launch of somebody who may see how a course goes. Raises NotAllowed."""
    if actor.launch is None or "see_progress" not in actor.rights:
        raise NotAllowed("not_staff", "Only people who teach or manage this course can see how it goes.")
    return actor.launch


def learner_of(
    session: Session, pursuit: Pursuit, person: Person, deliveries: Sequence[grade_passback.SyncRow]
) -> Learner:
    """Where one learner stands, with what the gradebook was told."""
    attempt = session.scalars(
        select(Attempt).where(Attempt.pursuit_id == pursuit.id).order_by(*CURRENT_FIRST).limit(1)
    ).one()
    award = session.scalar(
        select(Award.public_id)
        .where(Award.pursuit_id == pursuit.id, Award.revoked_at.is_(None))
        .order_by(Award.id.desc())
    )
    revising = attempt.state == "draft" and attempt.number > 1
    return Learner(
        name=person.name or "Name not shared",
        state=attempt.state,
        state_words="Revising" if revising else STATE_WORDS[attempt.state],
        tries=attempt.number,
        submitted_at=attempt.submitted_at,
        due_at=attempt.decision_due_at if attempt.decided_at is None else None,
        decided_at=attempt.decided_at,
        award_public_id=award,
        deliveries=deliveries,
    )


def _counts(session: Session, placement: Placement) -> Mapping[str, int]:
    in_course = select(func.count(func.distinct(Pursuit.id))).where(Pursuit.placement_id == placement.id)
    submitted = in_course.join(Attempt, Attempt.pursuit_id == Pursuit.id).where(
        Attempt.submitted_at.is_not(None)
    )
    earned = in_course.join(Award, Award.pursuit_id == Pursuit.id).where(Award.revoked_at.is_(None))
    return {
        "opened": session.scalar(in_course) or 0,
        "submitted": session.scalar(submitted) or 0,
        "earned": session.scalar(earned) or 0,
    }


def key_after(after: str | None) -> int:
    """The row a page begins behind; what is no number begins at the first."""
    return int(after) if after and after.isdecimal() and len(after) < 18 else 0
