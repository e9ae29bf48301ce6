"""Columns that belong to no link in a copied course: Moodle copies them with the `resourceId` they had."""

import pytest
from sqlalchemy import select

from lti_tool.models import Context
from microcred.placements import Placement
from tests.functional.grade_passback.conftest import MakeCourse
from tests.support.grading import Course, World

TAGS = ("p2", "p3", "p4")


def copied_from(world: World, course: Course, *, elsewhere: bool) -> str:
    """Make the course's placement a copy of another one, of another course or of the same; its public id."""
    with world.database.writing() as session:
        copy = session.get_one(Placement, course.placement_id)
        here = session.get_one(Context, course.context_id)
        context = Context(deployment_id=here.deployment_id, context_id="c-0", created_at=world.clock.now())
        session.add(context)
        session.flush()
        original = Placement(
            context_id=context.id if elsewhere else here.id,
            deployment_id=copy.deployment_id,
            organization_id=copy.organization_id,
            version_id=copy.version_id,
            grade_scheme=copy.grade_scheme,
            created_at=world.clock.now(),
        )
        session.add(original)
        session.flush()
        copy.copied_from_id = original.id
        return original.public_id


def bring_along(course: Course, resource_id: str, times: int = 1) -> list[str]:
    """The columns as the LMS copied them; their ids."""
    made = [
        course.platform.add_line_item("c-1", f"Part {tag}", 1, resource_id=resource_id, tag=tag)
        for tag in TAGS
        for _ in range(times)
    ]
    return [item.id for item in made]


def graded(course: Course, sub: str) -> set[str]:
    return {item.id for item in course.platform.line_items.values() if item.grades.get(sub)}


@pytest.mark.parametrize("lms", ["moodle", "other"])
def test_columns_that_came_with_a_copied_course_are_used(
    world: World, course_in: MakeCourse, lms: str
) -> None:
    course = course_in(lms, scheme="per_part") if lms == "moodle" else world.course(scheme="per_part")
    brought = bring_along(course, copied_from(world, course, elsewhere=True))
    for sub in ("u-1", "u-2"):
        world.moment(world.learner(course, sub), "awarded")
    world.deliver_for(minutes=2)

    assert len(course.platform.line_items) == 1 + len(TAGS)
    assert graded(course, "u-1") == graded(course, "u-2") == set(course.platform.line_items)
    assert set(brought) < graded(course, "u-1")


@pytest.mark.parametrize(("elsewhere", "times"), [(False, 1), (True, 2)], ids=["same course", "ambiguous"])
def test_columns_that_may_be_another_links_are_left_alone(
    world: World, course_in: MakeCourse, elsewhere: bool, times: int
) -> None:
    course = course_in("moodle", scheme="per_part")
    brought = bring_along(course, copied_from(world, course, elsewhere=elsewhere), times)
    world.moment(world.learner(course, "u-1"), "awarded")
    world.deliver_for(minutes=2)

    assert not graded(course, "u-1") & set(brought)
    assert len(graded(course, "u-1")) == 1 + len(TAGS)
    with world.database.reading() as session:
        placement = session.scalars(select(Placement).where(Placement.id == course.placement_id)).one()
        made = [item for item in course.platform.line_items.values() if item.id not in brought]
        assert {item.resource_id for item in made} == {placement.public_id}
