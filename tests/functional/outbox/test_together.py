"""Workers, writers and wakes at the same time, on real engines."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import redis
from sqlalchemy import text

from microcred.app.wiring import redis_client
from microcred.database import Database, SystemClock
from microcred.outbox import (
    Delivered,
    Job,
    Limit,
    Outcome,
    Policy,
    PostgresWake,
    RedisWake,
    Throttled,
    Worker,
    use_wake,
)
from microcred.outbox.claims import claim
from microcred.outbox.results import store
from tests.support.outbox import Outbox


@contextmanager
def running(*workers: Worker) -> Iterator[None]:
    threads = [threading.Thread(target=worker.run_until_stopped) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.02)


def taking(seconds: float) -> Callable[[Job], Outcome]:
    """A handler that needs so long."""

    def handler(job: Job) -> Outcome:
        time.sleep(seconds)
        return Delivered()

    return handler


def test_eight_threads_write_while_a_worker_delivers(outbox: Outbox) -> None:
    errors: list[BaseException] = []
    outbox.real_time = SystemClock()

    def write(thread: int) -> None:
        try:
            for n in range(25):
                outbox.add((thread, n), key=f"{thread}", supersede=False, to=f"registration:{thread % 3}")
        except BaseException as error:  # noqa: BLE001 - shown by the test itself
            errors.append(error)

    with running(outbox.worker()):
        writers = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        wait_until(lambda: len(outbox.handler.jobs) >= 200, 60)
    assert errors == []
    assert set(outbox.states()) == {"delivered"}
    for thread in range(8):
        assert [n for t, n in outbox.handler.sent if t == thread] == list(range(25))


def test_newer_versions_written_while_a_worker_delivers_end_with_the_newest(outbox: Outbox) -> None:
    outbox.real_time = SystemClock()
    outbox.handler.answer = taking(0.003)

    def write(key: str) -> None:
        for n in range(40):
            outbox.add((key, n), key=key)

    with running(outbox.worker(), outbox.worker()):
        writers = [threading.Thread(target=write, args=(str(n),)) for n in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        wait_until(lambda: not {"waiting", "held"} & set(outbox.states()), 60)
    for key in "0123":
        sent = [n for k, n in outbox.handler.sent if k == key]
        assert sent == sorted(set(sent)), "in order, none twice"
        assert sent[-1] == 39


def test_result_of_a_lost_lease_is_dropped(outbox: Outbox) -> None:
    row = outbox.add(1)
    with outbox.database.writing() as session:
        first = claim(session, now=outbox.clock.now(), lease=timedelta(seconds=60), room=lambda _: 1).jobs
    outbox.clock.pass_(seconds=61)
    with outbox.database.writing() as session:
        second = claim(session, now=outbox.clock.now(), lease=timedelta(seconds=60), room=lambda _: 1).jobs
    assert (first[0].id, first[0].fence, second[0].fence) == (row, 1, 2)
    recorded: list[str] = []

    def noting(name: str) -> Delivered:
        return Delivered(answer={"by": name}, record=lambda _session: recorded.append(name))

    for jobs, name in ((first, "late"), (second, "in time")):
        with outbox.database.writing() as session:
            store(
                session,
                [(jobs[0], noting(name))],
                now=outbox.now(),
                policy=Policy(),
                rng=random.Random(7),
            )
    assert recorded == ["in time"]
    assert outbox.row(row).last_answer == {"by": "in time"}


def test_rows_of_a_dead_worker_are_taken_over_when_the_lease_ends(outbox: Outbox) -> None:
    outbox.add(1)
    with outbox.database.writing() as session:
        claim(session, now=outbox.clock.now(), lease=timedelta(seconds=60), room=lambda _: 1)
    assert outbox.worker().run_due() == 0
    outbox.clock.pass_(seconds=60)
    assert outbox.worker().run_due() == 1


def test_limit_holds_over_all_workers(outbox: Outbox) -> None:
    outbox.real_time = SystemClock()
    in_flight: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def slow(job: Job) -> Outcome:
        with lock:
            in_flight.append(job.id)
            most.append(len(in_flight))
        time.sleep(0.02)
        with lock:
            in_flight.remove(job.id)
        return Delivered()

    outbox.handler.answer = slow
    policy = Policy(heartbeat=0.3, limit_of=lambda _: Limit(concurrency=4))
    workers = [outbox.worker(policy=policy) for _ in range(2)]
    with running(*workers):
        first = 0
        while [worker.living for worker in workers] != [2, 2]:
            outbox.add(first := first + 1)  # each looks around when it is woken
            time.sleep(0.1)
            assert first < 200
        most.clear()
        for n in range(60):
            outbox.add(n)
        wait_until(lambda: len(outbox.handler.jobs) >= first + 60, 30)
    assert max(most) <= 4
    assert set(outbox.states()) == {"delivered"}


def test_rate_is_kept(outbox: Outbox) -> None:
    outbox.real_time = SystemClock()
    for n in range(30):
        outbox.add(n)
    policy = Policy(limit_of=lambda _: Limit(per_second=20))
    started = time.monotonic()
    with running(outbox.worker(policy=policy)):
        wait_until(lambda: len(outbox.handler.jobs) >= 30, 30)
    assert time.monotonic() - started >= 1.0


def test_throttled_lane_begins_nothing_more(outbox: Outbox) -> None:
    outbox.real_time = SystemClock()
    outbox.handler.answer = lambda job: Throttled(after=60)
    for n in range(40):
        outbox.add(n)
    with running(outbox.worker()):
        time.sleep(1.0)
    assert len(outbox.handler.jobs) <= 8
    assert set(outbox.states()) == {"waiting"}
    with outbox.database.reading() as session:
        leased = session.execute(text("SELECT count(*) FROM outbox WHERE leased_until IS NOT NULL")).scalar()
    assert leased == 0, "what was not begun was given back"


def test_stopping_gives_back_what_was_not_begun(outbox: Outbox) -> None:
    outbox.real_time = SystemClock()
    outbox.handler.answer = taking(0.1)
    for n in range(40):
        outbox.add(n)
    with running(outbox.worker()):
        wait_until(lambda: len(outbox.handler.jobs) >= 8)
    done = len(outbox.handler.jobs)
    states = outbox.states()
    assert states.count("delivered") == done
    assert states.count("waiting") == 40 - done
    assert outbox.worker().run_due() == 40 - done, "at once, not after a lease"


def test_commit_wakes_a_worker_of_the_same_process(outbox: Outbox) -> None:
    outbox.real_time = SystemClock()
    with running(outbox.worker()):
        time.sleep(0.3)
        started = time.monotonic()
        outbox.add(1)
        wait_until(lambda: outbox.handler.jobs)
        assert time.monotonic() - started < 2


def woken_from_elsewhere(outbox: Outbox, elsewhere: Database) -> float:
    """Seconds until a sleeping worker does what another process' database object has written."""
    other = Outbox(elsewhere, outbox.clock)
    other.real_time = outbox.real_time
    with running(outbox.worker()):
        time.sleep(1.0)
        started = time.monotonic()
        other.add(1)
        wait_until(lambda: outbox.handler.jobs)
        return time.monotonic() - started


def test_notify_wakes_a_worker_of_another_process(
    postgres_url: str, outbox_on: Callable[[str], Outbox]
) -> None:
    outbox = outbox_on(postgres_url)
    outbox.real_time = SystemClock()
    elsewhere = Database(postgres_url)
    use_wake(outbox.database, PostgresWake(outbox.database))
    use_wake(elsewhere, PostgresWake(elsewhere))
    assert woken_from_elsewhere(outbox, elsewhere) < 3
    elsewhere.dispose()


def test_redis_channel_wakes_a_worker_of_another_process(
    sqlite_url: str, redis_url: str, outbox_on: Callable[[str], Outbox]
) -> None:
    outbox = outbox_on(sqlite_url)
    outbox.real_time = SystemClock()
    elsewhere = Database(sqlite_url)
    clients = [redis.Redis.from_url(redis_url) for _ in range(2)]
    use_wake(outbox.database, RedisWake(clients[0]))
    use_wake(elsewhere, RedisWake(clients[1]))
    assert woken_from_elsewhere(outbox, elsewhere) < 3
    elsewhere.dispose()
    for client in clients:
        client.close()


def test_redis_that_is_away_loses_nothing(sqlite_url: str, outbox_on: Callable[[str], Outbox]) -> None:
    outbox = outbox_on(sqlite_url)
    outbox.real_time = SystemClock()
    with redis_client("redis://127.0.0.1:1") as client:
        use_wake(outbox.database, RedisWake(client))
        with running(outbox.worker()):
            outbox.add(1)
            wait_until(lambda: outbox.handler.jobs)
    assert outbox.states() == ["delivered"]


def test_worker_outlives_a_database_that_goes_away(
    postgres_url: str, outbox_on: Callable[[str], Outbox]
) -> None:
    outbox = outbox_on(postgres_url)
    outbox.real_time = SystemClock()
    with running(outbox.worker()):
        time.sleep(0.3)
        with outbox.database.engine.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        outbox.add(1)
        wait_until(lambda: outbox.handler.jobs)
        wait_until(lambda: outbox.states() == ["delivered"])
