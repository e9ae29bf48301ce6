"""A hundred people open the tool in the same moment: four processes, PostgreSQL and Redis, and beside them a
platform whose key set never comes.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

import demo_lms
from demo_lms import Platform, Reply
from lti_tool import registrations
from microcred.people import organization_by_code
from tests.functional.app.processes import running, wait_for
from tests.functional.app.test_engines_together import RunningClock, cookies
from tests.support.campus import COURSE, Campus, campus, field
from tests.support.grading import SECRET
from tests.support.lti import signing_key
from tests.support.servers import free_port

pytestmark = pytest.mark.long
PEOPLE = 100
HANGING = 100
TIMEOUT = 60


@dataclass
class Browser:
    """One person's browser, cookies carried as on a loopback address."""

    base: str
    cookie: str = ""

    def launch(self, platform: Platform, start: demo_lms.LoginInitiation) -> requests.Response:
        """Login and launch; the answer to the launch."""
        login = self._send("POST", "/lti/login", start.fields)
        form = platform.authorize(login.headers["Location"])
        assert isinstance(form, demo_lms.FormPost)
        self.cookie = cookies(login)
        answer = self._send("POST", "/lti/launch", form.fields)
        self.cookie = cookies(answer)
        return answer

    def _send(self, method: str, path: str, data: dict[str, str] | None = None) -> requests.Response:
        headers = {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"}
        return requests.request(
            method, self.base + path, data=data, headers=headers, allow_redirects=False, timeout=TIMEOUT
        )

    def get(self, path: str) -> requests.Response:
        return self._send("GET", path)

    def post(self, path: str, data: dict[str, str]) -> requests.Response:
        return self._send("POST", path, data)


@pytest.fixture
def served(tmp_path: Path, migrated_postgres_url: str, redis_url: str) -> Iterator[tuple[Campus, str]]:
    """The tool in four processes, and the campus that shares its database."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    settings = {
        "MICROCRED_PUBLIC_URL": base,
        "MICROCRED_DATABASE_URL": migrated_postgres_url,
        "MICROCRED_REDIS_URL": redis_url,
        "MICROCRED_STORAGE_URL": str(tmp_path / "files"),
        "MICROCRED_SECRET_KEYS": SECRET,
        "MICROCRED_ALLOW_HOSTS": "localhost,127.0.0.1",
    }
    serving = ("serve", "--no-worker", "--processes", "4", "--port", str(port))
    with (
        campus(migrated_postgres_url, tmp_path, RunningClock(), public_url=base, redis_url=redis_url) as here,
        running(tmp_path, settings, *serving) as pages,
    ):
        wait_for(f"{base}/readyz", pages)
        yield here, base
        said = pages.log.read_text()
    assert "Traceback" not in said, said


def hanging_platform(here: Campus, server_url: str, platform: Platform, base: str) -> None:
    """Register a second platform with the tool, and the tool with it; its key set never comes."""
    platform.add_tool(
        "tool-slow",
        f"{base}/lti/login",
        [f"{base}/lti/launch"],
        launch_url=f"{base}/lti/launch",
        deployment_id="dep-slow",
        jwks={"keys": []},
    )
    platform.add_course("c-slow", "Slow course")
    platform.add_link("c-slow", "Slow link", link_id="slow-link")
    for number in range(HANGING):
        platform.add_person(f"s-{number}", f"Demo Slow {number}")
        platform.enrol("c-slow", f"s-{number}")
    platform.script.on("jwks", Reply(delay=30), times=None)
    with here.assembly.database.writing() as session:
        home = organization_by_code(session, "iss-riverbend")
        assert home is not None
        registrations.add(
            session,
            registrations.NewRegistration(
                name="Slow",
                lms="other",
                issuer=platform.issuer,
                client_id="tool-slow",
                auth_url=f"{server_url}/auth",
                token_url=f"{server_url}/token",
                jwks_url=f"{server_url}/jwks",
                deployment_ids=("dep-slow",),
            ),
            organization_id=home.id,
            clock=here.clock,
            allow_hosts=here.assembly.settings.allow_hosts,
        )


def test_a_hundred_people_at_once_beside_a_platform_that_hangs(served: tuple[Campus, str]) -> None:
    here, base = served
    (link,) = here.add().links
    for number in range(PEOPLE):
        here.platform.add_person(f"p-{number}", f"Demo Person {number}")
        here.platform.enrol(COURSE, f"p-{number}")
    slow = Platform(issuer="https://slow.test", keys=[signing_key("slow-1")])

    def come(number: int) -> tuple[float, str]:
        """Launch, write something that only this person writes, and read the page again."""
        browser = Browser(base)
        started = time.monotonic()
        answer = browser.launch(here.platform, here.platform.begin_launch(f"p-{number}", link.id))
        took = time.monotonic() - started
        assert answer.status_code == 303, answer.headers.get("X-LTI-Error")
        home = urlsplit(answer.headers["Location"]).path
        opened = browser.get(home)
        assert opened.status_code == 200, opened.text
        page = browser.get(f"{home}parts/p1").text
        words = {"form_token": field(page, "form_token"), "text-p1-q1": f"Only person {number:03} says this."}
        assert browser.post(f"{home}parts/p1/responses", words).status_code == 303
        return took, browser.get(f"{home}parts/p1").text

    def wait_in_vain(number: int) -> requests.Response:
        return Browser(base).launch(slow, slow.begin_launch(f"s-{number}", "slow-link"))

    with demo_lms.serve(slow) as server:
        hanging_platform(here, server.url, slow, base)
        with ThreadPoolExecutor(PEOPLE + HANGING) as pool:
            hung = [pool.submit(wait_in_vain, number) for number in range(HANGING)]
            came = list(pool.map(come, range(PEOPLE)))
            refused = [one.result() for one in hung]

    for number, (_, page) in enumerate(came):
        assert f"Only person {number:03} says this." in page
        assert page.count("Only person ") == 1
    times = sorted(took for took, _ in came)
    print(f"launches: median {times[PEOPLE // 2]:.2f} s, slowest {times[-1]:.2f} s")
    assert {(one.status_code, one.headers["X-LTI-Error"]) for one in refused} == {(503, "jwks_unavailable")}
