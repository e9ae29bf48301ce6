"""Waking workers: one bit, "there is something to do". Losing it loses nothing, for workers also look by
themselves."""

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import psycopg
import redis
import structlog
from sqlalchemy import Connection, Engine, text

from microcred.database import Database

CHANNEL = "microcred_outbox"
_RECONNECT_SECONDS = 1.0
_AWAY_SECONDS = 5.0
_log = structlog.get_logger("microcred.outbox")


class Wake(Protocol):
    """How a commit reaches sleeping workers. `notify` never raises: what it tells is in the database
    anyway."""

    def notify(self) -> None:
        """Tell every worker that there may be something to do."""
        ...

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` (from any thread) whenever somebody notifies; the function returned ends that."""
        ...


class LocalWake:
    """Within one process."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def notify(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        self._listeners.append(wake)
        return lambda: self._listeners.remove(wake)


class PostgresWake:
    """`NOTIFY` to every process of one database; this process's own workers are told directly."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._conninfo = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._local = LocalWake()

    def notify(self) -> None:
        self._local.notify()
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text(f"NOTIFY {CHANNEL}"))
        except Exception as error:  # noqa: BLE001 - the row is committed; workers find it by themselves
            _log.warning("wake_not_sent", error=type(error).__name__)

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        local = self._local.listen(wake)
        stop = _repeat("outbox-listen", lambda stopped: self._listen_once(wake, stopped))
        return lambda: (local(), stop())[1]

    def _listen_once(self, wake: Callable[[], None], stopped: threading.Event) -> None:
        with psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"LISTEN {CHANNEL}".encode())
            wake()  # whatever came while nobody listened
            while not stopped.is_set():
                for _ in connection.notifies(timeout=0.5, stop_after=1):
                    wake()


class RedisWake:
    """A Redis channel to every process; this process's own workers are told directly."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._local = LocalWake()
        self._away_until = 0.0

    def notify(self) -> None:
        self._local.notify()
        if time.monotonic() < self._away_until:
            return  # otherwise every commit would wait for a Redis that does not answer
        try:
            self._client.publish(CHANNEL, "1")
        except redis.RedisError as error:
            self._away_until = time.monotonic() + _AWAY_SECONDS
            _log.warning("wake_not_sent", error=type(error).__name__)

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        local = self._local.listen(wake)
        stop = _repeat("outbox-listen", lambda stopped: self._listen_once(wake, stopped))
        return lambda: (local(), stop())[1]

    def _listen_once(self, wake: Callable[[], None], stopped: threading.Event) -> None:
        with self._client.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
            channel.subscribe(CHANNEL)
            wake()  # whatever came while nobody listened
            while not stopped.is_set():
                message: Any = channel.get_message(timeout=0.5)
                if message is not None:
                    wake()


_wakes: "WeakKeyDictionary[Engine, Wake]" = WeakKeyDictionary()


def use_wake(database: Database, wake: Wake) -> None:
    """Let commits of `database` be told by `wake`; without it they reach workers of the same process only."""
    _wakes[database.engine] = wake


def wake_of(bind: Engine | Connection) -> Wake:
    """The wake of the database that a session works on."""
    engine = bind if isinstance(bind, Engine) else bind.engine
    return _wakes.setdefault(engine, LocalWake())


def _repeat(name: str, once: Callable[[threading.Event], None]) -> Callable[[], None]:
    """Run `once` in a thread, again after every lost connection, until the returned function is called."""
    stopped = threading.Event()

    def loop() -> None:
        while not stopped.is_set():
            try:
                once(stopped)
            except (OSError, psycopg.Error, redis.RedisError) as error:
                _log.warning("wake_lost", error=type(error).__name__)
                stopped.wait(_RECONNECT_SECONDS)

    thread = threading.Thread(target=loop, name=name, daemon=True)
    thread.start()

    def stop() -> None:
        stopped.set()
        thread.join(timeout=5)

    return stop
