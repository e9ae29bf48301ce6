"""The shipped command as processes of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

START_SECONDS = 60
END_SECONDS = 10
"""What the contract gives a process to end in."""


@dataclass
class Process:
    """A running command; `log` is its stderr."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def end(self) -> float:
        """SIGTERM; it must end by itself and well. How long it took, in seconds."""
        started = time.monotonic()
        self.process.terminate()
        assert self.process.wait(timeout=END_SECONDS) == 0, self.log.read_text()
        return time.monotonic() - started

    def kill(self) -> None:
        """End it by force, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def running(folder: Path, settings: dict[str, str], *words: str) -> Iterator[Process]:
    """`microcred WORDS` in `folder`, with these settings and no others; ended by force if need be."""
    log = folder / f"{words[0]}-{time.monotonic_ns()}.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MICROCRED_")}
    with log.open("wb") as target:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("microcred"), *words],
            env=inherited | settings,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=target,
        )
    found = Process(process, log)
    try:
        yield found
    finally:
        found.kill()


def wait_for(url: str, process: Process, status: int = 200) -> requests.Response:
    """The answer at `url` once it has this status; fails when the process ends before."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.process.poll() is None, process.log.read_text()
        try:
            answer = requests.get(url, timeout=10)
        except requests.ConnectionError:
            pass
        else:
            if answer.status_code == status:
                return answer
        time.sleep(0.1)
    raise AssertionError(f"{url} did not answer {status} in {START_SECONDS} s: {process.log.read_text()}")
