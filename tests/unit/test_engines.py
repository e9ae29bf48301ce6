"""The engines that the other tests stand on: real, empty, separate, quick to start."""

import http.server
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis
import requests
import sqlalchemy
from playwright.sync_api import BrowserContext, Page

from microcred.app import schema
from microcred.app.settings import Settings
from microcred.database import Database
from microcred.people.models import Person
from microcred.storage import Storage
from tests.support import engines, programs
from tests.support.servers import Server, Servers

QUICK_SECONDS = 3.0
# Two cores shared with other work can be several times slower than they are alone.
SLOW_MACHINE = 4


@pytest.fixture
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Servers:
    """Servers of this test alone."""
    return Servers.new()


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_a_server_starts_quickly_is_shared_and_is_gone_after_stop(own_servers: Servers, name: str) -> None:
    starts: dict[str, Callable[[Path], Server]] = {
        "postgres": engines.start_postgres,
        "redis": engines.start_redis,
    }
    start = starts[name]
    begin = time.monotonic()
    first = own_servers.get(name, start)
    took = time.monotonic() - begin
    try:
        assert Servers(own_servers.folder).get(name, start) == first
    finally:
        own_servers.stop()
    assert took < QUICK_SECONDS * SLOW_MACHINE
    assert not own_servers.folder.exists()
    with pytest.raises(OSError, match="refused"):
        requests.get(f"http://127.0.0.1:{first.port}", timeout=1)


def test_stopping_a_server_spares_a_later_process_of_the_same_id(redis_port: int, servers: Servers) -> None:
    running = servers.get("redis", engines.start_redis)
    Server(port=running.port, pid=running.pid, started=running.started - 1).stop()
    with redis.Redis(port=redis_port) as client:
        assert client.ping()


def test_a_database_is_empty_and_writable_on_both_engines(database_url: str) -> None:
    engine = sqlalchemy.create_engine(database_url)
    with engine.begin() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
        connection.execute(sqlalchemy.text("CREATE TABLE note (id INTEGER PRIMARY KEY)"))
    engine.dispose()


def test_a_postgres_database_is_copied_from_a_template_and_dropped(postgres_port: int) -> None:
    with engines.postgres_database(postgres_port, "as_template") as template:
        engine = sqlalchemy.create_engine(template)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE note (id INTEGER PRIMARY KEY)"))
        engine.dispose()
        with engines.postgres_database(postgres_port, "as_copy", template="as_template") as copy:
            engine = sqlalchemy.create_engine(copy)
            assert sqlalchemy.inspect(engine).get_table_names() == ["note"]
            engine.dispose()
    with psycopg.connect(engines.postgres_conninfo(postgres_port)) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'as_%'").fetchall()
    assert left == []


@pytest.mark.parametrize("run", [1, 2])
def test_redis_is_empty_for_every_test(redis_url: str, run: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys() == []
        client.set("left", run)


def test_a_bucket_keeps_an_object(s3_url: str) -> None:
    storage = Storage(s3_url)
    storage.put("evidence/1", [b"wor", b"ds"])
    assert storage.read("evidence/1") == b"words"


def test_a_migrated_database_is_at_this_version_and_empty(database: Database) -> None:
    schema.check(database)
    with database.reading() as session:
        assert session.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(Person)) == 0


def test_a_missing_program_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MICROCRED_TEST_CHROMIUM", str(tmp_path / "nothing"))
    with pytest.raises(
        programs.MissingProgramError, match=r"^No Chromium found: run `scripts/setup.sh engines`, or"
    ):
        programs.chromium()
    assert programs.main(["chromium"]) == 1


class FramedSite(http.server.BaseHTTPRequestHandler):
    """`/` frames `/frame` of 127.0.0.1, which sets a cookie of each kind and shows those that came back."""

    server: http.server.HTTPServer

    def do_GET(self) -> None:
        """Answers both pages."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if self.path == "/frame":
            body = self.headers.get("Cookie", "no cookie")
            self.send_header("Set-Cookie", "third=1; Secure; SameSite=None")
            self.send_header("Set-Cookie", "apart=1; Secure; SameSite=None; Partitioned")
        else:
            body = f'<iframe src="http://127.0.0.1:{self.server.server_port}/frame"></iframe>'
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


@pytest.fixture
def framed_site() -> Iterator[str]:
    """A page on `localhost` that frames one on `127.0.0.1`: two sites for a browser."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FramedSite) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.xdist_group("browser")
def test_chromium_blocks_third_party_cookies_but_keeps_partitioned_ones(page: Page, framed_site: str) -> None:
    page.goto(framed_site)
    page.reload()
    assert page.frame_locator("iframe").locator("body").inner_text() == "apart=1"


@pytest.mark.xdist_group("browser")
def test_chromium_can_also_allow_third_party_cookies(
    lenient_context: BrowserContext, framed_site: str
) -> None:
    page = lenient_context.new_page()
    page.goto(framed_site)
    page.reload()
    assert page.frame_locator("iframe").locator("body").inner_text() == "third=1; apart=1"


def test_settings_left_in_a_shell_or_an_env_file_do_not_reach_the_tests() -> None:
    assert Settings.model_config["env_file"] is None
    left = {name for name in os.environ if name.startswith("MICROCRED_")}
    assert {name for name in left if not name.startswith("MICROCRED_TEST_")} == set()
