"""The demo as a process: the shipped command with tool and LMS on free ports, and what it says about
itself.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

START_SECONDS = 90
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Demo:
    """A running demo. `desk` maps a role to its one-time links, by the person's name."""

    tool_url: str
    lms_url: str
    facts: dict[str, Any]
    folder: Path
    process: "subprocess.Popen[str]"

    def desk(self, role: str, number: int = 0) -> str:
        """The one-time link of the `number`-th person who holds `role`."""
        links = [person["url"] for person in self.facts["desk"] if person["role"] == role]
        return str(links[number])

    @property
    def _data(self) -> str:
        dialect = self.facts["lms"]["dialect"]
        return "demo" if dialect == "plain" else f"demo-{dialect}"

    def command(self, *arguments: str) -> Any:
        """What `microcred <arguments> --json` prints about this demo's database."""
        environment = {
            **os.environ,
            "MICROCRED_DATA_DIR": str(self.folder / self._data),
            "MICROCRED_PUBLIC_URL": self.tool_url,
        }
        done = subprocess.run(
            [*_microcred(), *arguments, "--json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@contextmanager
def running_demo(folder: Path, lms: str = "plain") -> Iterator[Demo]:
    """`microcred demo --lms` on free ports with its data in `folder`, ready to click; ended when the block
    ends.
    """
    port, lms_port = _free_ports(2)
    log = (folder / "demo.log").open("w")
    process = subprocess.Popen(
        [*_microcred(), "demo", "--json", "--port", str(port), "--lms-port", str(lms_port), "--lms", lms],
        env={**os.environ, "MICROCRED_DATA_DIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "demo.log").read_text()
        facts = json.loads(line)
        _wait_for(f"http://127.0.0.1:{port}/readyz", process)
        yield Demo(facts["tool_url"], facts["lms"]["url"], facts, folder, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        log.close()


def _microcred() -> list[str]:
    return [sys.executable, "-m", "microcred.app"]


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in held]
    for sock in held:
        sock.close()
    return ports


def _wait_for(url: str, process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, "the demo ended by itself; see demo.log"
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise AssertionError(f"{url} did not answer within {START_SECONDS} s")
