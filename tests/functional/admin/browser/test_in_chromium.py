"""Operators, privacy and linked accounts in Chromium: accessible, and nothing scrolls sideways."""

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
from tests.functional.people.places import officer, two_systems
from tests.functional.people.test_linking import code_of, submit
from tests.functional.web.course import Course, Visitor
from tests.functional.web.work import picture, upload, write
from tests.support.servers import free_port

AXE = (Path(__file__).resolve().parents[4] / "node_modules/axe-core/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1100, 720, 320)


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
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(f"http://127.0.0.1:{port}", here, there)
        server.shutdown()
        thread.join()
        server.server_close()


def check(page: Page, address: str, pictures: Path, name: str) -> None:
    """No axe-core violation and no sideways scrolling, whatever is folded opened; a picture of each width."""
    page.goto(address)
    look(page, pictures, name)


def look(page: Page, pictures: Path, name: str) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=pictures / f"{name}-{width}.png", full_page=True)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
    page.evaluate(AXE)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"{name} scrolls at {width}"
        )
        if width == 720:
            continue
        found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
        said = [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
        assert said == [], f"{name} at {width}"


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
def test_privacy_and_linked_accounts(
    site: Site, browser_context: BrowserContext, images_folder: Path
) -> None:
    teacher = somebody_with_work(site)
    page = browser_context.new_page()
    home = site.at_launch(browser_context, teacher)
    check(page, f"{home}privacy", images_folder, "privacy")
    page.get_by_text("Keep my badge pages").click()
    page.get_by_role("button", name="Ask to be erased").click()
    expect(page.get_by_role("status")).to_contain_text("Your wish is on record")
    look(page, images_folder, "privacy-asked")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download my data").click()
    assert download.value.suggested_filename == "my-micro-credential-data.zip"
    check(page, f"{home}accounts", images_folder, "accounts")
    page.get_by_role("button", name="Make a code").click()
    expect(page.get_by_role("heading", name="Your code")).to_be_visible()
    look(page, images_folder, "accounts-code")

    other = site.there.visitor(site.there.person("Theresa Tryout"))
    code = code_of(other)
    page.goto(f"{home}accounts")
    page.get_by_label("Code from the other course system").fill(code)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name="Is this you as well?")).to_be_visible()
    look(page, images_folder, "accounts-confirm")
    page.get_by_role("button", name="Yes, both are mine").click()
    expect(page.get_by_role("heading", name="Your linked accounts")).to_be_visible()
    look(page, images_folder, "accounts-linked")
    page.get_by_role("button", name="Undo the link").click()
    expect(page.get_by_role("status")).to_contain_text("The link is undone")
    page.get_by_label("Code from the other course system").fill(code)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("alert")).to_contain_text("This code does not work")
    look(page, images_folder, "accounts-wrong")
    page.get_by_role("link", name="Help").click()
    look(page, images_folder, "help")


def test_a_data_privacy_launch(site: Site, browser_context: BrowserContext, images_folder: Path) -> None:
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
    check(page, site.at_launch(browser_context, visitor), images_folder, "privacy-launch")
    expect(page.get_by_role("heading", name="What is stored about you")).to_be_visible()


@pytest.mark.long
def test_operators_pages(site: Site, page: Page, images_folder: Path) -> None:
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
    check(page, desk, images_folder, "operator-desk")
    check(page, f"{desk}platforms", images_folder, "platforms")
    check(page, f"{desk}platforms/{platform}", images_folder, "platform")
    page.get_by_label("Belongs to").select_option("demo-2")
    page.get_by_role("button", name="Let in deployment").click()
    expect(page.get_by_role("status").first).to_contain_text("The deployment is open")
    page.get_by_role("textbox", name="Host").fill("https://no host")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("That is no host name")
    look(page, images_folder, "platform-refused")
    check(page, f"{desk}people", images_folder, "people")
    page.get_by_role("textbox", name="Id").fill(f"sub-{teacher.person_id}")
    page.get_by_role("button", name="Find").click()
    look(page, images_folder, "people-found")
    check(page, f"{desk}people/requests", images_folder, "erase-requests")
    check(page, f"{desk}people/{site.public_id(teacher.person_id)}", images_folder, "person")
    page.get_by_role("button", name="Shut out").click()
    expect(page.get_by_role("status")).to_contain_text("Shut out")
    page.get_by_text("Erase this person").click()
    page.get_by_label("Cancel them and erase now").check()
    page.get_by_label("I am sure").check()
    page.get_by_role("button", name="Erase", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Erased")
    look(page, images_folder, "person-erased")
