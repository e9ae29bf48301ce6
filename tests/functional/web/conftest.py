"""The course of the page tests, on SQLite and where it matters on PostgreSQL; pages of others to link to."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.functional.web.course import Course, MovingClock, Visitor, build


class _Page(BaseHTTPRequestHandler):
    """`/404` answers 404, and so on; everything else 200."""

    def do_GET(self) -> None:
        status = int(self.path[1:4]) if self.path[1:4].isdigit() else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture(scope="session")
def web_host() -> Iterator[str]:
    """host:port of somebody else's web site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def course(migrated_sqlite_url: str, tmp_path: Path, web_host: str) -> Iterator[Course]:
    """The course, on SQLite; its links may lead to `web_host`."""
    made = build(migrated_sqlite_url, tmp_path, MovingClock(), allow_hosts=(web_host,))
    yield made
    made.assembly.close()


@pytest.fixture
def course_anywhere(migrated_database_url: str, tmp_path: Path) -> Iterator[Course]:
    """The course, on SQLite and on PostgreSQL."""
    made = build(migrated_database_url, tmp_path, MovingClock())
    yield made
    made.assembly.close()


@pytest.fixture
def teacher(course: Course) -> Visitor:
    """A learner who has opened the credential."""
    visitor = course.visitor()
    assert visitor.get().status_code == 200
    return visitor
