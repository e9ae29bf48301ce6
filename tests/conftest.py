"""Fixtures that every test may use: the real engines, each started once a run, at the first test that asks.

A fixture whose engine is missing fails with one sentence that says what to do; nothing is skipped.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from microcred.app.garbage import keep_what_is_here
from microcred.app.settings import Settings
from microcred.database import Database
from tests.support import chromium, engines, quick
from tests.support.conformance import Conformance
from tests.support.servers import Servers

SERVERS = "MICROCRED_TEST_SERVERS"

# Deadlines measure the machine, not the code; on a shared one they only fail by chance.
hypothesis.settings.register_profile("default", deadline=None, print_blob=True, max_examples=25)
hypothesis.settings.register_profile("full", deadline=None, print_blob=True, max_examples=100)
hypothesis.settings.register_profile("long", deadline=None, print_blob=True, max_examples=5_000)
hypothesis.settings.load_profile("default")

quick.install()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--conformance`, for `make cases`."""
    parser.addoption("--conformance", type=Path, metavar="FILE", help="write the table of LTI cases to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Forgets settings left in the shell and makes the folder that the run's processes share."""
    for name in list(os.environ):
        if name.startswith("MICROCRED_") and not name.startswith("MICROCRED_TEST_"):
            del os.environ[name]
    # A developer's own .env is for the tool; a program that a test starts is started in a folder of its own.
    Settings.model_config["env_file"] = None
    # Only the controller has every report, so it alone writes the table; a worker just names the cases.
    if not _is_worker(config) and (memory := quick.memory_folder()):
        os.environ["TMPDIR"] = memory
        tempfile.tempdir = memory
    target = None if _is_worker(config) else config.getoption("--conformance")
    config.pluginmanager.register(Conformance(target))
    if not _is_worker(config):
        os.environ[SERVERS] = str(Servers.new().folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the engines, when the last process of the run is done."""
    if not _is_worker(config):
        Servers(Path(os.environ.pop(SERVERS))).stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests run one after another in one process, and begin first: they are the longest."""
    for item in items:
        if "browser" in item.path.relative_to(item.config.rootpath).parts[1:-1]:
            item.add_marker(pytest.mark.xdist_group("browser"))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


def pytest_collection_finish() -> None:
    """What is loaded by now stays; looking through it for garbage takes a third of a second each time."""
    keep_what_is_here()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.fixture(scope="session")
def servers() -> Servers:
    """The servers of this run."""
    return Servers(Path(os.environ[SERVERS]))


# databases

_database_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_port(servers: Servers) -> int:
    """The port of the run's PostgreSQL on 127.0.0.1; user `postgres`, no password."""
    return servers.get("postgres", engines.start_postgres).port


@pytest.fixture
def postgres_url(postgres_port: int, worker_id: str) -> Iterator[str]:
    """An empty PostgreSQL database of the test's own, as `postgresql+psycopg://...`."""
    with engines.postgres_database(postgres_port, f"test_{worker_id}_{next(_database_numbers)}") as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database file of the test's own that does not exist yet, as `sqlite:///...`."""
    return f"sqlite:///{tmp_path / 'microcred.sqlite3'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database; a test that takes it runs on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    return url


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with this version's schema, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "microcred.sqlite3"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgres_template(postgres_port: int, worker_id: str) -> Iterator[str]:
    """The name of a PostgreSQL database with this version's schema, to be copied."""
    name = f"migrated_{worker_id}"
    with engines.postgres_database(postgres_port, name) as url:
        _migrate(url)
        yield name


@pytest.fixture
def migrated_sqlite_url(migrated_sqlite_file: Path, sqlite_url: str) -> str:
    """A SQLite database of the test's own with this version's schema and no rows."""
    shutil.copyfile(migrated_sqlite_file, sqlite_url.removeprefix("sqlite:///"))
    return sqlite_url


@pytest.fixture
def migrated_postgres_url(
    postgres_port: int, migrated_postgres_template: str, worker_id: str
) -> Iterator[str]:
    """A PostgreSQL database of the test's own with this version's schema and no rows."""
    name = f"test_{worker_id}_{next(_database_numbers)}"
    with engines.postgres_database(postgres_port, name, migrated_postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_database_url(request: pytest.FixtureRequest) -> str:
    """A database with this version's schema and no rows; the test runs on SQLite and on PostgreSQL."""
    fixtures = {"sqlite": "migrated_sqlite_url", "postgresql": "migrated_postgres_url"}
    url: str = request.getfixturevalue(fixtures[request.param])
    return url


@pytest.fixture
def database(migrated_database_url: str) -> Iterator[Database]:
    """The same, open."""
    opened = Database(migrated_database_url)
    yield opened
    opened.dispose()


def _migrate(url: str) -> None:
    # Imported here: it brings every table, and most tests of one package need none.
    from microcred.app import schema

    database = Database(url)
    try:
        schema.upgrade(database)
    finally:
        database.dispose()


# caches and files


@pytest.fixture(scope="session")
def redis_port(servers: Servers) -> int:
    """The port of the run's Redis on 127.0.0.1."""
    return servers.get("redis", engines.start_redis).port


@pytest.fixture
def redis_url(redis_port: int, worker_id: str) -> str:
    """An empty Redis database (each test process has one; it is emptied for every test)."""
    number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw")) + 1
    url = f"redis://127.0.0.1:{redis_port}/{number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """An S3 endpoint in this process, as `http://127.0.0.1:...`."""
    with engines.s3_endpoint() as address:
        yield address


@pytest.fixture
def s3_bucket(s3_endpoint: str) -> engines.Bucket:
    """An empty bucket of the test's own."""
    return engines.new_bucket(s3_endpoint)


@pytest.fixture
def s3_url(s3_bucket: engines.Bucket) -> str:
    """The same as a storage address, `s3://bucket?endpoint=...`."""
    return s3_bucket.url


# browser


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    """Playwright, once a process: its synchronous interface does not nest."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright_driver: Playwright) -> Iterator[Browser]:
    """Chromium with third-party cookies blocked, the harder case and the one that privacy settings bring."""
    with chromium.started_browser(playwright_driver) as started:
        yield started


@pytest.fixture
def browser_context(browser: Browser) -> Iterator[BrowserContext]:
    """One person's browser: cookies and storage of its own, 1100 px wide, English, UTC."""
    with chromium.person(browser) as context:
        yield context


@pytest.fixture
def page(browser_context: BrowserContext) -> Page:
    """A tab of that browser."""
    return browser_context.new_page()


@pytest.fixture(scope="session")
def images_folder() -> Path:
    """Where browser tests leave pictures: docs/images under `make screenshots`, else test-results/images."""
    folder = Path(os.environ.get("MICROCRED_TEST_IMAGES", "test-results/images")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def lenient_context(playwright_driver: Playwright, tmp_path: Path) -> Iterator[BrowserContext]:
    """One person's browser with third-party cookies allowed."""
    with chromium.lenient_person(playwright_driver, tmp_path / "profile") as context:
        yield context
