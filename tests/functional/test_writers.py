"""Many who write at once on one database: each comes to their turn."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from microcred.database import Database
from microcred.people.models import Person

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.long
def test_writers_wait_longer_than_sqlite_itself_would_let_them(database: Database) -> None:
    def write(number: int) -> None:
        with database.writing() as session:
            session.add(Person(name=f"Demo Person {number}", created_at=AT))
            session.flush()
            time.sleep(0.7)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(write, range(10)))
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 10


def test_whoever_fails_gives_the_turn_to_the_next(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.writing():
        _ = 1 / 0
    started = time.monotonic()
    with database.writing() as session:
        session.add(Person(name="Demo Person", created_at=AT))
    assert time.monotonic() - started < 5
