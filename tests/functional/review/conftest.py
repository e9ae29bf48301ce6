"""The district of `world`: on SQLite, and on both databases where two people act at once."""

from collections.abc import Iterator

import pytest

from microcred.database import Database
from tests.functional.review.world import StoppedClock, World, build


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    """The district with its clock."""
    opened = Database(migrated_sqlite_url)
    yield build(opened, StoppedClock())
    opened.dispose()


@pytest.fixture
def busy_world(database: Database) -> World:
    """The same on SQLite and on PostgreSQL."""
    return build(database, StoppedClock())
