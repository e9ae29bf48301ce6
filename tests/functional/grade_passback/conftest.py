"""A course in an LMS that behaves like one of the real ones."""

from collections.abc import Callable, Iterator

import pytest

import demo_lms
from tests.support.grading import Course, World, world_on

MakeCourse = Callable[..., Course]


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with world_on(migrated_sqlite_url) as made:
        yield made


@pytest.fixture
def course_in(world: World) -> MakeCourse:
    """A course in the LMS of that name, whose link has its column unless `column` is False."""

    def make(lms: str, **more: object) -> Course:
        platform = demo_lms.Platform(clock=world.clock.now, dialect=demo_lms.DIALECTS[lms])
        return world.course(lms=lms, platform=platform, **more)  # type: ignore[arg-type]

    return make
