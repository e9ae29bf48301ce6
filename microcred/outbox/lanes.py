"""The jobs a worker has in hand: a lane for each destination, threads that work through them."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from microcred.outbox.outcomes import Job, Outcome, Throttled
from microcred.outbox.results import Result

_AHEAD = 4
"""Jobs in hand for each that may be in flight: threads need not wait for the next claim, and claims are
fewer and larger."""


@dataclass
class _Lane:
    ready: deque[Job] = field(default_factory=deque)
    in_flight: dict[int, Job] = field(default_factory=dict)
    share: int = 1
    per_second: float | None = None
    tokens: float = 0.0
    filled_at: float = 0.0
    resting: bool = False
    """Throttled just now: nothing more is begun until the dispatcher has read its jobs back."""


class Lanes:
    """Ready jobs by destination; `take` and `done` are called by threads, the rest by the dispatcher."""

    def __init__(
        self, run: Callable[[Job], Outcome], *, most_threads: int, on_done: Callable[[], None]
    ) -> None:
        self._run = run
        self._most_threads = most_threads
        self._on_done = on_done
        self._lanes: dict[str, _Lane] = {}
        self._results: list[Result] = []
        self._condition = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._stopped = False

    def room(self, destination: str, share: int, per_second: float | None) -> int:
        """How many more jobs of a destination are wanted, some more than its threads can begin at once."""
        with self._condition:
            lane = self._lanes.setdefault(destination, _Lane(filled_at=monotonic()))
            lane.share, lane.per_second = share, per_second
            wanted = _AHEAD * share - len(lane.ready) - len(lane.in_flight)
            return wanted if per_second is None else min(wanted, self._tokens(lane, per_second))

    def put(self, jobs: Sequence[Job]) -> None:
        """Hand jobs to the threads."""
        with self._condition:
            for job in jobs:
                lane = self._lanes.setdefault(job.destination, _Lane(filled_at=monotonic()))
                lane.ready.append(job)
                lane.tokens -= 1
            for _ in range(min(len(jobs) - self._idle, self._most_threads - len(self._threads))):
                thread = threading.Thread(target=self._work, name="outbox-worker", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._condition.notify(len(jobs))

    def results(self) -> list[Result]:
        """The results since the last call."""
        with self._condition:
            results, self._results = self._results, []
            return results

    def put_back(self, results: Sequence[Result]) -> None:
        """Keep results that could not be stored yet."""
        with self._condition:
            self._results[:0] = results

    def unbegun(self, destination: str | None = None) -> list[Job]:
        """Take back the jobs of a destination (of all) that no thread has begun, and let a resting lane go
        on."""
        with self._condition:
            jobs: list[Job] = []
            for name, lane in self._lanes.items():
                if destination in (None, name):
                    jobs += lane.ready
                    lane.ready.clear()
                    lane.resting = False
            return jobs

    def resting(self) -> list[str]:
        """Destinations that were throttled since their jobs were taken back."""
        with self._condition:
            return [name for name, lane in self._lanes.items() if lane.resting]

    def in_hand(self) -> list[Job]:
        """Every job not finished: ready and in flight."""
        with self._condition:
            return [job for lane in self._lanes.values() for job in (*lane.ready, *lane.in_flight.values())]

    def backlog(self) -> bool:
        """Whether threads have more to begin without another claim."""
        with self._condition:
            return any(lane.ready and not lane.resting for lane in self._lanes.values())

    def stop(self) -> None:
        """Let the jobs in flight end (their handlers have deadlines of their own) and end the threads."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        job = self._take(None)
        while job is not None:
            outcome = self._run(job)
            job = self._take((job, outcome))

    def _take(self, done: Result | None) -> Job | None:
        """Hand over what was done and wait for the next job; None when the threads end."""
        with self._condition:
            if done is not None:
                job, outcome = done
                lane = self._lanes[job.destination]
                lane.in_flight.pop(job.id, None)
                lane.resting = lane.resting or isinstance(outcome, Throttled)
                self._results.append(done)
                self._on_done()
            while not self._stopped:
                following = self._next()
                if following is not None:
                    return following
                self._idle += 1
                self._condition.wait()
                self._idle -= 1
            return None

    def _next(self) -> Job | None:
        """The next job of the lane whose turn it is; lanes take turns, so one full lane does not hold up
        another."""
        for name, lane in self._lanes.items():
            if lane.ready and not lane.resting and len(lane.in_flight) < lane.share:
                job = lane.ready.popleft()
                lane.in_flight[job.id] = job
                self._lanes[name] = self._lanes.pop(name)
                return job
        return None

    @staticmethod
    def _tokens(lane: _Lane, per_second: float) -> int:
        """Whole jobs that the rate allows now; at most one second's worth is saved up."""
        now = monotonic()
        lane.tokens = min(max(per_second, 1.0), lane.tokens + (now - lane.filled_at) * per_second)
        lane.filled_at = now
        return int(lane.tokens)
