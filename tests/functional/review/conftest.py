"""The district of `world`: on SQLite, and on both databases where two people act at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from microcred.app.factory import create_app
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble
from microcred.database import Database
from tests.functional.review.visitor import ORIGIN, Visitor
from tests.functional.review.world import NOT_DRAWN, PICTURE, StoppedClock, World, build


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


@pytest.fixture
def assembly(world: World, tmp_path: Path) -> Iterator[Assembly]:
    """The tool's parts over the same database."""
    settings = Settings(
        public_url=ORIGIN,
        database_url=str(world.database.url),
        secret_keys=["a secret for tests that is long enough"],
        storage_url=str(tmp_path / "files"),
        data_dir=tmp_path,
    )
    assembled = assemble(settings, world.clock, lambda: NOT_DRAWN)
    assembled.storage.put("evidence/picture", [PICTURE])
    yield assembled
    assembled.close()


@pytest.fixture
def app(assembly: Assembly) -> Flask:
    """The whole tool."""
    return create_app(assembly)


@pytest.fixture
def reviewer(app: Flask, world: World) -> Visitor:
    """Robin Reviewer at the desk."""
    return Visitor.at_desk(app, world.database, world.clock, world.reviewer)


@pytest.fixture
def approver(app: Flask, world: World) -> Visitor:
    """Avery Approver at the desk."""
    return Visitor.at_desk(app, world.database, world.clock, world.approver)
