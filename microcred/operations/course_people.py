"""What the roster of a course (Names and Role Provisioning 2.0) is used for: names of people whose launches
bring none, who has not started, and whose course it is when a reviewer is chosen.

Nothing is stored of people who were never here. A roster that broke off takes nothing away: only one that was
read to its end says that somebody is gone.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from lti_tool.models import Context, CourseStaff, Deployment, Launch
from lti_tool.roles import rights_of
from lti_tool.roster import Member, Roster
from microcred.credentials.models import Pursuit
from microcred.operations.actor import Actor
from microcred.operations.arriving import placement_of
from microcred.operations.coordinating import staff_launch
from microcred.people.models import LmsIdentity, Person

STAFF = frozenset({"see_progress", "place"})
"""Rights in a course that make somebody its staff."""
_AT_A_TIME = 500


def learn(session: Session, context_row_id: int, roster: Roster, now: datetime) -> None:
    """Keep what a roster says of people who are known here: names where their launches brought none, and who
    is staff of the course.
    """
    registration_id = session.scalars(
        select(Deployment.registration_id)
        .join(Context, Context.deployment_id == Deployment.id)
        .where(Context.id == context_row_id)
        # One roster of a course at a time; launches into it need not wait.
        .with_for_update(of=Context, key_share=True)
    ).one()
    launched = launched_as_staff(session, context_row_id)
    staff: set[int] = set()
    for members in _chunks(roster.members):
        by_sub = {member.user_id: member for member in members}
        known = session.execute(
            select(LmsIdentity.sub, LmsIdentity.id, LmsIdentity.person_id).where(
                LmsIdentity.registration_id == registration_id, LmsIdentity.sub.in_(by_sub)
            )
        ).all()
        _name(session, {person_id: by_sub[sub] for sub, _, person_id in known})
        staff |= {identity_id for sub, identity_id, _ in known if sub in launched or _is_staff(by_sub[sub])}
    _keep_staff(session, context_row_id, staff, now, is_whole=roster.is_whole)


def not_started(
    session: Session, actor: Actor, learners: Sequence[tuple[str, str]]
) -> tuple[str, ...] | None:
    """Names, in order, of those `learners` (the LMS's id and a name) who have not opened this link's
    credential; None where the link opens none yet. Raises NotAllowed.
    """
    launch = staff_launch(actor)
    placement = placement_of(session, launch)
    if placement is None:
        return None
    # Somebody may have begun it with another account that is linked with the one in this course.
    begun, here = aliased(Person), aliased(Person)
    humans = (
        select(func.coalesce(begun.merged_into_id, begun.id))
        .join(Pursuit, Pursuit.person_id == begun.id)
        .where(Pursuit.placement_id == placement.id)
    )
    started = set(
        session.scalars(
            select(LmsIdentity.sub)
            .join(here, here.id == LmsIdentity.person_id)
            .where(
                LmsIdentity.registration_id == launch.registration_id,
                func.coalesce(here.merged_into_id, here.id).in_(humans),
            )
        )
    )
    return tuple(sorted((name for sub, name in learners if sub not in started), key=str.casefold))


def launched_as_staff(session: Session, context_row_id: int) -> frozenset[str]:
    """The LMS's ids of those whose newest launch into the course brought rights of staff, not a learner's."""
    newest = (
        select(func.max(Launch.id)).where(Launch.context_id == context_row_id).group_by(Launch.identity_id)
    )
    rows = session.execute(
        select(LmsIdentity.sub, Launch.rights)
        .join(Launch, Launch.identity_id == LmsIdentity.id)
        .where(Launch.id.in_(newest))
    )
    return frozenset(sub for sub, rights in rows if STAFF & set(rights) and "submit" not in rights)


def _is_staff(member: Member) -> bool:
    return member.is_active and bool(STAFF & rights_of(member.roles))


def _name(session: Session, people: dict[int, Member]) -> None:
    """A launch's own names always win: only who has none gets one."""
    nameless = session.scalars(
        select(Person.id).where(
            Person.id.in_(people),
            Person.state == "active",
            Person.name.is_(None),
            Person.given_name.is_(None),
            Person.family_name.is_(None),
        )
    )
    for person_id in nameless.all():
        one = people[person_id]
        if one.name or one.given_name or one.family_name:
            session.execute(
                update(Person)
                .where(Person.id == person_id)
                .values(name=one.name, given_name=one.given_name, family_name=one.family_name)
            )


def _keep_staff(
    session: Session, context_row_id: int, staff: set[int], now: datetime, *, is_whole: bool
) -> None:
    ours = CourseStaff.context_id == context_row_id
    before = set(session.scalars(select(CourseStaff.identity_id).where(ours)))
    gone = before - staff
    if is_whole and gone:
        session.execute(delete(CourseStaff).where(ours, CourseStaff.identity_id.in_(gone)))
    if before & staff:
        session.execute(
            update(CourseStaff).where(ours, CourseStaff.identity_id.in_(before & staff)).values(seen_at=now)
        )
    if new := sorted(staff - before):
        rows = [{"context_id": context_row_id, "identity_id": one, "seen_at": now} for one in new]
        session.execute(insert(CourseStaff), rows)


def _chunks(members: Sequence[Member]) -> Iterator[Sequence[Member]]:
    for start in range(0, len(members), _AT_A_TIME):
        yield members[start : start + _AT_A_TIME]
