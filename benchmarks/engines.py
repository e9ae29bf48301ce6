"""What a benchmark runs on: PostgreSQL and Redis of its own, programs as processes, all ended afterwards."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis
import requests

from benchmarks import machine
from tests.support import engines
from tests.support.servers import Server, free_port

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "benchmarks" / "peers"
TOOLS = ROOT / ".tools" / "bench"
SECRET = "a secret of the benchmarks alone"
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "autovacuum": "on"}
"""PostgreSQL as it is shipped: a commit is on the disk before it answers."""


class NotReady(Exception):
    """A program did not start; the message holds the end of what it wrote."""


@dataclass(frozen=True)
class Stores:
    """PostgreSQL and Redis."""

    postgres: Server
    redis: Server
    folder: Path

    @contextmanager
    def database(self, template: str = "template1", name: str | None = None) -> Iterator[str]:
        """A database of one window, a copy of `template`, as SQLAlchemy names it."""
        with engines.postgres_database(
            self.postgres.port, name or f"bench_{uuid.uuid4().hex[:8]}", template
        ) as url:
            yield url

    def forget(self) -> None:
        """Empty Redis."""
        with redis.Redis(port=self.redis.port) as client:
            client.flushall()

    @property
    def redis_url(self) -> str:
        """As MICROCRED_REDIS_URL names it."""
        return f"redis://127.0.0.1:{self.redis.port}/0"

    def connect(self, url: str) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection of psycopg to a database of ours."""
        name = url.rpartition("/")[2]
        return psycopg.connect(
            f"host=127.0.0.1 port={self.postgres.port} user=postgres dbname={name}", autocommit=True
        )


@contextmanager
def stores() -> Iterator[Stores]:
    """PostgreSQL (durable, as shipped) and Redis, empty."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="microcred-bench-")))
        folder.chmod(0o711)
        started: dict[str, Server] = {}
        for name in ("postgres", "redis"):
            (folder / name).mkdir()
        started["postgres"] = engines.start_postgres(
            folder / "postgres", {**engines.POSTGRES_OPTIONS, **DURABLE}
        )
        stack.callback(started["postgres"].stop)
        started["redis"] = engines.start_redis(folder / "redis")
        stack.callback(started["redis"].stop)
        yield Stores(started["postgres"], started["redis"], folder)


def environment(
    stores: Stores, database_url: str, public_url: str, hosts: Sequence[str], **more: str
) -> dict[str, str]:
    """Settings of our own processes: everything on, rates counted but out of the way."""
    settings = {
        "PUBLIC_URL": public_url,
        "DATABASE_URL": database_url,
        "REDIS_URL": stores.redis_url,
        "SECRET_KEYS": SECRET,
        "STORAGE_URL": str(stores.folder / "files"),
        "DATA_DIR": str(stores.folder),
        "ALLOW_HOSTS": ",".join(hosts),
        "RATE_LOGIN": "1000000000",
        "RATE_FAILED_LAUNCH": "1000000000",
        **more,
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MICROCRED_")}
    return inherited | {f"MICROCRED_{name}": value for name, value in settings.items()}


@contextmanager
def process(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    core: int | None = None,
    ready: str | None = None,
    address: str | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator["subprocess.Popen[str]"]:
    """A program, ready when it has printed `ready` or when `address` answers; ended afterwards.

    Raises NotReady.
    """
    with tempfile.NamedTemporaryFile("w+", prefix="microcred-bench-", suffix=".log") as log:
        started = subprocess.Popen(
            [str(word) for word in command],
            env=env,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            text=True,
            preexec_fn=(lambda: os.sched_setaffinity(0, {core})) if core is not None else None,
        )
        try:
            _wait(started, Path(log.name), ready, address)
            yield started
        finally:
            started.send_signal(stop)
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def _wait(
    started: "subprocess.Popen[str]", log: Path, ready: str | None, address: str | None, seconds: float = 60
) -> None:
    if ready is None and address is None:
        return
    until = time.monotonic() + seconds
    while time.monotonic() < until and started.poll() is None:
        if ready is not None and ready in log.read_text():
            return
        if address is not None:
            try:
                requests.get(address, timeout=2)
            except requests.RequestException:
                pass
            else:
                return
        time.sleep(0.1)
    raise NotReady(log.read_text()[-2000:])


@contextmanager
def stub(
    ports: Sequence[int], *, jwks: Mapping[str, Any] | None = None, core: int | None = None, **options: Any
) -> Iterator["subprocess.Popen[str]"]:
    """The cheap platform, on these ports (see benchmarks/stub.py)."""
    settings = {"latency": 0.02, **options, "ports": list(ports), "jwks": jwks or {"keys": []}}
    command = [sys.executable, "-m", "benchmarks.stub", json.dumps(settings)]
    with process(command, core=core, ready="ready") as started:
        yield started


def stub_counts(ports: Sequence[int], *, reset: bool = False) -> list[dict[str, Any]]:
    """What each platform has seen; `reset`: and forgets."""
    return [
        requests.get(f"http://127.0.0.1:{port}/stats{'?reset' if reset else ''}", timeout=5).json()
        for port in ports
    ]


def ports(count: int) -> list[int]:
    """Free ports."""
    return [free_port() for _ in range(count)]


def cores() -> tuple[int, int]:
    """The core that a measured tool is pinned to, and the one for everything that serves it."""
    available = sorted(os.sched_getaffinity(0))
    return available[0], available[-1]


def serve_stores_on(stores: Stores, core: int) -> None:
    """Keep PostgreSQL and Redis on one core."""
    for pid in (stores.postgres.pid, stores.redis.pid):
        machine.pin(core, pid)
