"""One way to open a database, for SQLite and for PostgreSQL."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, sessionmaker

_READ_ONLY = "microcred_read_only"
_AFTER_COMMIT = "microcred_after_commit"
_GIVEN_BACK = "microcred_given_back"
_PING_AFTER = 5.0
"""Seconds after which a pooled connection is asked whether it still lives. One that was used a moment ago is
not: the question is a round trip of its own, and a server that went away just then is a 503 either way.
"""

_TURN_SECONDS = 20.0
"""How long a writer waits for its turn on SQLite before it tries all the same."""


class Database:
    """An engine and its two kinds of session.

    `writing()` is one transaction: it commits when the block ends and rolls back when it raises. On SQLite it
    begins with BEGIN IMMEDIATE: a plain BEGIN takes its write lock late and then fails at once under
    concurrency, whatever the busy timeout. `reading()` never writes. No HTTP, file or key work belongs inside
    either block.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        # An error's text goes into logs; what people wrote, and who they are, must not.
        options: dict[str, Any] = {"hide_parameters": True}
        if self.url.get_backend_name() == "postgresql":
            options |= {
                "pool_size": pool_size,
                "max_overflow": pool_size,
                "pool_timeout": 10,
                "connect_args": {"connect_timeout": 5, "options": "-c timezone=UTC -c lock_timeout=10s"},
            }
        else:
            options |= {"connect_args": {"timeout": 5.0, "check_same_thread": False}}
        self.engine: Engine = create_engine(self.url, **options)
        if self.is_sqlite:
            _tune_sqlite(self.engine)
        else:
            _ping_idle(self.engine)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._writer = threading.Lock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded default."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def driver_error(self) -> type[Exception]:
        """What the driver itself raises; SQLAlchemy wraps it everywhere but in `Alone`."""
        found: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        return found

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One writing transaction; runs the session's `after_commit` callbacks once it is durable."""
        with self._sessions() as session:
            with self.turn(), session.begin():
                yield session
            for callback in session.info.pop(_AFTER_COMMIT, []):
                callback()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The right to write on SQLite, which has one writer: its own waiting is sleeping and trying again,
        and of a hundred people who write at once some never come to it. PostgreSQL needs no turns.
        """
        mine = self._writer is not None and self._writer.acquire(timeout=_TURN_SECONDS)
        try:
            yield
        finally:
            if self._writer is not None and mine:
                self._writer.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading; whatever is changed in it is thrown away."""
        with self._sessions() as session:
            session.connection(execution_options={_READ_ONLY: True})
            # Closing rolls back. A rollback here would also expire what was read, for whoever uses it after.
            yield session

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Run `callback` once, after the writing transaction of `session` has committed; never if it rolls
    back.
    """
    callbacks = session.info.setdefault(_AFTER_COMMIT, [])
    if callback not in callbacks:
        callbacks.append(callback)


def _ping_idle(engine: Engine) -> None:
    @event.listens_for(engine, "checkin")
    def on_checkin(_connection: Any, record: Any) -> None:
        record.info[_GIVEN_BACK] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get(_GIVEN_BACK, float("inf")) < _PING_AFTER:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # The pool opens a new one instead.
            raise DisconnectionError from error


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN handling is switched off; `on_begin` says which BEGIN is meant.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL", "busy_timeout=5000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
