"""Servers of one test run: each is started once, by the first process that asks, and shared by all of them.

pytest-xdist runs tests in several processes. The process that the person started (the controller) makes a
folder; a server's port and process id are written there under a file lock; the controller ends them when the
run is over. A run that was killed leaves its servers; the next run ends them.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

FOLDER_PREFIX = "microcred-test-"


@dataclass(frozen=True)
class Server:
    """A running server on 127.0.0.1; `started` (seconds since 1970) tells it from a later process."""

    port: int
    pid: int
    started: float

    @classmethod
    def of(cls, port: int, pid: int) -> "Server":
        """The server that process `pid` is."""
        return cls(port=port, pid=pid, started=psutil.Process(pid).create_time())

    def stop(self) -> None:
        """Ends the process, by force after 5 s; does nothing when it is gone already."""
        try:
            process = psutil.Process(self.pid)
            if process.create_time() != self.started:
                return
            children = process.children(recursive=True)
            # PostgreSQL leaves at once on SIGINT; on SIGTERM it would wait for its clients to go.
            process.send_signal(signal.SIGINT)
            _, alive = psutil.wait_procs([process, *children], timeout=5)
            for left in alive:
                left.kill()
        except psutil.NoSuchProcess:
            return


class Servers:
    """The servers of one run, kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def new(cls) -> "Servers":
        """A folder for a run of this process; ends what killed runs left behind."""
        base = Path(tempfile.gettempdir())
        for folder in base.glob(f"{FOLDER_PREFIX}*"):
            pid = folder.name.removeprefix(FOLDER_PREFIX).split("-")[0]
            if os.access(folder, os.W_OK) and pid.isdecimal() and not psutil.pid_exists(int(pid)):
                cls(folder).stop()
        folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-"))
        folder.chmod(0o711)  # run by root, PostgreSQL works as another user and must pass through
        return cls(folder)

    def get(self, name: str, start: Callable[[Path], Server]) -> Server:
        """The server called `name`; `start(folder)` starts it when no process of this run has done so yet."""
        note = self.folder / f"{name}.json"
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if note.exists():
                return Server(**json.loads(note.read_text()))
            folder = self.folder / name
            folder.mkdir()
            server = start(folder)
            note.write_text(json.dumps(asdict(server)))
            return server

    def stop(self) -> None:
        """Ends every server of the run and removes the folder."""
        for note in self.folder.glob("*.json"):
            Server(**json.loads(note.read_text())).stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
