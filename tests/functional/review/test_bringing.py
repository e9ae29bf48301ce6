"""The draft of one course brought along into another course of the organization."""

import pytest
from sqlalchemy import select

from lti_tool.models import Context, ResourceLink
from microcred.credentials.models import Attempt, Pursuit, Response
from microcred.operations import bringing, teacher
from microcred.operations.errors import NotFound
from microcred.people.models import AuditEvent
from microcred.placements.models import GradeColumn, Placement
from tests.functional.review.world import World


def next_term(world: World) -> tuple[int, int]:
    """The same credential in another course: placement and link."""
    now = world.clock.now()
    with world.database.writing() as session:
        context = Context(
            deployment_id=world.deployment_id, context_id="course-2", title="Spring course", created_at=now
        )
        session.add(context)
        session.flush()
        link = ResourceLink(
            deployment_id=world.deployment_id,
            context_id=context.id,
            resource_link_id="link-2",
            title="Shape ideas",
            created_at=now,
        )
        session.add(link)
        session.flush()
        placement = Placement(
            context_id=context.id,
            deployment_id=world.deployment_id,
            organization_id=world.district_id,
            version_id=world.version_id,
            resource_link_id=link.id,
            grade_scheme="hundred",
            created_at=now,
            columns=[GradeColumn(tag="main", label="Idea Shaper", score_maximum=100.0, created_at=now)],
        )
        session.add(placement)
        session.flush()
        return placement.id, link.id


def draft(world: World) -> None:
    with world.database.writing() as session:
        teacher.open_pursuit(session, world.in_course(world.teacher), world.clock.now())
        attempt = session.scalars(select(Attempt)).one()
        world.write(session, attempt)


def test_the_draft_moves_with_all_that_belongs_to_it(busy_world: World) -> None:
    world = busy_world
    draft(world)
    placement_id, link_id = next_term(world)
    there = world.in_course(world.teacher, "read", "submit", link_id=link_id)
    with world.database.reading() as session:
        offered = bringing.offer(session, there)
    assert offered is not None
    assert (offered.course, offered.number, offered.words > 0, offered.items > 0) == (
        "Demo course",
        1,
        True,
        True,
    )
    for _ in range(2):  # a second press changes nothing
        with world.database.writing() as session:
            bringing.bring_along(session, there, world.clock.now())
    with world.database.reading() as session:
        pursuit = session.scalars(select(Pursuit)).one()
        assert pursuit.placement_id == placement_id
        assert session.scalars(select(Response)).all()
        assert session.scalars(select(AuditEvent).where(AuditEvent.action == "pursuit_brought_along")).one()


@pytest.mark.parametrize("what", ["empty", "submitted", "somebody else's"])
def test_only_an_own_draft_with_something_in_it_is_offered(world: World, what: str) -> None:
    who = world.stranger if what == "somebody else's" else world.teacher
    if what == "empty":
        with world.database.writing() as session:
            teacher.open_pursuit(session, world.in_course(world.teacher), world.clock.now())
    elif what == "submitted":
        world.submitted()
    else:
        draft(world)
    _, link_id = next_term(world)
    there = world.in_course(who, "read", "submit", link_id=link_id)
    with world.database.writing() as session:
        assert bringing.offer(session, there) is None
        with pytest.raises(NotFound):
            bringing.bring_along(session, there, world.clock.now())
