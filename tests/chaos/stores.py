"""Where the tool keeps things in a run, and ending them without warning."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psutil

from tests.support import engines
from tests.support.servers import Server

Engine = Literal["sqlite", "postgresql"]


@dataclass
class Stores:
    """Where the tool keeps things; nothing to restart on SQLite."""

    folder: Path
    database_url: str
    redis_url: str | None = None
    servers: dict[str, Server] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)

    def restart_postgres(self) -> None:
        """Every second time without warning, as in a power cut."""
        server, count = self.servers["postgres"], self.restarts.get("postgresql", 0)
        if count % 2:
            _kill(server)
        else:
            server.stop()
        self.servers["postgres"] = engines.restart_postgres(self.folder / "postgres", server.port, _DURABLE)
        self.restarts["postgresql"] = count + 1

    def restart_redis(self) -> None:
        """It keeps nothing on disk: all is lost."""
        server = self.servers["redis"]
        _kill(server)
        self.servers["redis"] = engines.start_redis(self.folder / "redis", server.port)
        self.restarts["redis"] = self.restarts.get("redis", 0) + 1


_DURABLE = {
    **engines.POSTGRES_OPTIONS,
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
}


@contextmanager
def stores_of(engine: Engine, folder: Path) -> Iterator[Stores]:
    if engine == "sqlite":
        yield Stores(folder, f"sqlite:///{folder / 'microcred.db'}")
        return
    for name in ("postgres", "redis"):
        (folder / name).mkdir()
    stores = Stores(folder, "")
    try:
        stores.servers["postgres"] = engines.start_postgres(folder / "postgres", _DURABLE)
        stores.servers["redis"] = engines.start_redis(folder / "redis")
        stores.database_url = (
            f"postgresql+psycopg://postgres@127.0.0.1:{stores.servers['postgres'].port}/postgres"
        )
        stores.redis_url = f"redis://127.0.0.1:{stores.servers['redis'].port}/0"
        yield stores
    finally:
        for server in stores.servers.values():
            server.stop()


def _kill(server: Server) -> None:
    """SIGKILL to a server and its children, and wait until they are gone."""
    process = psutil.Process(server.pid)
    family = [process, *process.children(recursive=True)]
    for one in family:
        os.kill(one.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)
