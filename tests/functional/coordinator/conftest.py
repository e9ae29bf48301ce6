"""A campus: the whole tool beside an LMS."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.campus import Campus, campus


@pytest.fixture
def here(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Campus]:
    """On SQLite."""
    with campus(migrated_sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
def anywhere(migrated_database_url: str, tmp_path: Path) -> Iterator[Campus]:
    """On SQLite and on PostgreSQL."""
    with campus(migrated_database_url, tmp_path) as made:
        yield made
