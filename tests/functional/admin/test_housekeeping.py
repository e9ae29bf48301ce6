"""What has served its time is deleted, once a day, and what still counts stays."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from lti_tool.models import Launch, UsedHandover
from microcred import outbox
from microcred.operations import housekeeping
from microcred.outbox import OutboxRow
from microcred.people.models import DeskSession, OneTimeLink
from tests.functional.people.places import Desk, officer
from tests.functional.web.course import Course

Both = tuple[Course, Course]
FAR = {"days": 91}


def add(course: Course, key: str | None, kind: str = "score") -> int:
    with course.assembly.database.writing() as session:
        return outbox.add(
            session,
            kind=kind,
            destination="local",
            order_key=key,
            subject=("test", "1"),
            payload={},
            now=course.clock.now(),
        ).id


def finish(course: Course, row_id: int, state: str = "delivered") -> int:
    with course.assembly.database.writing() as session:
        row = session.get_one(OutboxRow, row_id)
        row.state, row.finished_at, row.reason = state, course.clock.now(), "newer"
    return row_id


def done(course: Course, key: str | None, state: str = "delivered", kind: str = "score") -> int:
    return finish(course, add(course, key, kind), state)


def tidy(course: Course) -> None:
    """One run of today's housekeeping."""
    course.assembly.begin_timed_work()
    course.assembly.make_worker().run_due()


def left(course: Course) -> set[int]:
    with course.assembly.database.reading() as session:
        return set(session.scalars(select(OutboxRow.id).where(OutboxRow.kind != housekeeping.KIND)))


def count(course: Course, table: type[object]) -> int:
    with course.assembly.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_history_goes_after_ninety_days_but_the_newest_of_a_cell_stays(systems: Both) -> None:
    here, _ = systems
    replaced, stands = done(here, "cell-1"), done(here, "cell-1")
    superseded, badge = done(here, "cell-2", "superseded"), done(here, None, kind="badge")
    stuck, waiting = done(here, "cell-3", "blocked"), add(here, "cell-4")
    here.clock.move(days=80)
    young = done(here, "cell-5")
    here.clock.move(days=11)
    with here.assembly.database.writing() as session:
        outbox.stop_destination(session, "nothing")  # the waiting row's kind has a handler; keep it still
        session.get_one(OutboxRow, waiting).due_at = here.clock.now() + timedelta(days=1)
    tidy(here)
    assert {replaced, badge}.isdisjoint(left(here))
    assert {stands, stuck, waiting, young} <= left(here)
    assert superseded in left(here), "nothing newer of its cell was ever done"

    newer = [done(here, "cell-1"), done(here, "cell-3")]
    here.clock.move(days=91)
    tidy(here)
    assert {stands, stuck}.isdisjoint(left(here)), "something newer stands there now"
    assert set(newer) <= left(here)


def test_long_history_goes_in_batches(systems: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    here, _ = systems
    monkeypatch.setattr(housekeeping, "_BATCH", 3)
    monkeypatch.setattr(housekeeping, "_BATCHES", 2)
    for _ in range(10):
        done(here, None, kind="badge")
    here.clock.move(**FAR)
    tidy(here)
    assert len(left(here)) == 4
    here.clock.move(minutes=1)
    tidy(here)
    assert left(here) == set()


def test_it_plans_itself_for_the_next_day_and_only_once(systems: Both) -> None:
    here, _ = systems
    tidy(here)
    here.assembly.begin_timed_work()
    with here.assembly.database.reading() as session:
        query = select(OutboxRow).where(OutboxRow.kind == housekeeping.KIND, OutboxRow.state == "waiting")
        (planned,) = session.scalars(query)
        counts = outbox.status(session, now=here.clock.now()).counts
    assert planned.due_at == here.clock.now() + timedelta(days=1)
    assert (counts["waiting"], counts["planned"]) == (0, 1)


def test_old_launches_go_but_the_newest_of_each_person_and_link_stays(systems: Both) -> None:
    here, _ = systems
    who = here.person("Demo Teacher")
    old = [here.visitor(who).launch for _ in range(3)]
    elsewhere = here.visitor(who, credential="mc-feedback").launch
    here.clock.move(**FAR)
    new = here.visitor(who).launch
    tidy(here)
    with here.assembly.database.reading() as session:
        kept = set(session.scalars(select(Launch.public_id)))
    assert {elsewhere, new} <= kept
    assert len(kept & set(old)) <= 1
    assert not {old[0], old[1]} & kept


def test_launch_that_knows_the_learners_own_column_stays(systems: Both) -> None:
    here, _ = systems
    who = here.person("Demo Teacher")
    first = here.visitor(who).launch
    with here.assembly.database.writing() as session:
        row = session.scalars(select(Launch).where(Launch.public_id == first)).one()
        row.lineitem_url = "http://localhost:8000/li/1"
    here.visitor(who)
    here.clock.move(**FAR)
    tidy(here)
    with here.assembly.database.reading() as session:
        assert first in set(session.scalars(select(Launch.public_id)))


def test_spent_one_time_things_go(systems: Both, operator: Desk) -> None:
    here, _ = systems
    officer(here, "reviewer", "Rita")
    with here.assembly.database.writing() as session:
        session.add(UsedHandover(digest="d", expires_at=here.clock.now()))
    tidy(here)
    assert count(here, UsedHandover) == 1
    assert count(here, DeskSession) == 2
    here.clock.move(days=15)
    tidy(here)
    assert [count(here, table) for table in (UsedHandover, DeskSession, OneTimeLink)] == [0, 0, 0]
