"""Retries, windows, pauses and breakers."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from microcred.outbox import (
    Accepted,
    Delivered,
    Job,
    Limit,
    Outcome,
    Policy,
    Retry,
    RetryRefused,
    Share,
    Throttled,
    Unverified,
    Worker,
    add,
    cancel,
    retry,
    retry_all,
    start_destination,
    status,
    stop_destination,
)
from tests.support.outbox import Outbox


def run_for(outbox: Outbox, worker: Worker, **span: float) -> None:
    """Let the clock run in steps of fifteen seconds, working at each."""
    end = outbox.clock.now() + timedelta(**span)
    while outbox.clock.now() < end:
        worker.run_due()
        outbox.clock.pass_(seconds=15)


@pytest.mark.parametrize(("outcome", "state"), [(Accepted(), "accepted"), (Unverified(), "unverified")])
def test_other_ends(outbox: Outbox, outcome: Outcome, state: str) -> None:
    outbox.handler.answer = lambda job: outcome
    row = outbox.add(1)
    outbox.worker().run_due()
    assert outbox.row(row).state == state


def test_two_hours_of_failures_take_at_most_fifteen_tries(outbox: Outbox) -> None:
    up_again = outbox.clock.now() + timedelta(hours=2)
    outbox.handler.answer = lambda job: (
        Delivered() if outbox.clock.now() >= up_again else Retry(reason="http_503")
    )
    row = outbox.add(1)
    run_for(outbox, outbox.worker(), hours=3.5)
    assert outbox.row(row).state == "delivered"
    assert 5 <= len(outbox.handler.jobs) <= 15


def test_row_is_dead_after_the_window_and_can_be_sent_again(outbox: Outbox) -> None:
    outbox.handler.answer = lambda job: Retry(reason="http_503", answer={"status": 503})
    row = outbox.add(1)
    worker = outbox.worker()
    for _ in range(100):
        worker.run_due()
        outbox.clock.pass_(hours=1)
    dead = outbox.row(row)
    assert (dead.state, dead.reason, dead.last_answer) == ("dead", "http_503", {"status": 503})
    assert dead.finished_at is not None
    assert dead.first_tried_at is not None
    assert dead.finished_at - dead.first_tried_at >= timedelta(hours=72)

    outbox.handler.answer = lambda job: Delivered()
    with outbox.database.writing() as session:
        retry(session, row, now=outbox.clock.now())
    worker.run_due()
    assert outbox.row(row).state == "delivered"


def test_row_asked_to_wait_waits_so_long(outbox: Outbox) -> None:
    outbox.handler.answer = lambda job: Retry(reason="x", after=100) if job.attempt == 1 else Delivered()
    outbox.add(1)
    worker = outbox.worker()
    worker.run_due()
    outbox.clock.pass_(seconds=99)
    assert worker.run_due() == 0
    outbox.clock.pass_(seconds=1)
    assert worker.run_due() == 1


def test_throttled_destination_rests_and_others_do_not(outbox: Outbox) -> None:
    outbox.handler.answer = lambda job: (
        Throttled(after=30) if job.payload["n"] == "a1" and job.attempt == 1 else Delivered()
    )
    policy = Policy(limit_of=lambda _: Limit(concurrency=1))
    worker = outbox.worker(policy=policy)
    outbox.add("a1", to="a")
    worker.run_due()
    outbox.add("a2", to="a")
    outbox.add("b1", to="b")
    outbox.clock.pass_(seconds=29)
    worker.run_due()
    assert outbox.handler.sent == ["a1", "b1"]
    outbox.clock.pass_(seconds=1)
    worker.run_due()
    assert sorted(outbox.handler.sent) == ["a1", "a1", "a2", "b1"]


def test_breaker_opens_after_failures_in_a_row_and_closes_with_a_success(outbox: Outbox) -> None:
    outbox.handler.answer = lambda job: Retry(reason="network")
    for n in range(200):
        outbox.add(n)
    worker = outbox.worker()
    run_for(outbox, worker, hours=1)
    tries = len(outbox.handler.jobs)
    assert tries < 60, "an unreachable platform is probed, not hammered"

    outbox.handler.answer = lambda job: Delivered()
    outbox.clock.pass_(hours=1)
    worker.run_due()
    worker.run_due()
    assert set(outbox.states()) == {"delivered"}


def test_after_an_outage_everything_goes_with_the_first_answer(outbox: Outbox) -> None:
    up_again = outbox.clock.now() + timedelta(hours=48)
    outbox.handler.answer = lambda job: (
        Delivered() if outbox.clock.now() >= up_again else Retry(reason="http_503")
    )
    rows = [outbox.add(n) for n in range(20)]
    elsewhere = outbox.add("later", to="registration:2", due_at=up_again + timedelta(days=1))
    worker = outbox.worker()
    run_for(outbox, worker, hours=1)
    outbox.clock.time = up_again
    # The breaker's own rest is five minutes at most.
    run_for(outbox, worker, minutes=6)
    assert {outbox.row(row).state for row in rows} == {"delivered"}
    assert outbox.row(elsewhere).state == "waiting"


def test_stopped_destination_keeps_its_rows(outbox: Outbox) -> None:
    outbox.add(1)
    with outbox.database.writing() as session:
        stop_destination(session, "registration:1")
    assert outbox.worker().run_due() == 0
    with outbox.database.writing() as session:
        assert [d.name for d in status(session, now=outbox.clock.now()).troubled] == ["registration:1"]
        start_destination(session, "registration:1")
    assert outbox.worker().run_due() == 1


def test_broken_handler_does_not_end_the_worker(outbox: Outbox) -> None:
    def broken(job: Job) -> Outcome:
        raise ZeroDivisionError

    outbox.handler.answer = broken
    row = outbox.add(1)
    outbox.worker().run_due()
    assert (outbox.row(row).state, outbox.row(row).reason) == ("waiting", "internal_error")


def test_record_runs_with_the_result_or_not_at_all(outbox: Outbox) -> None:
    def follow(session: Session) -> None:
        add(
            session,
            kind="score",
            destination="local",
            order_key=None,
            subject=("test", "follow"),
            payload={"n": "follow"},
            now=outbox.clock.now(),
        )

    def broken(session: Session) -> None:
        follow(session)
        raise ZeroDivisionError

    outbox.handler.answer = lambda job: Delivered(record=follow if job.payload["n"] == 1 else None)
    outbox.add(1)
    outbox.worker().run_due()
    assert outbox.handler.sent == [1, "follow"]

    outbox.handler.answer = lambda job: Delivered(record=broken)
    row = outbox.add(2)
    outbox.worker().run_due()
    assert outbox.row(row).state == "waiting"
    assert len(outbox.states()) == 3


def test_a_shared_record_runs_once_for_the_results_that_are_kept(outbox: Outbox) -> None:
    written: list[list[int]] = []

    def write(session: Session, numbers: Sequence[int]) -> None:
        if 13 in numbers:
            raise ZeroDivisionError
        written.append(list(numbers))

    def done(job: Job) -> Outcome:
        if job.payload["n"] == 2:
            with outbox.database.writing() as session:
                cancel(session, now=outbox.clock.now(), subject=("test", "2"))
        return Delivered(share=Share(write, job.payload["n"]))

    outbox.handler.answer = done
    for n in (1, 2, 3):
        outbox.add(n)
    outbox.worker().run_due()
    assert written == [[1, 3]]
    assert outbox.states() == ["delivered", "cancelled", "delivered"]

    # Where one of them cannot be written, the others are, each alone, and that one is tried again.
    for n in (4, 13, 5):
        outbox.add(n)
    outbox.worker().run_due()
    assert written == [[1, 3], [4], [5]]
    assert outbox.states()[3:] == ["delivered", "waiting", "delivered"]


def test_retry_is_refused_for_what_is_done_and_for_older_versions(outbox: Outbox) -> None:
    outbox.handler.answer = lambda job: Retry(reason="x", after=10)
    row = outbox.add(1, key="k")
    policy = Policy(window=timedelta(0))
    outbox.worker(policy=policy).run_due()
    assert outbox.row(row).state == "dead"
    outbox.handler.answer = lambda job: Delivered()
    newer = outbox.add(2, key="k")
    outbox.clock.pass_(minutes=10)
    outbox.worker().run_due()
    with outbox.database.writing() as session:
        for row_id, code in ((row, "newer"), (newer, "not_stuck"), (999, "unknown")):
            with pytest.raises(RetryRefused) as refused:
                retry(session, row_id, now=outbox.clock.now())
            assert refused.value.code == code
        assert retry_all(session, now=outbox.clock.now()) == 0


def test_retry_all_sends_every_stuck_row_again(outbox: Outbox) -> None:
    outbox.handler.answer = lambda job: Retry(reason="x")
    for n in range(5):
        outbox.add(n, key=f"k{n}")
    outbox.worker(policy=Policy(window=timedelta(0))).run_due()
    assert set(outbox.states()) == {"dead"}
    outbox.handler.answer = lambda job: Delivered()
    outbox.clock.pass_(minutes=10)
    with outbox.database.writing() as session:
        assert retry_all(session, now=outbox.clock.now()) == 5
    outbox.worker().run_due()
    assert set(outbox.states()) == {"delivered"}
