"""Two course systems, an operator of everything, an operator of one organization."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.people.places import Desk, officer, two_systems
from tests.functional.web.course import Course


@pytest.fixture
def systems(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Course, Course]]:
    """A course in each of two course systems, on SQLite."""
    with two_systems(migrated_sqlite_url, tmp_path) as both:
        yield both


@pytest.fixture
def operator(systems: tuple[Course, Course]) -> Desk:
    """An operator of the whole installation at the desk."""
    return officer(systems[0], "operator", "Olga Operator")
