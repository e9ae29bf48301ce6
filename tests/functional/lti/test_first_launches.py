"""Somebody comes for the first time, twice at the same moment: both times they come in, as one person."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from lti_tool.models import Context, Launch, ResourceLink
from microcred.people.models import LmsIdentity, Person
from tests.support.lti import Browser, World, is_accepted, lti_world

AT_ONCE = 4


def brought(world: World) -> tuple[Browser, dict[str, str]]:
    """A browser of somebody unknown, and the answer of the platform that it is about to bring."""
    browser = world.browser()
    start = world.a.platform.begin_launch("u-1", "rl-1")
    return browser, browser.authorize(world.a, browser.start(start, client_id=world.a.client_id))


def rows(world: World, *tables: type) -> list[int]:
    with world.database.reading() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def test_first_launches_of_one_person_at_the_same_moment(migrated_database_url: str) -> None:
    with lti_world(migrated_database_url) as world:
        ready = [brought(world) for _ in range(AT_ONCE)]
        gate = threading.Barrier(AT_ONCE)

        def post(one: int) -> TestResponse:
            browser, fields = ready[one]
            gate.wait()
            return browser.post(fields)

        with ThreadPoolExecutor(AT_ONCE) as threads:
            answers = list(threads.map(post, range(AT_ONCE)))

        assert all(is_accepted(answer) for answer in answers), [a.headers.get("X-LTI-Error") for a in answers]
        assert rows(world, Launch) == [AT_ONCE]
        assert rows(world, Person, LmsIdentity, Context, ResourceLink) == [1, 1, 1, 1]


@pytest.mark.parametrize("kept", [True, False], ids=["the other stays", "the other is taken back"])
def test_the_later_of_two_waits_and_finds_the_person(migrated_postgres_url: str, kept: bool) -> None:
    """The one statement meets a person whom another transaction is just making, and that commits or not."""
    with lti_world(migrated_postgres_url) as world:
        browser, fields = brought(world)
        with ThreadPoolExecutor(1) as threads, world.database.engine.connect() as other:
            made = other.execute(
                text(
                    "INSERT INTO person (public_id, name, state, created_at)"
                    " VALUES ('other', 'u-1 Demo-Teacher', 'active', now()) RETURNING id"
                )
            ).scalar_one()
            other.execute(
                text(
                    "INSERT INTO lms_identity (registration_id, sub, person_id, created_at)"
                    " VALUES (:registration, 'u-1', :person, now())"
                ),
                {"registration": world.a.facts.row_id, "person": made},
            )
            coming = threads.submit(browser.post, fields)
            wait_until_it_waits(world)
            other.commit() if kept else other.rollback()
            answer = coming.result(20)

        assert is_accepted(answer), answer.headers.get("X-LTI-Error")
        (launch,), (person,) = world.launches(), world.people()
        assert launch.person_id == person.id
        assert (person.public_id == "other") is kept


def wait_until_it_waits(world: World) -> None:
    """Until a transaction in this database waits for another one."""
    asked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'"
    )
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with world.database.reading() as session:
            if session.scalar(asked):
                return
        time.sleep(0.02)
    raise AssertionError("nothing waits")
