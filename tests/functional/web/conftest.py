"""The course of the page tests, on SQLite and where it matters on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.web.course import Course, MovingClock, Visitor, build


@pytest.fixture
def course(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Course]:
    """The course, on SQLite."""
    made = build(migrated_sqlite_url, tmp_path, MovingClock())
    yield made
    made.assembly.close()


@pytest.fixture
def course_anywhere(migrated_database_url: str, tmp_path: Path) -> Iterator[Course]:
    """The course, on SQLite and on PostgreSQL."""
    made = build(migrated_database_url, tmp_path, MovingClock())
    yield made
    made.assembly.close()


@pytest.fixture
def teacher(course: Course) -> Visitor:
    """A learner who has opened the credential."""
    visitor = course.visitor()
    assert visitor.get().status_code == 200
    return visitor
