"""The worker: claims due rows, lets threads do them, stores results, sleeps until there is more."""

import random
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from microcred.database import Clock, Database, random_id
from microcred.outbox.claims import Claim, DestinationView, claim, release, renew, sign_of_life, sign_off
from microcred.outbox.lanes import Lanes
from microcred.outbox.outcomes import Handler, Job, Outcome, Retry, Throttled
from microcred.outbox.policy import Limit, Policy
from microcred.outbox.results import Result, store
from microcred.outbox.wake import wake_of

_log = structlog.get_logger("microcred.outbox")
_LINGER = 0.02
"""Seconds between two rounds while threads are busy, for each worker there is: claims and results then go by
the dozen, and the database has as many rounds however many workers there are."""
_SOON = 0.01
_IDLE = 15.0
_AFTER_DATABASE_ERROR = 1.0


class Worker:
    """One worker process' share of the outbox.

    `handlers` says who does which kind of row. Handlers run in threads, outside transactions, and may run
    twice for one row after a crash. Any number of workers may share a database; a lease with a fencing
    number keeps them apart.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        handlers: Mapping[str, Handler],
        policy: Policy | None = None,
        rng: random.Random | None = None,
        threads: int = 64,
        in_flight: int = 8,
    ) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy or Policy(limit_of=lambda _destination: Limit(concurrency=in_flight))
        self._handlers = handlers
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, keeps no secret
        self._id = random_id()
        self.living = 1
        """Workers that deliver from this database, this one among them, when last looked."""
        self._lease = timedelta(seconds=self._policy.lease)
        self._renewed_at: datetime | None = None
        self._seen_at: datetime | None = None
        self._failing: set[str] | None = None
        """Destinations with failures when last looked at; None: nobody has looked yet."""
        self._event = threading.Event()
        self._stopping = threading.Event()
        self._lanes = Lanes(self._run, most_threads=threads, on_done=self._wake)

    def run_until_stopped(self) -> None:
        """Work until `stop` is called; then let jobs in flight end, store their results and give the
        others back."""
        unlisten = wake_of(self._database.engine).listen(self._event.set)
        try:
            while not self._stopping.is_set():
                seconds = self._guarded_cycle()
                self._event.wait(seconds)
                if self._lanes.backlog():
                    self._stopping.wait(_LINGER * self.living)
                self._event.clear()
        finally:
            unlisten()
            self._wind_up()

    def stop(self) -> None:
        """Ask `run_until_stopped` to end; from any thread or signal handler."""
        self._stopping.set()
        self._event.set()

    def run_due(self) -> int:
        """Do everything that is due now, in this thread, and return how many jobs were run. For tests and
        commands."""
        count = 0
        results: list[Result] = []
        unbegun: list[Job] = []
        while True:
            now = self._clock.now()
            with self._database.writing() as session:
                results = store(session, results, now=now, policy=self._policy, rng=self._rng)
                release(session, unbegun, now=now)
                taken = claim(session, now=now, lease=self._lease, room=self._share)
            unbegun, resting = [], set[str]()
            for job in taken.jobs:
                if job.destination in resting:
                    unbegun.append(job)
                    continue
                outcome = self._run(job)
                results.append((job, outcome))
                count += 1
                if isinstance(outcome, Throttled):
                    resting.add(job.destination)
            if not taken.jobs and not results:
                return count

    def _wake(self) -> None:
        if not self._event.is_set():  # setting takes a lock that the dispatcher may just want
            self._event.set()

    def _guarded_cycle(self) -> float:
        """One cycle; a database that is away costs a second, never a result. Seconds to sleep."""
        results = self._lanes.results()
        try:
            return self._cycle(results)
        except (DBAPIError, PoolTimeout) as error:
            _log.warning("outbox_database_error", error=type(error).__name__)
            self._lanes.put_back(results)
            self._stopping.wait(_AFTER_DATABASE_ERROR)
            return 0.0

    def _cycle(self, results: list[Result]) -> float:
        now = self._clock.now()
        resting = self._lanes.resting()
        returned = [job for name in resting for job in self._lanes.unbegun(name)]
        with self._database.writing() as session:
            self._show_life(session, now)
            left = store(session, results, now=now, policy=self._policy, rng=self._rng, failing=self._failing)
            release(session, returned, now=now)
            taken = claim(session, now=now, lease=self._lease, room=self._room)
        self._failing = {view.name for view in taken.destinations.values() if view.failures}
        self._lanes.put(taken.jobs)
        if left:
            self._lanes.put_back(left)
            return _SOON
        return self._sleep_time(taken, now)

    def _show_life(self, session: Session, now: datetime) -> None:
        if self._seen_at is None or now - self._seen_at >= timedelta(seconds=self._policy.heartbeat):
            seen = timedelta(seconds=self._policy.worker_seen)
            self.living = sign_of_life(session, self._id, now=now, seen=seen)
            self._seen_at = now
        if self._renewed_at is None or now - self._renewed_at >= self._lease / 3:
            renew(session, self._lanes.in_hand(), now=now, lease=self._lease)
            self._renewed_at = now

    def _sleep_time(self, taken: Claim, now: datetime) -> float:
        in_hand = self._lanes.in_hand()
        longest = min(_IDLE, self._policy.lease / 3) if in_hand else _IDLE
        if taken.next_due_at is None or (in_hand and taken.next_due_at <= now):
            return longest  # what is due waits for room; the next result wakes us
        return min(max((taken.next_due_at - now).total_seconds(), _SOON), longest)

    def _share(self, view: DestinationView) -> int:
        """This worker's part of a destination's limit; one probe at a time after a pause."""
        if view.on_probation:
            return 1
        return max(1, self._policy.limit_of(view.name).concurrency // self.living)

    def _room(self, view: DestinationView) -> int:
        rate = self._policy.limit_of(view.name).per_second
        return self._lanes.room(view.name, self._share(view), rate / self.living if rate else None)

    def _run(self, job: Job) -> Outcome:
        handler = self._handlers.get(job.kind)
        if handler is None:
            return Retry(reason="no_handler", destination_failed=False)
        try:
            return handler(job)
        except Exception as error:  # noqa: BLE001 - one broken job must not end the worker; it is tried again
            _log.exception("handler_broken", row=job.id, kind=job.kind, error=type(error).__name__)
            return Retry(reason="internal_error", destination_failed=False)

    def _wind_up(self) -> None:
        returned = self._lanes.unbegun()
        self._lanes.stop()
        results = self._lanes.results()
        now = self._clock.now()
        try:
            with self._database.writing() as session:
                store(session, results, now=now, policy=self._policy, rng=self._rng)
                release(session, returned, now=now)
                sign_off(session, self._id)
        except (DBAPIError, PoolTimeout) as error:
            # The leases run out by themselves; what was sent is sent again with the same bytes.
            _log.warning("outbox_database_error", error=type(error).__name__)
