"""Putting the parts together: adapters from settings, and who handles which kind of outbox row."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import SystemRandom

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy.exc import ArgumentError

import grade_passback
from lti_tool import dynamic_registration, subscribing
from lti_tool.registrations import is_platform
from lti_tool.settings import LtiSettings
from lti_tool.tool import LtiTool
from microcred import outbox
from microcred.app.metrics import Metrics
from microcred.app.secret_file import secret_in
from microcred.app.settings import Settings
from microcred.badges import lifecycle as badge_lifecycle
from microcred.badges.backpack import connections as backpacks
from microcred.badges.backpack.connecting import Connector
from microcred.badges.backpack.delivery import Deliverer
from microcred.badges.store import BadgeStore
from microcred.badges.wallet.issuing import Wallets
from microcred.database import Clock, Database, SystemClock
from microcred.mail import mailer_for
from microcred.media import Clamd, Tools, find_ffmpeg
from microcred.operations import (
    award_expiry,
    awards,
    deleting_files,
    file_rows,
    housekeeping,
    joining,
    mailing,
    names_check,
    notifying,
    own_addresses,
    permitting,
    preparing,
    privacy,
    reminding,
    review_watch,
    syncing,
    uploading,
    watching,
)
from microcred.operations.own_mails import OwnMails
from microcred.outbox import Limit, Policy, Worker
from microcred.outgoing import Outgoing
from microcred.sealing import Keyring
from microcred.storage import Storage, StorageError
from microcred.web.services import Services, WebSettings

_random = SystemRandom()
_AT_ONCE = {"uploads": 4, "documents": 4, "recordings": 2, badge_lifecycle.DESTINATION: 32}
"""Jobs of a destination that are worked on at a time, by all workers together. Files take processor and disk;
badges that are issued at the same time are done together, so more of them cost each less.
"""


class CannotAssemble(Exception):
    """A setting that no part can work with; the message names it and says what is wrong."""


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
    connector: Connector
    metrics: Metrics
    chance: Callable[[], float]
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
            connector=self.connector,
            wallets=Wallets(self.database, self.keyring, self.clock, self.badges, self.settings.public_url),
            chance=self.chance,
            settings=WebSettings(
                public_url=self.settings.public_url,
                badge_url=self.settings.effective_badge_url,
                max_upload_bytes=self.settings.max_upload_mb * 1024 * 1024,
                scans_files=self.settings.clamd_url is not None,
                sends_mail=self.settings.mail_url is not None,
            ),
        )

    def begin_timed_work(self) -> None:
        """Plan what this installation does by itself every day, where it is not planned already."""
        with self.database.writing() as session:
            housekeeping.ensure(session, self.clock.now())

    def close(self) -> None:
        """Let go of connections."""
        self.outgoing.close()
        self.database.dispose()
        if self.redis is not None:
            self.redis.close()


def assemble(
    settings: Settings, clock: Clock | None = None, chance: Callable[[], float] = _random.random
) -> Assembly:
    """Build every part from settings. Reaches nothing over the network yet. Raises CannotAssemble.

    `chance` (0 up to 1) draws what a second reviewer reads, and who reads.
    """
    clock = clock or SystemClock()
    with _setting("DATA_DIR"):
        if settings.embedded:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
        secret_keys = settings.secret_keys or [secret_in(settings.data_dir)]
    with _setting("DATABASE_URL"):
        database = Database(settings.effective_database_url)
    with _setting("SECRET_KEYS"):
        keyring = Keyring(secret_keys)
    with _setting("STORAGE_URL"):
        storage = Storage(settings.effective_storage_url)
    with _setting("CLAMD_URL"):
        scanner = Clamd(settings.clamd_url) if settings.clamd_url else None
    with _setting("REDIS_URL"):
        cache = redis_client(settings.redis_url) if settings.redis_url else None
    with _setting("MAIL_URL"):
        mailer = mailer_for(settings.mail_url)
    with _setting("CA_BUNDLE"):
        outgoing = Outgoing(
            settings.allow_hosts, ca_bundle=str(settings.ca_bundle) if settings.ca_bundle else None
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
            open_registration=settings.open_registration,
        ),
        cache=cache,
    )
    badges = BadgeStore(database, keyring, storage, clock, settings.effective_badge_url)
    metrics = Metrics(database, clock)
    _wake(database, cache)
    doers: dict[str, outbox.Handler] = {
        dynamic_registration.EXPIRY: dynamic_registration.expiry_handler(database, clock),
        subscribing.KIND: subscribing.handler(database, lti.services, lti.settings),
        grade_passback.KIND: grade_passback.make_handler(database, clock, lti.services),
        grade_passback.ADOPT: grade_passback.make_adopter(database, clock, lti.services),
        badge_lifecycle.KIND: badges.issue,
        backpacks.KIND: Deliverer(database, keyring, clock, outgoing).deliver,
        syncing.SEND_ALL: syncing.send_all_handler(database, clock),
        housekeeping.KIND: housekeeping.handler(database, clock),
        review_watch.KIND: watching.handler(clock, chance),
        award_expiry.KIND: awards.expiry_handler(clock),
        notifying.MAIL: mailing.handler(
            database,
            clock,
            mailer,
            keyring,
            sender=settings.effective_mail_from,
            public_url=settings.public_url,
        ),
        own_addresses.KIND: OwnMails(
            database, clock, keyring, badges, mailer, settings.effective_mail_from, settings.public_url
        ).deliver,
        notifying.DIGEST: reminding.digest_handler(clock),
        reminding.KIND: reminding.handler(clock),
        permitting.KIND: permitting.ends_handler(clock),
        privacy.ERASE: privacy.erase_handler(database, clock),
        deleting_files.DELETE_FILES: deleting_files.delete_files_handler(storage),
        uploading.JOIN: joining.join_handler(database, storage, clock, scans=scanner is not None),
        names_check.KIND: names_check.handler(
            database, storage, clock, lti.client_for, settings.data_dir / "work"
        ),
        file_rows.KIND: preparing.handler(
            database, storage, clock, Tools(settings.data_dir / "work", find_ffmpeg()), scanner
        ),
    }
    handlers = {kind: metrics.counting(kind, doer) for kind, doer in doers.items()}

    def make_worker() -> Worker:
        return Worker(
            database,
            clock,
            handlers=handlers,
            policy=Policy(limit_of=limits_of(settings)),
            threads=settings.worker_threads,
        )

    return Assembly(
        settings,
        database,
        clock,
        keyring,
        storage,
        outgoing,
        cache,
        lti,
        badges,
        Connector(keyring, clock, outgoing, settings.public_url),
        metrics,
        chance,
        make_worker,
    )


def limits_of(settings: Settings) -> Callable[[str], Limit]:
    """How hard each destination may be pressed: platforms as the settings say."""

    def limit_of(name: str) -> Limit:
        rate = settings.per_second if is_platform(name) else 0
        return Limit(concurrency=_AT_ONCE.get(name, settings.in_flight), per_second=rate or None)

    return limit_of


def redis_client(url: str) -> "redis.Redis":
    """A client that gives up after at most two seconds, its second try included: left to itself it asks four
    times, with pauses, and a launch would wait ten seconds for a Redis that is away.
    """
    return redis.Redis.from_url(
        url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), retries=1)
    )


@contextmanager
def _setting(name: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, ArgumentError) as error:
        raise CannotAssemble(f"setting MICROCRED_{name}: {error}") from error
    except (OSError, StorageError) as error:
        raise CannotAssemble(f"setting MICROCRED_{name}: cannot be used ({error})") from error


def _wake(database: Database, cache: "redis.Redis | None") -> None:
    """How a commit here wakes workers elsewhere: by Redis where there is one, else by PostgreSQL.

    SQLite has one process only.
    """
    if cache is not None:
        outbox.use_wake(database, outbox.RedisWake(cache))
    elif not database.is_sqlite:
        outbox.use_wake(database, outbox.PostgresWake(database))
