"""An outbox on a real database."""

from collections.abc import Callable, Iterator

import pytest

from microcred.database import Base, Database
from tests.support.outbox import TABLES, Outbox, SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url, pool_size=20)
    Base.metadata.create_all(opened.engine, tables=TABLES)
    yield opened
    opened.dispose()


@pytest.fixture
def outbox_on(clock: SetClock) -> Iterator[Callable[[str], Outbox]]:
    """An outbox on a database of one kind."""
    made: list[Database] = []

    def make(url: str) -> Outbox:
        made.append(Database(url))
        Base.metadata.create_all(made[-1].engine, tables=TABLES)
        return Outbox(made[-1], clock)

    yield make
    for database in made:
        database.dispose()


@pytest.fixture
def outbox(database: Database, clock: SetClock) -> Outbox:
    return Outbox(database, clock)
