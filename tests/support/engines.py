"""Starts the real engines that the tests run on; the fixtures in tests/conftest.py say what each gives."""

import os
import pwd
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlencode

import psycopg
import redis
import requests

from tests.support import programs
from tests.support.servers import Server, free_port

READY_SECONDS = 20.0


class EngineError(Exception):
    """An engine could not be started; the message holds the end of its own log."""


# PostgreSQL

POSTGRES_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    # A test database may be lost: waiting for the disk would only make the tests slow.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}


def start_postgres(folder: Path, options: Mapping[str, str] = POSTGRES_OPTIONS) -> Server:
    """An empty PostgreSQL server in `folder`, user `postgres`, no password.

    Raises MissingProgramError, EngineError.
    """
    user = _postgres_user()
    bin_folder = _readable_by(user, programs.postgres(), folder)
    data, port = folder / "data", free_port()
    if user:
        shutil.chown(folder, user, user_group(user))
    initdb: list[str | Path] = [
        bin_folder / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "--auth=trust",
        "-E",
        "UTF8",
        "--locale=C",
        "-N",
    ]
    done = subprocess.run(initdb, capture_output=True, text=True, **_as(user))
    if done.returncode:
        raise EngineError(f"PostgreSQL could not make its folder: {done.stderr.strip()}")
    return _run_postgres(bin_folder, folder, port, options)


def restart_postgres(folder: Path, port: int, options: Mapping[str, str] = POSTGRES_OPTIONS) -> Server:
    """The server of `folder` again, after it has ended, with what it had kept. Raises as `start_postgres`."""
    copied = [path.parent for path in folder.glob("*/*/bin/postgres")]
    return _run_postgres(copied[0] if copied else programs.postgres(), folder, port, options)


def _run_postgres(bin_folder: Path, folder: Path, port: int, options: Mapping[str, str]) -> Server:
    settings = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    command: list[str | Path] = [bin_folder / "postgres", "-D", folder / "data", "-p", str(port), *settings]
    pid = _start(command, folder, _postgres_user())

    def is_ready() -> bool:
        try:
            psycopg.connect(postgres_conninfo(port), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    _wait(is_ready, "PostgreSQL", folder)
    return Server.of(port, pid)


def postgres_conninfo(port: int) -> str:
    """How psycopg itself is told about the maintenance database."""
    return f"host=127.0.0.1 port={port} user=postgres dbname=postgres"


@contextmanager
def postgres_database(port: int, name: str, template: str = "template1") -> Iterator[str]:
    """A new database, a copy of `template`, as an SQLAlchemy address; dropped afterwards, in use or not."""
    with psycopg.connect(postgres_conninfo(port), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'.encode())
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/{name}"
    finally:
        with psycopg.connect(postgres_conninfo(port), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _postgres_user() -> str | None:
    """PostgreSQL refuses to run as root; then it runs as `nobody`."""
    return "nobody" if os.geteuid() == 0 else None


def user_group(user: str) -> int:
    """The main group of a user of this machine."""
    return pwd.getpwnam(user).pw_gid


def _readable_by(user: str | None, bin_folder: Path, folder: Path) -> Path:
    """`bin_folder`, or a copy of the installation where `user` may not reach it (a checkout below /root)."""
    if user is None:
        return bin_folder
    try:
        subprocess.run([bin_folder / "initdb", "--version"], check=True, capture_output=True, **_as(user))
        return bin_folder
    except (OSError, subprocess.CalledProcessError):
        installation = bin_folder.parent
        package = installation.parent
        # The wheel keeps shared libraries beside the package; the programs find them by relative path.
        libraries = package.with_name(f"{package.name}.libs")
        copy = folder / package.name / installation.name
        shutil.copytree(installation, copy)
        if libraries.exists():
            shutil.copytree(libraries, folder / libraries.name)
        return copy / "bin"


# Redis

REDIS_DATABASES = 64


def start_redis(folder: Path, port: int | None = None) -> Server:
    """An empty Redis that keeps nothing on disk, on `port` or a free one. Raises MissingProgramError,
    EngineError.
    """
    port = port or free_port()
    command: list[str | Path] = [
        *(programs.redis(), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder),
        *("--save", "", "--appendonly", "no", "--databases", str(REDIS_DATABASES)),
    ]
    pid = _start(command, folder, None)

    def is_ready() -> bool:
        with redis.Redis(port=port) as client:
            try:
                client.ping()
            except (redis.ConnectionError, redis.BusyLoadingError):
                return False
        return True

    _wait(is_ready, "Redis", folder)
    return Server.of(port, pid)


# S3


@dataclass(frozen=True)
class Bucket:
    """An empty bucket of an S3 endpoint that speaks plain http on 127.0.0.1."""

    name: str
    endpoint: str
    region: str = "us-east-1"
    access_key_id: str = "test"
    secret_access_key: str = "test"

    @property
    def url(self) -> str:
        """The bucket as MICROCRED_STORAGE_URL names it."""
        options = {
            "endpoint": self.endpoint,
            "region": self.region,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
        }
        return f"s3://{self.name}?{urlencode(options)}"


@contextmanager
def s3_endpoint() -> Iterator[str]:
    """An S3 endpoint in a thread of this process, as an address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def new_bucket(endpoint: str) -> Bucket:
    """An empty bucket at that endpoint, with a name of its own."""
    bucket = Bucket(name=f"test-{uuid.uuid4().hex[:12]}", endpoint=endpoint)
    requests.put(f"{endpoint}/{bucket.name}", timeout=10).raise_for_status()
    return bucket


# processes


class _Identity(TypedDict, total=False):
    user: str
    group: int
    extra_groups: list[str | int]


def _as(user: str | None) -> _Identity:
    """Arguments of subprocess that run a program as another user, with none of root's groups."""
    return {"user": user, "group": user_group(user), "extra_groups": []} if user else {}


def _start(command: list[str | Path], folder: Path, user: str | None) -> int:
    """Starts a server where Ctrl-C does not reach it before the tests have ended; gives its process id."""
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
            **_as(user),
        )
    # Other test processes use the server after this one has ended: it is stopped by its id, not waited for.
    process.returncode = 0
    return process.pid


def _wait(is_ready: Callable[[], bool], name: str, folder: Path) -> None:
    give_up = time.monotonic() + READY_SECONDS
    while not is_ready():
        if time.monotonic() > give_up:
            log = (folder / "log").read_text()[-2000:]
            raise EngineError(f"{name} was not ready after {READY_SECONDS:.0f} s. The end of its log: {log}")
        time.sleep(0.02)
