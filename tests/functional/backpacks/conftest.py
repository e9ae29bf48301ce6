"""A course whose teachers have earned a badge, and hosts of backpacks to connect."""

import html
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from microcred.app.factory import create_app
from microcred.app.wiring import assemble
from microcred.badges.backpack.models import Backpack, BackpackPush
from microcred.credentials.models import Award
from tests.functional.web.course import Course, MovingClock, Visitor, build
from tests.functional.web.work import complete, submit
from tests.hosts.badge_connect import BadgeConnectHost, BadgrHost
from tests.hosts.ob3 import Ob3Host
from tests.hosts.serving import Host, running

_FILE = "earned.sqlite3"
RATINGS = {"p1-c1": "strong", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "passing", "p4-c1": "passing"}


@dataclass
class Window:
    """The window of its own: a browser that knows nothing of the launch."""

    client: FlaskClient
    sign_in_url: str

    def agree(self, choice: str = "allow") -> str:
        """Allow at the host; where its answer sends the browser."""
        answer = requests.post(self.sign_in_url, data={"choice": choice}, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def back(self, url: str) -> TestResponse:
        """Follow the host's answer."""
        parts = urlsplit(url)
        return self.client.get(f"{parts.path}?{parts.query}")


@dataclass
class Packs:
    """The course, one teacher with a signed badge, and what they do with backpacks."""

    course: Course
    teacher: Visitor
    stack: ExitStack = field(default_factory=ExitStack)

    def serve(self, host: Host) -> str:
        """Start a host; its address."""
        return self.stack.enter_context(running(host))

    def hosted(self, url: str) -> dict[str, Any] | None:
        """What the tool serves at a badge's address, as a host would fetch it."""
        answer = self.course.app.test_client().get(urlsplit(url).path)
        found: dict[str, Any] | None = answer.get_json(force=True) if answer.status_code == 200 else None
        return found

    def ask(self, address: str, visitor: Visitor | None = None, **form: str) -> TestResponse:
        """Press "Connect" with an address."""
        return (visitor or self.teacher).post("backpacks", {"text-address": address} | form)

    def window(self, address: str, visitor: Visitor | None = None, **form: str) -> Window:
        """Press "Connect" and open the window."""
        answer = self.ask(address, visitor, **form)
        assert answer.status_code == 200, answer.text
        return self.open(self.ticket(answer))

    @staticmethod
    def ticket(answer: TestResponse) -> str:
        """The address that opens the window."""
        return html.unescape(re.findall(r'href="(/backpacks/open[^"]+)"', answer.text)[0])

    def open(self, ticket: str) -> Window:
        """Open the window in a browser of its own."""
        client = self.course.app.test_client()
        page = client.get(ticket)
        assert page.status_code == 200, page.text
        return Window(client, html.unescape(re.findall(r'href="(http[^"]+)"', page.text)[0]))

    def connect(self, address: str, visitor: Visitor | None = None, **form: str) -> Window:
        """The whole way; new badges go there by themselves."""
        window = self.window(address, visitor, **({"by-itself": "on"} | form))
        answer = window.back(window.agree())
        assert answer.status_code == 200, answer.text
        assert 'data-backpack="connected"' in answer.text
        return window

    def work(self) -> None:
        """Let the worker do what is due."""
        self.course.assembly.make_worker().run_due()

    def said(self, visitor: Visitor | None = None) -> str:
        """What the badge page says of the backpack."""
        page = (visitor or self.teacher).get("badge")
        assert page.status_code == 200
        found = re.findall(r"<p[^>]* data-standing>(.*?)</p>", page.text, re.DOTALL)
        return html.unescape(found[0]).strip() if found else ""

    def backpack(self) -> Backpack:
        """The one connection there is."""
        with self.course.assembly.database.reading() as session:
            return session.scalars(select(Backpack)).one()

    def pushes(self) -> list[tuple[str, str | None]]:
        """State and reason of every badge in every backpack."""
        with self.course.assembly.database.reading() as session:
            rows = session.scalars(select(BackpackPush).order_by(BackpackPush.id))
            return [(row.state, row.reason) for row in rows]

    def award(self) -> str:
        """Public id of the award."""
        with self.course.assembly.database.reading() as session:
            return session.scalars(select(Award.public_id).order_by(Award.id)).first() or ""

    def post(self, verb: str, data: dict[str, str] | None = None) -> TestResponse:
        """Press a button of the connected backpack."""
        return self.teacher.post(f"backpacks/{self.backpack().public_id}/{verb}", data)


def earn(course: Course, visitor: Visitor) -> None:
    """A teacher earns the badge; the worker signs it."""
    complete(visitor, course)
    submit(visitor)
    course.judge(visitor.person_id, RATINGS)
    course.assembly.make_worker().run_due()


@pytest.fixture(scope="session")
def earned(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Packs:
    """A course in which a teacher has earned the badge: a folder to be copied, closed again."""
    folder = tmp_path_factory.mktemp("earned")
    shutil.copyfile(migrated_sqlite_file, folder / _FILE)
    made = _begin(f"sqlite:///{folder / _FILE}", folder)
    made.course.assembly.close()
    return made


@pytest.fixture
def packs(earned: Packs, tmp_path: Path) -> Iterator[Packs]:
    """On SQLite, from a copy."""
    shutil.copytree(earned.course.assembly.settings.data_dir, tmp_path, dirs_exist_ok=True)
    settings = earned.course.assembly.settings.model_copy(
        update={
            "data_dir": tmp_path,
            "database_url": f"sqlite:///{tmp_path / _FILE}",
            "storage_url": str(tmp_path / "files"),
            "mail_url": f"file://{tmp_path / 'mails'}",
        }
    )
    clock = MovingClock()
    assembly = assemble(settings, clock, lambda: 0.999)
    course = replace(earned.course, assembly=assembly, app=create_app(assembly), clock=clock)
    yield from _until_closed(Packs(course, course.same(earned.teacher)))


@pytest.fixture
def packs_anywhere(migrated_database_url: str, tmp_path: Path) -> Iterator[Packs]:
    """On SQLite and on PostgreSQL."""
    yield from _until_closed(_begin(migrated_database_url, tmp_path))


def _begin(url: str, folder: Path) -> Packs:
    course = build(url, folder, MovingClock(), allow_hosts=("127.0.0.1",))
    teacher = course.visitor()
    assert teacher.get().status_code == 200
    earn(course, teacher)
    return Packs(course, teacher)


def _until_closed(made: Packs) -> Iterator[Packs]:
    try:
        with made.stack:
            yield made
    finally:
        made.course.assembly.close()


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: found[0] for name, found in parse_qs(urlsplit(url).query).items()}


MakeHost = Callable[[Packs], Ob3Host | BadgeConnectHost]
KINDS: dict[str, MakeHost] = {
    "ob3": lambda packs: Ob3Host(),
    "badge-connect": lambda packs: BadgeConnectHost(fetch=packs.hosted),
    "badgr": lambda packs: BadgrHost(fetch=packs.hosted),
}


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    """Every kind of host in turn."""
    name: str = request.param
    return name
