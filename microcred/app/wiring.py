"""Putting the parts together: adapters from settings, and who handles which kind of outbox row."""

from collections.abc import Callable
from dataclasses import dataclass

import redis

import grade_passback
from lti_tool.settings import LtiSettings
from lti_tool.tool import LtiTool
from microcred import outbox
from microcred.app.secret_file import secret_in
from microcred.app.settings import Settings
from microcred.badges import store as badge_store
from microcred.badges.store import BadgeStore
from microcred.database import Clock, Database, SystemClock
from microcred.operations import privacy
from microcred.outbox import Worker
from microcred.outgoing import Outgoing
from microcred.sealing import Keyring
from microcred.storage import Storage
from microcred.web.services import Services, WebSettings


@dataclass(frozen=True)
class Assembly:
    """Every adapter of one running process."""

    settings: Settings
    database: Database
    clock: Clock
    keyring: Keyring
    storage: Storage
    outgoing: Outgoing
    redis: "redis.Redis | None"
    lti: LtiTool
    badges: BadgeStore
    make_worker: Callable[[], Worker]

    def services(self) -> Services:
        """What the pages work with."""
        return Services(
            database=self.database,
            clock=self.clock,
            keyring=self.keyring,
            storage=self.storage,
            outgoing=self.outgoing,
            lti=self.lti,
            badges=self.badges,
            settings=WebSettings(
                public_url=self.settings.public_url,
                badge_url=self.settings.effective_badge_url,
                max_upload_bytes=self.settings.max_upload_mb * 1024 * 1024,
            ),
        )

    def close(self) -> None:
        """Let go of connections."""
        self.database.dispose()
        if self.redis is not None:
            self.redis.close()


def assemble(settings: Settings, clock: Clock | None = None) -> Assembly:
    """Build every part from settings. Reaches nothing over the network yet."""
    clock = clock or SystemClock()
    if settings.embedded:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.effective_database_url)
    keyring = Keyring(settings.secret_keys or [secret_in(settings.data_dir)])
    storage = Storage(settings.effective_storage_url)
    outgoing = Outgoing(settings.allow_hosts)
    cache = (
        redis.Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
        if settings.redis_url
        else None
    )
    lti = LtiTool(
        database=database,
        keyring=keyring,
        clock=clock,
        outgoing=outgoing,
        settings=LtiSettings(
            public_url=settings.public_url,
            allow_hosts=tuple(settings.allow_hosts),
            rate_login=settings.rate_login,
            rate_failed_launch=settings.rate_failed_launch,
            rate_register=settings.rate_register,
        ),
        cache=cache,
    )
    badges = BadgeStore(database, keyring, storage, clock, settings.effective_badge_url)
    _wake(database, cache)
    handlers: dict[str, outbox.Handler] = {
        grade_passback.KIND: grade_passback.make_handler(database, clock, lti.services),
        badge_store.KIND: badges.issue,
        privacy.ERASE: privacy.erase_handler(database, clock),
        privacy.DELETE_FILES: privacy.delete_files_handler(storage),
    }

    def make_worker() -> Worker:
        return Worker(
            database, clock, handlers=handlers, threads=settings.worker_threads, in_flight=settings.in_flight
        )

    return Assembly(settings, database, clock, keyring, storage, outgoing, cache, lti, badges, make_worker)


def _wake(database: Database, cache: "redis.Redis | None") -> None:
    """How a commit here wakes workers elsewhere: by Redis where there is one, else by PostgreSQL.

    SQLite has one process only.
    """
    if cache is not None:
        outbox.use_wake(database, outbox.RedisWake(cache))
    elif not database.is_sqlite:
        outbox.use_wake(database, outbox.PostgresWake(database))
