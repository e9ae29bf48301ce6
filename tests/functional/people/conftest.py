"""Two course systems over one tool, on SQLite and where it matters on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.people.places import two_systems
from tests.functional.web.course import Course


@pytest.fixture
def systems(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Course, Course]]:
    """A course in each of two course systems, on SQLite."""
    with two_systems(migrated_sqlite_url, tmp_path) as both:
        yield both


@pytest.fixture
def systems_anywhere(migrated_database_url: str, tmp_path: Path) -> Iterator[tuple[Course, Course]]:
    """The same on SQLite and on PostgreSQL."""
    with two_systems(migrated_database_url, tmp_path) as both:
        yield both
