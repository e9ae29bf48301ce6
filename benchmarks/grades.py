"""Scores in a second: our worker with its durable rows, beside clients that keep nothing.

Four platforms answer after 20 ms each; 8 posts may be under way to each of them. Rows are made by
`grade_passback.enqueue`, kept back by stopped destinations, and let go while the worker waits. Every window
starts from a fresh copy of the same database. All share the machine's cores.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import requests

import grade_passback
from benchmarks import machine, results, rows
from benchmarks.engines import (
    PEERS,
    SECRET,
    TOOLS,
    Stores,
    environment,
    ports,
    process,
    stores,
    stub,
    stub_counts,
)
from benchmarks.issuer import SCOPES, KeyPair
from benchmarks.launch import ltijs
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble
from microcred.database import SystemClock
from microcred.outbox import Worker

PLATFORMS = 4
EACH = 8
AT_ONCE = PLATFORMS * EACH
_GIVE_UP = 600.0
FULL = {"rounds": 3, "count": 10_000, "dead": 5_000, "course": 200, "patience": 15.0}
QUICK = {"rounds": 1, "count": 400, "dead": 200, "course": 20, "patience": 0.0}


class NotDelivered(Exception):
    """Scores were missing at the end of a window; the message says what was there."""


@dataclass(frozen=True)
class Bench:
    """What every window of a run uses."""

    stores: Stores
    template: str
    """The database that windows copy: rows for every platform, all destinations stopped."""
    ports: Sequence[int]
    courses: Sequence[rows.Course]
    platform_pid: int
    count: int
    patience: float

    @property
    def healthy(self) -> Sequence[int]:
        """The platforms that answer."""
        return self.ports[:PLATFORMS]


# Ours


@contextmanager
def assembly(stores: Stores, url: str, ports: Sequence[int], clock: Any = None) -> Iterator[Assembly]:
    """Our own parts in this process, for making rows and looking at them."""
    settings = Settings(
        _env_file=None,
        public_url="https://tool.bench.test",
        database_url=url,
        redis_url=stores.redis_url,
        secret_keys=[SECRET],
        storage_url=str(stores.folder / "files"),
        data_dir=stores.folder,
        allow_hosts=[f"127.0.0.1:{port}" for port in ports],
    )
    made = assemble(settings, clock)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def workers(bench: Bench, url: str, count: int) -> Iterator[list[int]]:
    """`microcred worker` processes, each alive and waiting; their ids."""
    env = environment(
        bench.stores,
        url,
        "https://tool.bench.test",
        [f"127.0.0.1:{port}" for port in bench.ports],
        WORKER_THREADS=str(AT_ONCE + EACH),
        IN_FLIGHT=str(EACH),
    )
    with ExitStack() as stack:
        pids = [
            stack.enter_context(process([sys.executable, "-m", "microcred.app", "worker"], env=env)).pid
            for _ in range(count)
        ]
        with bench.stores.connect(url) as connection:
            until = time.monotonic() + 60
            while _one(connection, "SELECT count(*) FROM outbox_worker") < count:
                if time.monotonic() > until:
                    raise NotDelivered("the worker gave no sign of life")
                time.sleep(0.2)
            # Each divides the limits by those it saw with its last sign of life.
            time.sleep(6.0 if count > 1 else 0.5)
        yield pids


def ours(bench: Bench, *, processes: int = 1, dead: bool = False) -> dict[str, Any]:
    """One window: every waiting score of the healthy platforms, from letting them go to the last result."""
    bench.stores.forget()
    with bench.stores.database(bench.template) as url, workers(bench, url, processes) as pids:
        names = {f"worker{i}": pid for i, pid in enumerate(pids)}
        stub_counts(bench.healthy, reset=True)
        machine.wait_until_quiet(bench.patience)
        meter = machine.Meter(
            {
                **names,
                "platform": bench.platform_pid,
                "postgres": bench.stores.postgres.pid,
                "redis": bench.stores.redis.pid,
            }
        )
        healthy = [course.destination for course in bench.courses[:PLATFORMS]]
        started = [course.destination for course in bench.courses] if dead else healthy
        with (
            bench.stores.connect(url) as connection,
            assembly(bench.stores, url, bench.ports) as app,
        ):
            if dead:
                rows.start(app, started[PLATFORMS:])
                time.sleep(3.0)
            meter.start()
            rows.start(app, healthy)
            _wait_for(connection, healthy)
            use = meter.stop()
            _check(connection, bench, healthy)
        counts = stub_counts(bench.healthy)
        worker_cpu = sum(use.cpu[name] for name in names)
        return {
            **_measured(use, bench.count, worker_cpu),
            "postgres_cpu_ms": use.cpu["postgres"] * 1000 / bench.count,
            "platform_cpu_ms": use.cpu["platform"] * 1000 / bench.count,
            "tokens": sum(seen["tokens"] for seen in counts),
            "connections": sum(seen["connections"] for seen in counts),
            "peak_mib": max(machine.peak_mib(pid) for pid in pids),
            "most_in_flight": sum(seen["most_in_flight"] for seen in counts),
        }


def _wait_for(connection: "psycopg.Connection[Any]", destinations: Sequence[str]) -> None:
    until = time.monotonic() + _GIVE_UP
    while _waiting(connection, destinations):
        if time.monotonic() > until:
            raise NotDelivered(f"{_waiting(connection, destinations)} scores still wait")
        time.sleep(0.02)


def _waiting(connection: "psycopg.Connection[Any]", destinations: Sequence[str]) -> int:
    return _one(
        connection,
        "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE state = 'waiting' AND destination = ANY(%s)"
        " LIMIT 1) found",
        list(destinations),
    )


def _check(connection: "psycopg.Connection[Any]", bench: Bench, destinations: Sequence[str]) -> None:
    """Every learner's grade is at the platform, and the rows say so."""
    query = "SELECT count(*) FROM outbox WHERE state = 'delivered' AND destination = ANY(%s)"
    delivered = _one(connection, query, list(destinations))
    seen = stub_counts(bench.healthy)
    people, refused = sum(s["people"] for s in seen), sum(s["refused"] for s in seen)
    if (delivered, people, refused) != (bench.count, bench.count, 0):
        raise NotDelivered(f"{delivered} delivered, {people} graded, {refused} refused of {bench.count}")


def _one(connection: "psycopg.Connection[Any]", query: str, *values: Any) -> int:
    row = connection.execute(query.encode(), values).fetchone()
    assert row is not None
    return int(row[0])


def _measured(use: machine.Use, count: int, cpu: float) -> dict[str, Any]:
    return {
        "scores_per_s": count / use.seconds,
        "cpu_ms": cpu * 1000 / count,
        "foreign_cores": use.foreign_cores,
    }


# Peers


def program(
    bench: Bench, command: Sequence[Any], given: dict[str, Any], count: int, **more: Any
) -> dict[str, Any]:
    """One window of a peer's program that reads a JSON object and prints what it took."""
    stub_counts(bench.healthy, reset=True)
    machine.wait_until_quiet(bench.patience)
    platforms = [f"http://127.0.0.1:{port}" for port in bench.healthy]
    meter = machine.Meter({"platform": bench.platform_pid})
    before = _children_cpu()
    meter.start()
    done = subprocess.run(
        [str(word) for word in command],
        input=json.dumps({**given, "count": count, "platforms": platforms, **more}),
        capture_output=True,
        text=True,
        check=True,
        timeout=_GIVE_UP,
    )
    use = meter.stop()
    own = _children_cpu() - before
    foreign = max(0.0, use.foreign - own) / use.seconds
    took = json.loads(done.stdout)
    counts = stub_counts(bench.healthy)
    if sum(seen["people"] for seen in counts) != count:
        raise NotDelivered(f"a peer lost scores: {counts}")
    return {
        "scores_per_s": count / took["seconds"],
        "cpu_ms": took["cpu"] * 1000 / count,
        "foreign_cores": foreign,
        "tokens": sum(seen["tokens"] for seen in counts),
        "connections": sum(seen["connections"] for seen in counts),
        "peak_mib": took["peak_mib"],
    }


def bare(bench: Bench) -> dict[str, Any]:
    """A `requests` pool with as many threads, tokens in hand."""
    tokens = [f"token-{port}" for port in bench.healthy]
    command = [sys.executable, PEERS / "bare_scores.py"]
    return program(bench, command, {"tokens": tokens, "at_once": AT_ONCE}, bench.count)


def pylti1p3(bench: Bench, how: str, count: int) -> dict[str, Any]:
    """PyLTI1p3's client, one score after the other."""
    keys = KeyPair()
    given = {"how": how, "private_key": keys.private_pem, "public_key": keys.public_pem}
    return program(bench, [TOOLS / "python/bin/python", PEERS / "pylti1p3_scores.py"], given, count)


def through_ltijs(bench: Bench, port: int, pid: int, count: int, at_once: int) -> dict[str, Any]:
    """ltijs' own client, in its process."""
    stub_counts(bench.healthy, reset=True)
    machine.wait_until_quiet(bench.patience)
    meter = machine.Meter(
        {"tool": pid, "platform": bench.platform_pid, "postgres": bench.stores.postgres.pid}
    )
    meter.start()
    answer = requests.post(
        f"http://127.0.0.1:{port}/send?n={count}&at_once={at_once}", timeout=_GIVE_UP
    ).json()
    use = meter.stop()
    counts = stub_counts(bench.healthy)
    if answer["failed"] or sum(seen["people"] for seen in counts) != count:
        raise NotDelivered(f"ltijs lost scores: {answer}")
    return {
        "scores_per_s": count / answer["seconds"],
        "cpu_ms": answer["cpu"] * 1000 / count,
        "foreign_cores": use.foreign_cores,
        "postgres_cpu_ms": use.cpu["postgres"] * 1000 / count,
        "tokens": sum(seen["tokens"] for seen in counts),
        "connections": sum(seen["connections"] for seen in counts),
        "peak_mib": machine.peak_mib(pid),
    }


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# What a person sees


def meeting(bench: Bench, size: int) -> dict[str, Any]:
    """A course of `size` after one decision meeting: each decision its own transaction, a worker waiting."""
    bench.stores.forget()
    with bench.stores.database(f"{bench.template}_people") as url, workers(bench, url, 1):
        course = bench.courses[0]
        with assembly(bench.stores, url, bench.ports) as app, bench.stores.connect(url) as connection:
            started = time.monotonic()
            for number in range(size):
                rows.decide(app, course, [number])
            deciding = time.monotonic() - started
            _wait_for(connection, [course.destination])
            seconds = time.monotonic() - started
            lags = connection.execute(
                "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY lag), max(lag) FROM (SELECT"
                " extract(epoch FROM finished_at - created_at)::float AS lag FROM outbox) lags"
            ).fetchone()
    assert lags is not None
    return {
        "learners": size,
        "decisions_s": round(deciding, 2),
        "all_grades_in_s": round(seconds, 2),
        "grade_after_decision_p50_ms": round(lags[0] * 1000),
        "grade_after_decision_most_ms": round(lags[1] * 1000),
    }


class SetClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = SystemClock().now()

    def now(self) -> datetime:
        return self.time


def outage(bench: Bench, size: int, hours: int = 48) -> dict[str, Any]:
    """A course of `size` whose platform is away for `hours`: how soon after its return every grade is in.

    The clock is moved from one due moment to the next; the sending afterwards is real.
    """
    clock = SetClock()
    bench.stores.forget()
    with (
        bench.stores.database(f"{bench.template}_people") as url,
        assembly(bench.stores, url, bench.ports, clock) as app,
        bench.stores.connect(url) as connection,
    ):
        course, back = bench.courses[PLATFORMS], clock.time + timedelta(hours=hours)
        rows.decide(app, course, range(size))
        handler = grade_passback.make_handler(app.database, clock, app.lti.services)
        worker = Worker(app.database, clock, handlers={grade_passback.KIND: handler}, in_flight=EACH)
        while clock.time < back:
            worker.run_due()
            clock.time = min(back, max(_next_due(connection, clock.time), clock.time + timedelta(seconds=1)))
        tries = _one(connection, "SELECT sum(attempts) FROM outbox")
        with stub([bench.ports[PLATFORMS]], scopes=SCOPES):
            started = time.monotonic()
            while _waiting(connection, [course.destination]):
                worker.run_due()
                clock.time = max(_next_due(connection, clock.time), clock.time + timedelta(seconds=1))
            sending = time.monotonic() - started
        last = connection.execute("SELECT max(finished_at), min(finished_at) FROM outbox").fetchone()
        delivered = _one(connection, "SELECT count(*) FROM outbox WHERE state = 'delivered'")
    assert last is not None
    if delivered != size:
        raise NotDelivered(f"{delivered} of {size} after an outage")
    return {
        "learners": size,
        "hours_away": hours,
        "tries_while_away": tries,
        "first_grade_after_return_s": round((last[1] - back).total_seconds()),
        "all_grades_after_return_s": round((last[0] - back).total_seconds()),
        "sending_one_at_a_time_s": round(sending, 1),
    }


def _next_due(connection: "psycopg.Connection[Any]", now: datetime) -> datetime:
    row = connection.execute(
        "SELECT min(greatest(o.due_at, d.paused_until)) FROM outbox o JOIN outbox_destination d"
        " ON d.name = o.destination WHERE o.state = 'waiting'"
    ).fetchone()
    return row[0] if row is not None and row[0] is not None else now


# The run


def run(*, rounds: int, count: int, dead: int, course: int, patience: float) -> dict[str, Any]:
    """Measure all, taking turns; the result."""
    machine.prefer()
    with ExitStack() as stack:
        engines = stack.enter_context(stores())
        numbers = ports(PLATFORMS + 1)
        platform = stack.enter_context(stub(numbers[:PLATFORMS], scopes=SCOPES))
        bench = _prepared(stack, engines, numbers, platform.pid, count, dead, course, patience)
        node = stack.enter_context(ltijs(engines, bench.healthy, None))
        few = max(40, count // 50)
        variants: dict[str, Callable[[], dict[str, Any]]] = {
            "one_worker": lambda: ours(bench),
            "bare": lambda: bare(bench),
            "two_workers": lambda: ours(bench, processes=2),
            "beside_a_dead_platform": lambda: _beside_dead(bench),
            "pylti1p3_loop": lambda: pylti1p3(bench, "loop", few),
            "pylti1p3_request": lambda: pylti1p3(bench, "request", max(20, few // 2)),
            "ltijs": lambda: through_ltijs(bench, node.port, node.pid, count // 4, AT_ONCE),
            "ltijs_one_at_a_time": lambda: through_ltijs(bench, node.port, node.pid, few, 1),
        }
        # Node compiles, tokens come; at once, ltijs would ask for the same token twice and fail.
        through_ltijs(bench, node.port, node.pid, few, 1)
        windows: dict[str, list[dict[str, Any]]] = {name: [] for name in variants}
        for number in range(rounds):
            for name, measure in variants.items():
                seen = measure()
                windows[name].append(seen)
                print(
                    f"round {number + 1} {name}: {seen['scores_per_s']:.0f}/s,"
                    f" others used {seen['foreign_cores']:.2f} cores",
                    file=sys.stderr,
                )
        seen_by_people = {"meeting": meeting(bench, course), "outage": outage(bench, course)}
    return _result({name: results.middle(each) for name, each in windows.items()}, count, seen_by_people)


def _beside_dead(bench: Bench) -> dict[str, Any]:
    """As `ours`, with a platform beside it that takes every request and never answers."""
    with stub([bench.ports[PLATFORMS]], silent=[bench.ports[PLATFORMS]]):
        return ours(bench, dead=True)


def _prepared(
    stack: ExitStack,
    engines: Stores,
    numbers: Sequence[int],
    platform_pid: int,
    count: int,
    dead: int,
    course: int,
    patience: float,
) -> Bench:
    """The databases that windows copy: one with rows, one with people only."""
    each = count // PLATFORMS
    people = stack.enter_context(engines.database(name="bench_rows_people"))
    with assembly(engines, people, numbers) as app:
        courses = rows.prepare(app, numbers, max(each, course))
    template = stack.enter_context(engines.database("bench_rows_people", name="bench_rows"))
    with assembly(engines, template, numbers) as app:
        for one in courses[:PLATFORMS]:
            rows.decide_all(
                app,
                rows.Course(one.registration_id, one.placement_id, one.pursuits[:each], one.attempts[:each]),
            )
        for source in courses[:PLATFORMS]:
            rows.copy_rows(app, source, courses[PLATFORMS], dead // PLATFORMS)
    with engines.connect(template) as connection:
        connection.execute("VACUUM ANALYZE")
    return Bench(engines, "bench_rows", numbers, courses, platform_pid, each * PLATFORMS, patience)


def _result(medians: dict[str, dict[str, Any]], count: int, people: dict[str, Any]) -> dict[str, Any]:
    mine = ("one_worker", "two_workers", "beside_a_dead_platform")
    ours_ = {name: medians[name] for name in mine}
    peers = {name: row for name, row in medians.items() if name not in mine}
    rate = {name: row["scores_per_s"] for name, row in medians.items()}
    return results.result(
        "grades",
        ours=ours_,
        peers=peers,
        ratios={
            **{name: rate["one_worker"] / rate[name] for name in ("bare", "pylti1p3_loop", "ltijs")},
            "pylti1p3_request": rate["one_worker"] / rate["pylti1p3_request"],
            "second_worker": rate["two_workers"] / rate["one_worker"],
            "beside_a_dead_platform": rate["beside_a_dead_platform"] / rate["one_worker"],
        },
        people=people,
        scores=count,
        in_flight=AT_ONCE,
        platforms=PLATFORMS,
        latency_ms=20,
        notes=[
            "ratios: scores in a second of one worker, to a bare `requests` pool and to ltijs with as many in"
            " flight, and to PyLTI1p3 one after the other; `second_worker` and `beside_a_dead_platform` are"
            " those of ours to one worker alone.",
            "Ours: every row claimed, sent, and its result stored in PostgreSQL with fsync; the window ends"
            " with the last stored result. All peers keep nothing.",
            f"At most {AT_ONCE} in flight, so 20 ms allow {AT_ONCE * 50} scores a second.",
        ],
    )


COLUMNS = {
    "scores_per_s": "scores/s",
    "cpu_ms": "CPU ms/score",
    "postgres_cpu_ms": "PostgreSQL CPU ms",
    "platform_cpu_ms": "stand-in CPU ms",
    "tokens": "token requests",
    "connections": "connections",
    "peak_mib": "peak MiB",
    "windows": "windows",
    "quiet_windows": "quiet",
}
