"""One run: engines, platforms, processes of the tool, and everything that happens to them."""

import json
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from microcred import outbox
from microcred.app import schema
from microcred.app.wiring import assemble
from microcred.database import Database, SystemClock
from microcred.outbox import OutboxRow
from tests.chaos.clock import SetClock
from tests.chaos.judge import Verdict, judge
from tests.chaos.node import Options, settings_of
from tests.chaos.plan import LMS, STEPS_A_LEARNER, steps
from tests.chaos.platforms import Faults
from tests.chaos.processes import ROOT, Processes
from tests.chaos.stores import Engine, Stores, stores_of
from tests.chaos.world import set_up, steps_done
from tests.support.servers import free_port

_HOUR = 3600.0


@dataclass(frozen=True)
class Size:
    """How much happens."""

    learners: int = 10_000
    kills: int = 30
    restarts: int = 3
    """Of PostgreSQL; of Redis as many."""
    seconds: float = 300.0
    """How long decisions are made and disasters happen, where the machine keeps up."""
    haste: float = 10.0
    """The outbox's own waiting times are divided by this."""
    slow: float = 20.0
    """Seconds that the clock stays behind in the end; rows claimed before wait so much longer."""
    settles: float = 60.0
    """Seconds before a column whose making was broken off is made again."""
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


def run(engine: Engine, size: Size, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Carry out a run and judge it. Raises TimeoutError where it does not come to an end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="microcred-chaos-")))
        folder.chmod(0o711)
        stores = stack.enter_context(stores_of(engine, folder))
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
            settles=size.settles,
            per_second=size.learners * STEPS_A_LEARNER / size.seconds / writers,
        )
        keys = _prepare(options, clock, ports)
        stack.enter_context(_platforms(ports, keys, size))
        processes = Processes(folder)
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
        progress = _Progress(database, size, writers, started)
        kills, clock_steps = _disasters(engine, size, processes, stores, clock, progress, say)
        progress.wait_for(1.0)
        writing = time.monotonic() - started
        _settle(database, size, started, say)
        settled = time.monotonic() - started
        verdict = judge(database, ports, size.learners)
        verdict.faults["processes_that_died"] = len(processes.died())
        return Outcome(engine, size, verdict, kills, stores.restarts, clock_steps, writing, settled)


def _disasters(
    engine: Engine,
    size: Size,
    processes: Processes,
    stores: Stores,
    clock: SetClock,
    progress: "_Progress",
    say: Callable[[str], None],
) -> tuple[int, int]:
    """Everything that happens while decisions are made, each when its share of them is made, however slow
    the machine is. Gives kills and clock steps.
    """
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
    for at, offset in ((0.4, -_HOUR), (0.5, 0.0), (0.75, -size.slow)):
        events.append((at, f"the clock is set to {offset:+.0f} s", lambda o=offset: clock.set_offset(o)))  # type: ignore[misc]
    started = time.monotonic()
    for at, what, happen in sorted(events, key=lambda event: event[0]):
        progress.wait_for(min(at, 0.98))
        say(f"{time.monotonic() - started:6.0f} s  {what}")
        happen()
    return size.kills, 3


class _Progress:
    """How much of the plan has been carried out, by whichever process."""

    def __init__(self, database: Database, size: Size, writers: int, started: float) -> None:
        self._database = database
        self._size = size
        self._started = started
        parts = (steps(size.learners, size.seed, part, writers) for part in range(writers))
        self._total = sum(map(len, parts))

    def wait_for(self, share: float) -> None:
        """Until so much of it is done. Raises TimeoutError."""
        while self._done() < share * self._total:
            if time.monotonic() - self._started > self._size.patience:
                raise TimeoutError(f"{self._done()} of {self._total} steps in {self._size.patience:.0f} s")
            time.sleep(0.25)

    def _done(self) -> int:
        try:
            with self._database.reading() as session:
                return steps_done(session)
        except (DBAPIError, PoolTimeout):
            return 0  # it is coming back


def _settle(database: Database, size: Size, started: float, say: Callable[[str], None]) -> None:
    """Wait until nothing is on its way."""
    told = time.monotonic()
    while True:
        with database.reading() as session:
            rows = session.execute(select(OutboxRow.state, func.count()).group_by(OutboxRow.state))
            counts = {row[0]: row[1] for row in rows}
        left = counts.get("waiting", 0) + counts.get("held", 0)
        if not left:
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
