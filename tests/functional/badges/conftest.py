"""A campus whose badges have a public address of their own, served by the same tool."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.campus import Campus, campus

BADGES = "https://badges.example.org"


@pytest.fixture
def here(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Campus]:
    """On SQLite."""
    with campus(migrated_sqlite_url, tmp_path, badge_url=BADGES) as made:
        yield made


@pytest.fixture
def anywhere(migrated_database_url: str, tmp_path: Path) -> Iterator[Campus]:
    """On SQLite and on PostgreSQL."""
    with campus(migrated_database_url, tmp_path, badge_url=BADGES) as made:
        yield made
