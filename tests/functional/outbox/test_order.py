"""Rows of one key leave in order, one at a time, and only the newest version is sent."""

from datetime import timedelta

import pytest

from microcred.outbox import Blocked, Delivered, Job, Outcome, Retry, add, cancel
from tests.support.outbox import Outbox


def test_rows_without_a_key_are_done_when_due(outbox: Outbox) -> None:
    outbox.add(1)
    outbox.add(2, due_at=outbox.clock.now() + timedelta(hours=1))

    assert outbox.worker().run_due() == 1
    assert outbox.handler.sent == [1]
    outbox.clock.pass_(hours=1)
    outbox.worker().run_due()
    assert outbox.handler.sent == [1, 2]


def test_newer_version_supersedes_unsent_older_one(outbox: Outbox) -> None:
    older = outbox.add(70, key="k")
    newer = outbox.add(85, key="k")

    outbox.worker().run_due()

    assert outbox.handler.sent == [85]
    assert outbox.row(older).state == "superseded"
    assert outbox.row(newer).state == "delivered"


def test_without_supersede_every_row_is_sent_in_order(outbox: Outbox) -> None:
    for n in range(20):
        outbox.add(n, key="k", supersede=False)
    assert outbox.states() == ["waiting"] + ["held"] * 19

    outbox.worker().run_due()

    assert outbox.handler.sent == list(range(20))


def test_row_behind_one_in_flight_waits_for_its_turn(outbox: Outbox) -> None:
    def add_newer(job: Job) -> Outcome:
        if job.payload["n"] == 70:
            outbox.add(85, key="k")
            assert outbox.states() == ["waiting", "held"]
        return Delivered()

    outbox.handler.answer = add_newer
    outbox.add(70, key="k")
    outbox.worker().run_due()

    assert outbox.handler.sent == [70, 85]
    assert outbox.states() == ["delivered", "delivered"]


def test_row_in_flight_that_fails_is_not_tried_again_once_a_newer_version_exists(outbox: Outbox) -> None:
    def fail_first(job: Job) -> Outcome:
        if job.payload["n"] == 70:
            outbox.add(85, key="k")
            return Retry(reason="network")
        return Delivered()

    outbox.handler.answer = fail_first
    outbox.add(70, key="k")
    outbox.worker().run_due()

    assert outbox.handler.sent == [70, 85]
    assert outbox.states() == ["superseded", "delivered"]


def test_failed_row_holds_back_later_rows_that_do_not_replace_it(outbox: Outbox) -> None:
    outbox.handler.answer = lambda job: Retry(reason="network") if job.attempt == 1 else Delivered()
    outbox.add(1, key="k", supersede=False)
    outbox.add(2, key="k", supersede=False)
    outbox.worker().run_due()
    assert outbox.handler.sent == [1]

    outbox.clock.pass_(seconds=60)
    outbox.worker().run_due()
    outbox.clock.pass_(seconds=60)
    outbox.worker().run_due()
    assert outbox.handler.sent == [1, 1, 2, 2]


def test_blocked_row_lets_the_next_one_go(outbox: Outbox) -> None:
    outbox.handler.answer = lambda job: Blocked(reason="x") if job.payload["n"] == 1 else Delivered()
    outbox.add(1, key="k", supersede=False)
    outbox.add(2, key="k", supersede=False)
    outbox.worker().run_due()
    assert outbox.states() == ["blocked", "delivered"]


def test_cancelling_a_subject_frees_what_waits_behind_it(outbox: Outbox) -> None:
    outbox.add(1, key="k", supersede=False)
    outbox.add(2, key="k", supersede=False)
    with outbox.database.writing() as session:
        assert cancel(session, now=outbox.clock.now(), subject=("test", "1")) == 1
    outbox.worker().run_due()
    assert outbox.states() == ["cancelled", "delivered"]
    assert outbox.handler.sent == [2]


def test_rolled_back_transaction_leaves_no_row_and_wakes_nobody(outbox: Outbox) -> None:
    def decide() -> None:
        with outbox.database.writing() as session:
            add(
                session,
                kind="score",
                destination="registration:1",
                order_key=None,
                subject=("test", "1"),
                payload={"n": 1},
                now=outbox.clock.now(),
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decide()
    assert outbox.states() == []
    assert outbox.worker().run_due() == 0
