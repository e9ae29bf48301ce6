"""Doing many jobs at the price of one: threads that come while another works have their jobs done together.

What costs a badge most is not its own (a question to the database, a key to open, a picture to read), so
the first thread takes all jobs that wait, and the others get their results from it.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Job = TypeVar("Job")
Done = TypeVar("Done")
_LINGER = 0.005


@dataclass(eq=False)
class _Waiting(Generic[Job, Done]):
    job: Job
    results: list[Done] = field(default_factory=list)
    """One, once it is done; none where the doing failed."""
    is_done: bool = False


class Gathering(Generic[Job, Done]):
    """`do` takes jobs and gives a result for each, in their order. One thread at a time is in it."""

    def __init__(self, do: Callable[[Sequence[Job]], Sequence[Done]], *, most: int) -> None:
        self._do, self._most = do, most
        self._condition = threading.Condition()
        self._waiting: list[_Waiting[Job, Done]] = []
        self._is_busy = self._had_several = False

    def one(self, job: Job) -> Done:
        """Have one job done. Where doing several fails, each is done alone, so that one broken job harms
        no other; raises what `do` raises for this one.
        """
        mine: _Waiting[Job, Done] = _Waiting(job)
        with self._condition:
            self._waiting.append(mine)
            while self._is_busy and not mine.is_done:
                self._condition.wait()
            taken: list[_Waiting[Job, Done]] = []
            if not mine.is_done:
                self._is_busy = True
                if self._had_several:
                    # The threads of the last batch are on their way with their next jobs.
                    self._condition.wait(_LINGER)
                # One's own among them, however many wait.
                others = [one for one in self._waiting if one is not mine][: self._most - 1]
                taken = [mine, *others]
                self._waiting = [one for one in self._waiting if one not in taken]
        if taken:
            self._do_for(taken)
        return mine.results[0] if mine.results else self._do([job])[0]

    def _do_for(self, taken: Sequence[_Waiting[Job, Done]]) -> None:
        done: Sequence[Done] = []
        try:
            done = self._do([one.job for one in taken])
        except Exception:
            if len(taken) == 1:
                raise
        finally:
            with self._condition:
                for number, one in enumerate(taken):
                    one.results, one.is_done = list(done[number : number + 1]), True
                self._is_busy, self._had_several = False, len(taken) > 1
                self._condition.notify_all()
