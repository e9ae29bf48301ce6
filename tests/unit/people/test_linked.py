"""Which persons are one human: links are one step deep, and undoing them leaves no trace."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from microcred.app.tables import metadata
from microcred.database import Database
from microcred.operations import linking
from microcred.operations.actor import actor_for_desk
from microcred.operations.errors import OperationRefused
from microcred.people import canonical_id, canonical_ids, ids_of
from microcred.people.models import Person
from microcred.sealing import Keyring

NOW = datetime(2026, 9, 28, 14, 0, tzinfo=UTC)
KEYRING = Keyring(["a secret of the tests alone"])
PEOPLE = 5


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session on an empty database; each example is undone by a savepoint."""
    folder: Path = tmp_path_factory.mktemp("people")
    database = Database(f"sqlite:///{folder / 'people.sqlite3'}")
    metadata.create_all(database.engine)
    with database.writing() as opened:
        yield opened
    database.dispose()


STEP = st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1), st.booleans())


@settings(max_examples=40)
@given(steps=st.lists(STEP, max_size=12))
def test_links_made_and_undone_in_any_order(session: Session, steps: list[tuple[int, int, bool]]) -> None:
    with session.begin_nested() as savepoint:
        people = [Person(name=f"Demo {n}", created_at=NOW) for n in range(PEOPLE)]
        session.add_all(people)
        session.flush()
        ids = [person.id for person in people]
        groups = {person_id: {person_id} for person_id in ids}
        for first, second, joins in steps:
            if joins:
                _join(session, ids[first], ids[second], groups)
            elif linking.separate(session, ids[first], by=None, now=NOW):
                groups[ids[first]].discard(ids[first])
                groups[ids[first]] = {ids[first]}
            _check(session, people, groups)
        for person_id in ids:
            linking.separate(session, person_id, by=None, now=NOW)
        assert all(person.merged_into_id is None for person in people)
        assert all(ids_of(session, person_id) == {person_id} for person_id in ids)
        savepoint.rollback()


def _join(session: Session, first: int, second: int, groups: dict[int, set[int]]) -> None:
    maker, taker = (actor_for_desk(session, person_id, NOW) for person_id in (first, second))
    code = linking.make_code(session, maker, KEYRING, NOW)
    try:
        done = linking.confirm(session, taker, KEYRING, code, NOW)
    except OperationRefused:
        assert first == second or second in groups[first] or min(len(groups[first]), len(groups[second])) > 1
        return
    assert done is not None
    joined = groups[first] | groups[second]
    for person_id in joined:
        groups[person_id] = joined


def _check(session: Session, people: list[Person], groups: dict[int, set[int]]) -> None:
    for person in people:
        assert ids_of(session, person.id) == groups[person.id]
        root = canonical_id(session, person.id)
        assert root in groups[person.id]
        assert canonical_id(session, root) == root, "one step deep"
        assert canonical_ids(session, groups[person.id]) == {root}
        actor = actor_for_desk(session, person.id, NOW)
        assert (actor.person_id, actor.own_id) == (root, person.id)
        assert actor.person_ids == groups[person.id]
