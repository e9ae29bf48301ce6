"""Operators, privacy and linked accounts in Chromium: what people press, and what comes of it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import update
from werkzeug.serving import make_server

from lti_tool.models import Deployment, Launch, Registration
from lti_tool.sessions import COOKIE
from microcred.people import links
from microcred.people.models import Person
from tests.browser import looking
from tests.functional.people.places import officer, two_systems
from tests.functional.people.test_linking import code_of, submit
from tests.functional.web.course import Course, Visitor
from tests.functional.web.work import picture, upload, write
from tests.support.servers import free_port


@dataclass
class Site:
    """The pages on a port of their own."""

    origin: str
    here: Course
    there: Course

    def at_launch(self, context: BrowserContext, visitor: Visitor) -> str:
        """Give a browser the cookie of a launch; the address of its pages."""
        path = f"/app/{visitor.launch}/"
        value = self.here.assembly.lti.sessions.credential_for(visitor.launch)
        context.add_cookies(
            [
                {
                    "name": COOKIE,
                    "value": value,
                    "domain": "127.0.0.1",
                    "path": path,
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "None",
                }
            ]
        )
        return self.origin + path

    def at_desk(self, page: Page, person_id: int) -> str:
        """Let a browser in by a one-time link; the address of the desk."""
        with self.here.assembly.database.writing() as session:
            secret = links.invite(session, person_id, self.here.clock.now())
        page.goto(f"{self.origin}/desk/enter?t={secret}")
        page.get_by_role("button", name="Open my desk").click()
        expect(page.get_by_role("heading", name="Your desk")).to_be_visible()
        return f"{self.origin}/desk/"

    def public_id(self, person_id: int) -> str:
        with self.here.assembly.database.reading() as session:
            return session.get_one(Person, person_id).public_id


@pytest.fixture
def site(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """Two course systems, served."""
    port = free_port()
    with two_systems(migrated_sqlite_url, tmp_path, origin=f"http://127.0.0.1:{port}") as (here, there):
        server = make_server("127.0.0.1", port, here.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield Site(f"http://127.0.0.1:{port}", here, there)
        server.shutdown()
        thread.join()
        server.server_close()


def visit(page: Page, address: str) -> None:
    """Open a page, and whatever is folded on it."""
    page.goto(address)
    looking.open_folds(page)


def look(page: Page) -> None:
    """What came of a button is as good as the page before it, whatever is folded opened."""
    looking.open_folds(page)
    assert looking.size_faults(page, 320) + looking.problems(page) == [], page.url


def somebody_with_work(site: Site) -> Visitor:
    teacher = site.here.visitor(site.here.person("Terry Tryout"))
    teacher.get()
    write(teacher, "p1", "p1-q1", "Four rules, in their words.")
    upload(teacher, picture(), "board.png")
    submit(site.here, teacher.person_id)
    # Nothing borderline: that would be read twice.
    passing = dict.fromkeys(("p1-c1", "p1-c2", "p3-c1", "p4-c1"), "strong") | {"p2-c1": "yes"}
    site.here.judge(teacher.person_id, passing)
    with site.here.assembly.database.writing() as session:
        session.get_one(Person, teacher.person_id).email = "terry.tryout@demo-district.invalid"
    return teacher


@pytest.mark.long
def test_privacy_and_linked_accounts(site: Site, browser_context: BrowserContext) -> None:
    teacher = somebody_with_work(site)
    page = browser_context.new_page()
    home = site.at_launch(browser_context, teacher)
    visit(page, f"{home}privacy")
    page.get_by_text("Keep my badge pages").click()
    page.get_by_role("button", name="Ask to be erased").click()
    expect(page.get_by_role("status")).to_contain_text("Your wish is on record")
    look(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download my data").click()
    assert download.value.suggested_filename == "my-micro-credential-data.zip"
    visit(page, f"{home}accounts")
    page.get_by_role("button", name="Make a code").click()
    expect(page.get_by_role("heading", name="Your code")).to_be_visible()
    look(page)

    other = site.there.visitor(site.there.person("Theresa Tryout"))
    code = code_of(other)
    visit(page, f"{home}accounts")
    page.get_by_label("Code from the other course system").fill(code)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name="Is this you as well?")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Yes, both are mine").click()
    expect(page.get_by_role("heading", name="Your linked accounts")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Undo the link").click()
    expect(page.get_by_role("status")).to_contain_text("The link is undone")
    page.get_by_label("Code from the other course system").fill(code)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("alert")).to_contain_text("This code does not work")
    look(page)
    page.get_by_role("link", name="Help").click()
    look(page)


@pytest.mark.long
def test_a_data_privacy_launch(site: Site, browser_context: BrowserContext) -> None:
    visitor = site.here.visitor(rights=("read",))
    with site.here.assembly.database.writing() as session:
        session.execute(
            update(Launch)
            .where(Launch.public_id == visitor.launch)
            .values(
                message_type="DataPrivacyLaunchRequest",
                context_id=None,
                resource_link_id=None,
                for_user_sub="another",
            )
        )
    page = browser_context.new_page()
    visit(page, site.at_launch(browser_context, visitor))
    expect(page.get_by_role("heading", name="What is stored about you")).to_be_visible()


@pytest.mark.long
def test_operators_pages(site: Site, page: Page) -> None:
    operator = officer(site.here, "operator", "Olga Operator")
    teacher = somebody_with_work(site)
    other = site.there.visitor(site.there.person("Theresa Tryout"))
    other.post("accounts/confirm", {"code": code_of(teacher)})
    teacher.post("privacy/erase", {"badges": "keep"})
    with site.here.assembly.database.writing() as session:
        registration = session.get_one(Registration, site.here.registration_id)
        registration.service_hosts = ["api.lms.demo-district.invalid"]
        platform = registration.public_id
        session.add(
            Deployment(
                registration_id=registration.id,
                deployment_id="8865:4dde05e8ca1973bcca9bffc13e1548820eee93a3",
                state="noted",
                created_at=site.here.clock.now(),
            )
        )
        session.get_one(Registration, site.there.registration_id).state = "pending"
    desk = site.at_desk(page, operator.person_id)
    visit(page, desk)
    visit(page, f"{desk}platforms")
    visit(page, f"{desk}platforms/{platform}")
    page.get_by_label("Belongs to").select_option("demo-2")
    page.get_by_role("button", name="Let in deployment").click()
    expect(page.get_by_role("status").first).to_contain_text("The deployment is open")
    page.get_by_role("textbox", name="Host").fill("https://no host")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("That is no host name")
    look(page)
    visit(page, f"{desk}people")
    page.get_by_role("textbox", name="Id").fill(f"sub-{teacher.person_id}")
    page.get_by_role("button", name="Find").click()
    look(page)
    visit(page, f"{desk}people/requests")
    visit(page, f"{desk}people/{site.public_id(teacher.person_id)}")
    page.get_by_role("button", name="Shut out").click()
    expect(page.get_by_role("status")).to_contain_text("Shut out")
    page.get_by_text("Erase this person").click()
    page.get_by_label("Cancel them and erase now").check()
    page.get_by_label("I am sure").check()
    page.get_by_role("button", name="Erase", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Erased")
    look(page)
