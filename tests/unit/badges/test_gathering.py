"""Threads whose jobs are done together: each gets its own result, and its own trouble alone."""

import threading
from collections.abc import Sequence

import pytest

from microcred.badges.gathering import Gathering


class Work:
    """Doubles numbers; the first batch waits until `go`, so that others can gather."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def do(self, numbers: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(numbers))
        if not self.begun.is_set():
            self.begun.set()
            assert self.go.wait(10)
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]


def results(work: Work, numbers: Sequence[int], most: int) -> dict[int, object]:
    """What each thread got; the first number is begun before the others come."""
    together = Gathering(work.do, most=most)
    found: dict[int, object] = {}

    def ask(number: int) -> None:
        try:
            found[number] = together.one(number)
        except ValueError as problem:
            found[number] = str(problem)

    threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
    threads[0].start()
    assert work.begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(together._waiting) < len(numbers) - 1:
        threading.Event().wait(0.001)
    work.go.set()
    for thread in threads:
        thread.join(10)
    return found


def test_jobs_that_come_while_another_is_done_are_done_together() -> None:
    work = Work()
    assert results(work, range(8), most=4) == {number: 2 * number for number in range(8)}
    assert [len(batch) for batch in work.batches] == [1, 4, 3]


def test_a_broken_job_harms_no_other() -> None:
    work = Work()
    assert results(work, [1, 13, 2, 3], most=10) == {1: 2, 13: "13", 2: 4, 3: 6}


def test_a_broken_job_alone_says_so_and_the_next_is_done() -> None:
    work = Work()
    work.begun.set()
    together = Gathering(work.do, most=2)
    with pytest.raises(ValueError, match="13"):
        together.one(13)
    assert together.one(4) == 8
