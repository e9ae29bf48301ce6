"""Whether an LMS and this tool work together: what a self-test needs to know, for whoever may ask.

The test itself (`grade_passback.self_test`) runs outside any transaction.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from grade_passback.self_test import Subject
from lti_tool.facts import RegistrationFacts
from lti_tool.models import Context, Launch, Registration
from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed, NotFound
from microcred.operations.operating import own_platforms, require_operator

MOST = 50


def of_course(session: Session, actor: Actor) -> Subject:
    """The LMS of the actor's launch, tried in this course. Raises NotAllowed."""
    if actor.launch is None or "place" not in actor.rights:
        raise NotAllowed("not_staff", "Only people who manage this course can try its connection.")
    row = session.get_one(Registration, actor.launch.registration_id)
    context = session.get(Context, actor.launch.context_row_id) if actor.launch.context_row_id else None
    return _subject(session, row, context)


def of_platform(session: Session, actor: Actor, public_id: str) -> Subject:
    """An operator's platform, in the course that it was opened from last. Raises NotAllowed, NotFound."""
    require_operator(actor)
    row = session.scalar(
        select(Registration).where(Registration.public_id == public_id, own_platforms(actor))
    )
    if row is None:
        raise NotFound("no_such_platform", "There is no such platform for you here.")
    return _subject(session, row, _last_context(session, row.id))


def launched(session: Session) -> Sequence[tuple[str, Subject]]:
    """Approved platforms that were opened from a course, by name, at most `MOST`: for the command line."""
    rows = session.scalars(
        select(Registration).where(Registration.state == "approved").order_by(Registration.id).limit(MOST)
    ).all()
    found = [(row, _last_context(session, row.id)) for row in rows]
    return [(row.name, _subject(session, row, context)) for row, context in found if context is not None]


def _last_context(session: Session, registration_id: int) -> Context | None:
    return session.scalar(
        select(Context)
        .join(Launch, Launch.context_id == Context.id)
        .where(Launch.registration_id == registration_id)
        .order_by(Launch.id.desc())
        .limit(1)
    )


def _subject(session: Session, row: Registration, context: Context | None) -> Subject:
    newest = select(Launch.created_at).where(Launch.registration_id == row.id).order_by(Launch.id.desc())
    launched_at = session.scalar(newest.limit(1))
    facts = RegistrationFacts.of(row)
    if context is None:
        return Subject(facts, launched_at)
    return Subject(
        facts,
        launched_at,
        course=context.title or "",
        lineitems_url=context.lineitems_url,
        scopes=tuple(context.ags_scopes),
        memberships_url=context.memberships_url,
    )
