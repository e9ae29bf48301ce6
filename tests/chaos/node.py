"""One process of the tool in a run: a worker, a writer of decisions, or both.

`python -m tests.chaos.node '{"database_url": ..., ...}'` (shape: `Options`).
"""

import json
import signal
import sys
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import grade_passback
from microcred.app.logs import configure
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble
from microcred.outbox import Policy, Worker
from tests.chaos.clock import SetClock
from tests.chaos.world import Writer


@dataclass(frozen=True)
class Options:
    """What a process is told."""

    database_url: str
    redis_url: str | None
    folder: str
    secret: str
    hosts: tuple[str, ...]
    learners: int
    seed: int
    haste: float
    """The outbox's own times are divided by this."""
    worker: bool
    writer: int | None
    """Which part of the plan it writes."""
    writers: int
    settles: float
    """Seconds before a column whose making was broken off is made again."""
    per_second: float
    """Steps of this writer in a second, at most."""


def settings_of(options: Options) -> Settings:
    """The settings of every process of a run."""
    return Settings(
        public_url="http://127.0.0.1:1",
        database_url=options.database_url,
        redis_url=options.redis_url,
        secret_keys=[options.secret],
        data_dir=Path(options.folder),
        allow_hosts=list(options.hosts),
        log_format="json",
    )


def hasty(haste: float) -> Policy:
    """The outbox's policy with shorter times; what counts is the same. The window stays: the clock steps by
    an hour, which is nothing in three days.
    """
    usual = Policy()
    return Policy(
        lease=max(usual.lease / haste, 10.0),
        back_off=usual.back_off / haste,
        back_off_most=usual.back_off_most / haste,
        breaker_most=usual.breaker_most / haste,
        worker_seen=usual.worker_seen,
    )


def _work(assembly: Assembly, options: Options) -> Worker:
    handler = grade_passback.make_handler(
        assembly.database, assembly.clock, assembly.lti.services, settles=timedelta(seconds=options.settles)
    )
    policy = hasty(options.haste)
    worker = Worker(assembly.database, assembly.clock, handlers={grade_passback.KIND: handler}, policy=policy)
    threading.Thread(target=worker.run_until_stopped, daemon=True).start()
    return worker


def _write(assembly: Assembly, options: Options) -> None:
    assert options.writer is not None
    writer = Writer(
        assembly.database, assembly.clock, options.learners, options.seed, options.writer, options.writers
    )
    position: int | None = None
    while position is None or position < len(writer.steps):
        started = time.monotonic()
        try:
            if position is None:
                position = writer.done()
                continue
            writer.write(writer.steps[position])
            position += 1
        except (DBAPIError, PoolTimeout):
            # Whether the commit came through is not known: ask.
            position = None
            time.sleep(0.2)
        time.sleep(max(0.0, 1 / options.per_second - (time.monotonic() - started)))


def main(options: Options) -> None:
    """Run until ended; a writer without a worker ends when its part is written."""
    configure("json")
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    assembly = assemble(settings_of(options), SetClock(Path(options.folder) / "clock"))
    worker = _work(assembly, options) if options.worker else None
    print("ready", flush=True)
    if options.writer is not None:
        thread = threading.Thread(target=_write, args=(assembly, options), daemon=True)
        thread.start()
        while worker is None and thread.is_alive() and not stopping.is_set():
            thread.join(0.2)
    if worker is not None:
        stopping.wait()
        worker.stop()
    assembly.close()


if __name__ == "__main__":
    main(Options(**json.loads(sys.argv[1])))
