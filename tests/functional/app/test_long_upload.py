"""A film of 1.5 GB over a server that is killed again and again: it arrives whole, and costs no memory."""

import base64
import hashlib
import http.client
import json
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from microcred.credentials.models import EvidenceItem
from tests.functional.app.processes import Process, running, wait_for
from tests.functional.web.course import Course, MovingClock, Visitor, build
from tests.support.servers import free_port

MIB = 1024 * 1024
LENGTH = 1500 * MIB + 12_345
FLAT = 96 * MIB
"""How much a server may grow: a piece, what waits for the store, and what allocators keep."""
KILLS = ("connection", "server", "connection", "server", "connection")


class Film:
    """The bytes of a long film, made as they are needed: no two megabytes are alike."""

    def __init__(self, length: int) -> None:
        self.length = length
        self._noise = hashlib.shake_256(b"a film").digest(MIB)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Bytes from `start` up to `end`, a megabyte at most at a time."""
        at = start
        while at < end:
            number, inside = divmod(at, MIB)
            block = number.to_bytes(8, "big") + self._noise[8:]
            if number == 0:
                block = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + block[24:]
            piece = block[inside : min(MIB, inside + end - at)]
            yield piece
            at += len(piece)

    def sha256(self) -> str:
        """The hash of all of it."""
        digest = hashlib.sha256()
        for piece in self.read(0, self.length):
            digest.update(piece)
        return digest.hexdigest()


class Watch:
    """The resident memory of a server's processes, looked at ten times a second."""

    def __init__(self, process: Process) -> None:
        self._root = psutil.Process(process.process.pid)
        self._over = threading.Event()
        self.first = self.most = 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            try:
                processes = [self._root, *self._root.children(recursive=True)]
                # ffmpeg works under limits of its own; what is asked here is whether the server keeps files.
                ours = [one.memory_info().rss for one in processes if "ffmpeg" not in one.name()]
            except psutil.Error:
                continue
            self.first = self.first or sum(ours)
            self.most = max(self.most, sum(ours))

    def end(self) -> int:
        """How many bytes it grew at most."""
        self._over.set()
        self._thread.join()
        return self.most - self.first


class Client:
    """The tus client: sends what the server says is missing."""

    def __init__(self, port: int, visitor: Visitor, film: Film, cookie: str) -> None:
        self._port, self._film = port, film
        self._path = visitor.url("uploads")
        self._headers = {
            "Cookie": f"__Secure-launch={cookie}",
            "Sec-Fetch-Site": "same-origin",
            "X-Form-Token": visitor.form_token,
            "Tus-Resumable": "1.0.0",
        }

    def begin(self) -> int:
        """Begin it, or find it again; gives how many bytes are there."""
        facts = {"filename": "lesson.mp4", "part": "p2", "requirement": "p2-a1", "fingerprint": "the film"}
        metadata = ",".join(
            f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in facts.items()
        )
        said = {"Upload-Length": str(self._film.length), "Upload-Metadata": metadata}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request("POST", self._path, headers=self._headers | said)
        answer = connection.getresponse()
        words = answer.read().decode()
        assert answer.status == 201, words
        connection.close()
        self._path = str(answer.headers["Location"])
        return int(answer.headers["Upload-Offset"])

    def standing(self) -> int:
        """How many bytes are there."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request("HEAD", self._path, headers=self._headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status == 200
        return int(answer.headers["Upload-Offset"])

    def send(self, start: int, stop: int) -> None:
        """Promise all that is missing and send it up to `stop`; hangs up there, unless that is the end."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.putrequest("PATCH", self._path)
        said = {
            "Upload-Offset": str(start),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(self._film.length - start),
        }
        for name, value in (self._headers | said).items():
            connection.putheader(name, value)
        connection.endheaders()
        for piece in self._film.read(start, stop):
            connection.send(piece)
        if stop == self._film.length:
            answer = connection.getresponse()
            assert answer.status == 204, answer.read()
        elif isinstance(connection.sock, socket.socket):
            connection.sock.shutdown(socket.SHUT_RDWR)
        connection.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder on a disk: temporary files may be in memory."""
    made = Path(tempfile.mkdtemp(prefix="microcred-long-upload-", dir="/var/tmp"))
    yield made
    shutil.rmtree(made)


def kill(process: Process) -> None:
    """End all of a server's processes at once, without a word."""
    parent = psutil.Process(process.process.pid)
    for one in [parent, *parent.children(recursive=True)]:
        one.send_signal(signal.SIGKILL)
    process.process.wait()


def wait_for_evidence(course: Course, server: Process) -> EvidenceItem:
    """The piece of evidence, once the worker has joined and prepared it."""
    until = time.monotonic() + 170
    while time.monotonic() < until:
        assert server.process.poll() is None, server.log.read_text()
        with course.assembly.database.reading() as session:
            item = session.scalars(select(EvidenceItem)).one_or_none()
            if item is not None and item.storage_key is not None:
                session.refresh(item, ["file"])
                if item.file is not None and item.file.state == "ready":
                    return item
        time.sleep(0.5)
    raise AssertionError(f"not ready in time: {server.log.read_text()}")


@pytest.mark.long
def test_a_film_of_1500_mb_killed_five_times_arrives_whole_and_the_server_stays_small(
    folder: Path, migrated_sqlite_url: str
) -> None:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    files = str(folder / "files")
    course = build(
        migrated_sqlite_url, folder, MovingClock(datetime.now(UTC)), origin=origin, storage_url=files
    )
    visitor = course.visitor()
    visitor.get()
    film = Film(LENGTH)
    client = Client(port, visitor, film, course.assembly.lti.sessions.credential_for(visitor.launch))
    settings = {
        "MICROCRED_DATABASE_URL": migrated_sqlite_url,
        "MICROCRED_SECRET_KEYS": "a secret of the tests alone",
        "MICROCRED_STORAGE_URL": files,
        "MICROCRED_DATA_DIR": str(folder),
        "MICROCRED_PUBLIC_URL": origin,
        "MICROCRED_ALLOW_HOSTS": f"127.0.0.1:{port}",
        "TMPDIR": str(folder),
    }
    started = time.monotonic()
    grown: list[int] = []
    standing: list[int] = []
    how, stop = "", 0
    stops = [LENGTH * number // (len(KILLS) + 1) for number in range(1, len(KILLS) + 1)]
    steps = [*zip(KILLS, stops, strict=True), ("", LENGTH)]
    while steps:
        with running(folder, settings, "serve", "--port", str(port)) as server:
            wait_for(f"{origin}/readyz", server)
            watch = Watch(server)
            if not standing:
                at = client.begin()
            else:
                at = client.standing()
                standing.append(at)
                # What lay in buffers on the way is lost with the server, and one piece.
                assert stop - 32 * MIB < at <= stop
            while steps:
                how, stop = steps.pop(0)
                client.send(at, stop)
                if how == "server":
                    kill(server)
                    break
                time.sleep(1)  # until the server has noticed that nobody is there any more
                if stop < LENGTH:
                    at = client.standing()
                    standing.append(at)
                    assert stop - 8 * MIB < at <= stop
            else:
                sent = time.monotonic() - started
                item = wait_for_evidence(course, server)
            grown.append(watch.end())
    ready = time.monotonic() - started
    assert item.size == LENGTH
    assert item.sha256 == film.sha256()
    with (folder / "files" / str(item.storage_key)).open("rb") as stored:
        assert hashlib.file_digest(stored, "sha256").hexdigest() == item.sha256
    figures = {
        "kept after each break": [at // MIB for at in standing],
        "MiB grown": [round(one / MIB) for one in grown],
        "seconds to send": round(sent),
        "seconds until ready": round(ready),
    }
    print(json.dumps(figures), file=sys.stderr)
    assert max(grown) < FLAT, figures
    left = [path for path in (folder / "files").rglob("*") if path.is_file()]
    assert [path.parent.name for path in left] == ["evidence"], left
    course.assembly.close()
