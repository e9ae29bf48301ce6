"""The tool's processes in a run, and killing them."""

import json
import random
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.chaos.node import Options

ROOT = Path(__file__).parents[2]


class Processes:
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
