"""One run: engines, platforms, processes of the tool, and everything that happens to them."""

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import psutil
from sqlalchemy import func, select

from microcred import outbox
from microcred.app import schema
from microcred.app.wiring import assemble
from microcred.database import Database, SystemClock
from microcred.outbox import OutboxRow
from tests.chaos.clock import SetClock
from tests.chaos.judge import Verdict, judge
from tests.chaos.node import Options, settings_of
from tests.chaos.plan import LMS, STEPS_A_LEARNER
from tests.chaos.platforms import Faults
from tests.chaos.world import Writer, set_up
from tests.support import engines
from tests.support.servers import Server, free_port

Engine = Literal["sqlite", "postgresql"]
ROOT = Path(__file__).parents[2]
_HOUR = 3600.0


@dataclass(frozen=True)
class Size:
    """How much happens."""

    learners: int = 10_000
    kills: int = 30
    restarts: int = 3
    """Of PostgreSQL; of Redis as many."""
    seconds: float = 300.0
    """How long decisions are made and disasters happen; then the rest is delivered."""
    haste: float = 10.0
    """The outbox's own waiting times are divided by this."""
    patience: float = 1800.0
    """Seconds after which a run that has not ended has failed."""
    latency: float = 0.02
    seed: int = 1
    faults: Faults = field(default_factory=Faults)


@dataclass
class Outcome:
    """What a run showed."""

    engine: Engine
    size: Size
    verdict: Verdict
    kills: int
    restarts: Mapping[str, int]
    clock_steps: int
    writing_seconds: float
    settled_seconds: float
    """From the first decision until nothing was left to send."""


class _Processes:
    """The tool's processes; those that were killed are started again."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._started: list[tuple[Options, subprocess.Popen[str]]] = []

    def start(self, options: Options) -> None:
        """One more, ready when it has said so."""
        name = f"node-{len(self._started)}"
        with (self._logs / f"{name}.err").open("a") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.node", json.dumps(asdict(options))],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
            )
        self._started.append((options, process))

    def kill_one(self, chance: random.Random) -> None:
        """SIGKILL a process that works, and start another in its place."""
        working = [pair for pair in self._started if pair[0].worker and pair[1].poll() is None]
        options, process = chance.choice(working)
        process.kill()
        self._reap(process)
        self.start(options)

    def died(self) -> list[int]:
        """Exit statuses of processes that ended otherwise than by our hand."""
        codes = [process.poll() for _, process in self._started]
        return [code for code in codes if code not in (None, 0, -signal.SIGKILL)]

    def stop(self) -> None:
        """End all, and wait for it."""
        for _, process in self._started:
            if process.poll() is None:
                process.terminate()
        for _, process in self._started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
            self._reap(process)

    @staticmethod
    def _reap(process: "subprocess.Popen[str]") -> None:
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


@dataclass
class _Stores:
    """Where the tool keeps things; nothing to restart on SQLite."""

    folder: Path
    database_url: str
    redis_url: str | None = None
    servers: dict[str, Server] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)

    def restart_postgres(self) -> None:
        """Every second time without warning, as in a power cut."""
        server, count = self.servers["postgres"], self.restarts.get("postgresql", 0)
        if count % 2:
            _kill(server)
        else:
            server.stop()
        self.servers["postgres"] = engines.restart_postgres(self.folder / "postgres", server.port, _DURABLE)
        self.restarts["postgresql"] = count + 1

    def restart_redis(self) -> None:
        """It keeps nothing on disk: all is lost."""
        server = self.servers["redis"]
        _kill(server)
        self.servers["redis"] = engines.start_redis(self.folder / "redis", server.port)
        self.restarts["redis"] = self.restarts.get("redis", 0) + 1


_DURABLE = {
    **engines.POSTGRES_OPTIONS,
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
}


def run(engine: Engine, size: Size, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Carry out a run and judge it. Raises TimeoutError where it does not come to an end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="microcred-chaos-")))
        folder.chmod(0o711)
        stores = stack.enter_context(_stores(engine, folder))
        clock, ports = SetClock(folder / "clock"), [free_port() for _ in LMS]
        writers = 1 if engine == "sqlite" else 2
        options = Options(
            database_url=stores.database_url,
            redis_url=stores.redis_url,
            folder=str(folder),
            secret=secrets.token_hex(16),
            hosts=("127.0.0.1",),
            learners=size.learners,
            seed=size.seed,
            haste=size.haste,
            worker=True,
            writer=None,
            writers=writers,
            per_second=size.learners * STEPS_A_LEARNER / size.seconds / writers,
        )
        keys = _prepare(options, clock, ports)
        stack.enter_context(_platforms(ports, keys, size))
        processes = _Processes(folder)
        stack.callback(processes.stop)
        database = Database(stores.database_url)
        stack.callback(database.dispose)
        started = time.monotonic()
        if engine == "sqlite":
            processes.start(replace(options, writer=0))
        else:
            for _ in range(3):
                processes.start(options)
            for part in range(writers):
                processes.start(replace(options, worker=False, writer=part))
        kills, steps = _disasters(engine, size, processes, stores, clock, say)
        writing = time.monotonic() - started
        _settle(database, writers, size, started, say)
        settled = time.monotonic() - started
        verdict = judge(database, ports, size.learners)
        verdict.faults["processes_that_died"] = len(processes.died())
        return Outcome(engine, size, verdict, kills, stores.restarts, steps, writing, settled)


def _disasters(
    engine: Engine,
    size: Size,
    processes: _Processes,
    stores: _Stores,
    clock: SetClock,
    say: Callable[[str], None],
) -> tuple[int, int]:
    """Everything that happens while decisions are made, each at its time. Gives kills and clock steps."""
    chance = random.Random(size.seed)
    events: list[tuple[float, str, Callable[[], None]]] = [
        ((n + 0.7) / (size.kills + 0.7), "a worker is killed", lambda: processes.kill_one(chance))
        for n in range(size.kills)
    ]
    if engine == "postgresql":
        for n in range(size.restarts):
            at = (n + 0.5) / size.restarts
            events.append((at, "PostgreSQL ends and starts again", stores.restart_postgres))
            events.append((at + 0.12, "Redis ends and starts empty", stores.restart_redis))
    # A clock that is an hour slow for a while, as until somebody sets it right; later one that stays slow.
    for at, offset in ((0.4, -_HOUR), (0.5, 0.0), (0.75, -20.0)):
        events.append((at, f"the clock is set to {offset:+.0f} s", lambda o=offset: clock.set_offset(o)))  # type: ignore[misc]
    started = time.monotonic()
    for at, what, happen in sorted(events, key=lambda event: event[0]):
        time.sleep(max(0.0, started + at * size.seconds - time.monotonic()))
        say(f"{time.monotonic() - started:6.0f} s  {what}")
        happen()
    return size.kills, 3


def _settle(database: Database, writers: int, size: Size, started: float, say: Callable[[str], None]) -> None:
    """Wait until every writer is done and nothing is on its way."""
    told = time.monotonic()
    while True:
        with database.reading() as session:
            rows = session.execute(select(OutboxRow.state, func.count()).group_by(OutboxRow.state))
            counts = {row[0]: row[1] for row in rows}
        left = counts.get("waiting", 0) + counts.get("held", 0)
        if not left and _all_written(database, size, writers):
            return
        if time.monotonic() - started > size.patience:
            raise TimeoutError(f"not settled after {size.patience:.0f} s: {counts} {_what_is_left(database)}")
        if time.monotonic() - told > 15:
            told = time.monotonic()
            say(f"{told - started:6.0f} s  {counts}")
        time.sleep(0.5)


def _what_is_left(database: Database) -> str:
    with database.reading() as session:
        rows = session.execute(
            select(
                OutboxRow.destination,
                OutboxRow.reason,
                func.count(),
                func.max(OutboxRow.attempts),
                func.min(OutboxRow.due_at),
                func.max(OutboxRow.due_at),
            )
            .where(OutboxRow.state.in_(("waiting", "held")))
            .group_by(OutboxRow.destination, OutboxRow.reason)
        )
        left = [str(tuple(row)) for row in rows]
        troubled = outbox.status(session, now=SystemClock().now()).troubled
    return "\n".join([*left, *map(str, troubled)])


def _all_written(database: Database, size: Size, writers: int) -> bool:
    """Whether the whole plan has been carried out."""
    parts = [Writer(database, SystemClock(), size.learners, size.seed, n, writers) for n in range(writers)]
    return all(part.done() == len(part.steps) for part in parts)


def _prepare(options: Options, clock: SetClock, ports: list[int]) -> dict[str, object]:
    """Schema, tool key, course and people; gives the tool's public keys."""
    assembly = assemble(settings_of(options), clock)
    try:
        schema.upgrade(assembly.database)
        assembly.lti.keys.ensure()
        set_up(assembly.database, clock, ports, options.learners, options.writers)
        return assembly.lti.keys.jwks()
    finally:
        assembly.close()


@contextmanager
def _platforms(ports: list[int], keys: Mapping[str, object], size: Size) -> Iterator[None]:
    options = {
        "ports": ports,
        "lms": LMS,
        "seed": size.seed,
        "latency": size.latency,
        "faults": asdict(size.faults),
        "jwks": keys,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.platforms", json.dumps(options)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def _stores(engine: Engine, folder: Path) -> Iterator[_Stores]:
    if engine == "sqlite":
        yield _Stores(folder, f"sqlite:///{folder / 'microcred.db'}")
        return
    for name in ("postgres", "redis"):
        (folder / name).mkdir()
    stores = _Stores(folder, "")
    try:
        stores.servers["postgres"] = engines.start_postgres(folder / "postgres", _DURABLE)
        stores.servers["redis"] = engines.start_redis(folder / "redis")
        stores.database_url = (
            f"postgresql+psycopg://postgres@127.0.0.1:{stores.servers['postgres'].port}/postgres"
        )
        stores.redis_url = f"redis://127.0.0.1:{stores.servers['redis'].port}/0"
        yield stores
    finally:
        for server in stores.servers.values():
            server.stop()


def _kill(server: Server) -> None:
    """SIGKILL to a server and its children, and wait until they are gone."""
    process = psutil.Process(server.pid)
    family = [process, *process.children(recursive=True)]
    for one in family:
        os.kill(one.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)
