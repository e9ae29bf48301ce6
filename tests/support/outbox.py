"""An outbox in tests: a clock that is set by hand, and a handler that notes what it was given."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from microcred.database import Base, Clock, Database
from microcred.outbox import Delivered, Job, OutboxRow, Outcome, Policy, Worker, add
from microcred.outbox.models import OutboxDestination, OutboxWorker

TABLES = [Base.metadata.tables[m.__tablename__] for m in (OutboxRow, OutboxDestination, OutboxWorker)]


class SetClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_(self, **delta: float) -> None:
        self.time += timedelta(**delta)


class Recorder:
    """A handler that notes its jobs and answers as told (delivered, unless `answer` says otherwise)."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.answer: Callable[[Job], Outcome] = lambda job: Delivered()
        self._lock = threading.Lock()

    def __call__(self, job: Job) -> Outcome:
        with self._lock:
            self.jobs.append(job)
        return self.answer(job)

    @property
    def sent(self) -> list[Any]:
        return [job.payload["n"] for job in self.jobs]


class Outbox:
    """Short forms for tests."""

    def __init__(self, database: Database, clock: SetClock) -> None:
        self.database = database
        self.clock = clock
        self.real_time: Clock | None = None
        """Set where threads and time-outs are at work."""
        self.handler = Recorder()

    def add(self, n: Any, *, key: str | None = None, to: str = "registration:1", **more: Any) -> int:
        with self.database.writing() as session:
            row = add(
                session,
                kind="score",
                destination=to,
                order_key=key,
                subject=("test", str(n)),
                payload={"n": n},
                now=self.now(),
                **more,
            )
            return row.id

    def worker(self, **more: Any) -> Worker:
        policy = more.pop("policy", Policy())
        return Worker(
            self.database,
            more.pop("clock", self.real_time or self.clock),
            policy=policy,
            handlers={"score": more.pop("handler", self.handler)},
            rng=random.Random(7),
            **more,
        )

    def now(self) -> datetime:
        return (self.real_time or self.clock).now()

    def row(self, row_id: int) -> OutboxRow:
        with self.database.reading() as session:
            row = session.get(OutboxRow, row_id)
            assert row is not None
            session.expunge(row)
            return row

    def states(self) -> list[str]:
        with self.database.reading() as session:
            return [row.state for row in session.query(OutboxRow).order_by(OutboxRow.id)]
