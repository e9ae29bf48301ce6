"""Asking a platform for its notices of course copies."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import select

from lti_tool import subscribing
from lti_tool.models import Registration
from lti_tool.protocol.names import CONTEXT_COPY_NOTICE, HELLO_NOTICE, SCOPE_NOTICES
from microcred.outbox import OutboxRow
from tests.support.campus import TOOL, Campus, campus

Asked = list[tuple[str, str, object]]


class Service(ThreadingHTTPServer):
    """A notification service: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.asked: Asked = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Answering)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/handlers/dep-1"


class _Answering(BaseHTTPRequestHandler):
    server: Service

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers["Authorization"][:7], body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Quiet."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def here(migrated_sqlite_url: str, tmp_path: Path, service: Service) -> Iterator[Campus]:
    with campus(migrated_sqlite_url, tmp_path) as made:
        with made.assembly.database.writing() as session:
            registration = session.scalars(select(Registration)).one()
            registration.service_hosts = [f"127.0.0.1:{service.server_address[1]}"]
        made.platform.tools["tool-a"].scopes.append(SCOPE_NOTICES)
        yield made


def _launch(here: Campus, link: str, url: str, **changed: object) -> None:
    claim = {
        "platform_notification_service_url": url,
        "service_versions": ["1.0"],
        "scope": [SCOPE_NOTICES],
        "notice_types_supported": [HELLO_NOTICE, CONTEXT_COPY_NOTICE],
    }
    here.at_link("terry", link, claims={"pns": claim | changed})


def _rows(here: Campus) -> list[OutboxRow]:
    with here.assembly.database.reading() as session:
        return list(session.scalars(select(OutboxRow).where(OutboxRow.kind == subscribing.KIND)))


def test_the_first_launch_that_offers_it_subscribes_once_and_again_after_a_week(
    here: Campus, service: Service
) -> None:
    (link,) = here.add().links
    for _ in range(2):
        _launch(here, link.id, service.url)
    here.work()
    _launch(here, link.id, service.url)
    here.work()

    with here.assembly.database.reading() as session:
        public_id = session.scalars(select(Registration.public_id)).one()
    handler = f"{TOOL}/lti/notices/{public_id}"
    once = ("/handlers/dep-1", "Bearer ", {"notice_type": CONTEXT_COPY_NOTICE, "handler": handler})
    assert service.asked == [once]
    assert [row.state for row in _rows(here)] == ["delivered"]

    here.clock.time += subscribing.AGAIN + timedelta(minutes=1)
    _launch(here, link.id, service.url)
    here.work()
    assert service.asked == [once, once]


@pytest.mark.parametrize(
    "changed",
    [
        {"scope": []},
        {"scope": "all"},
        {"notice_types_supported": [HELLO_NOTICE]},
        {"notice_types_supported": None},
        {"platform_notification_service_url": "http://elsewhere.test/handlers"},
        {"platform_notification_service_url": 7},
    ],
    ids=str,
)
def test_what_was_not_offered_is_not_asked_for(
    here: Campus, service: Service, changed: dict[str, object]
) -> None:
    (link,) = here.add().links

    _launch(here, link.id, service.url, **changed)

    assert _rows(here) == []


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [(503, "waiting", "lms_down"), (403, "blocked", "scope_missing"), (400, "blocked", "config_error")],
)
def test_a_refusal_waits_or_is_told(
    here: Campus, service: Service, status: int, state: str, reason: str
) -> None:
    (link,) = here.add().links
    service.status = status

    _launch(here, link.id, service.url)
    here.work()

    assert [(row.state, row.reason) for row in _rows(here)] == [(state, reason)]


def test_a_platform_that_was_shut_out_is_not_asked(here: Campus, service: Service) -> None:
    (link,) = here.add().links
    _launch(here, link.id, service.url)
    with here.assembly.database.writing() as session:
        session.scalars(select(Registration)).one().state = "disabled"

    here.work()

    assert service.asked == []
    assert [row.state for row in _rows(here)] == ["superseded"]
