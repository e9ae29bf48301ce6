"""What a holder does around a badge, in Chromium: an address of their own, badges of others, a wallet."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from microcred.badges import integrity
from tests.browser.looking import WIDTHS, problems
from tests.browser.test_teacher_pages import Site, served
from tests.functional.backpacks.conftest import earn
from tests.functional.backpacks.test_importing import KEY, WHEN, credential
from tests.functional.web.course import MovingClock, build
from tests.support.servers import free_port

pytestmark = pytest.mark.long


@pytest.fixture
def site(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """The pages, served; mail goes into a folder."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    mails = f"file://{tmp_path / 'mails'}"
    course = build(migrated_sqlite_url, tmp_path, MovingClock(), origin=origin, mail_url=mails)
    with served(port, course.app):
        yield Site(course, origin, "")
    course.assembly.close()


def look(page: Page, folder: Path, name: str) -> None:
    """The page at every width: nothing scrolls sideways, and nothing that axe finds."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
    assert problems(page) == []


def confirmation(site: Site) -> str:
    """The address in the newest mail."""
    folder = site.course.assembly.settings.data_dir / "mails"
    newest = max(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    lines = newest.read_text().replace("=\n", "").replace("=3D", "=").splitlines()
    return next(line.strip() for line in lines if "/address?t=" in line)


def test_an_own_address_a_badge_from_elsewhere_and_a_wallet(
    site: Site, browser_context: BrowserContext, images_folder: Path, tmp_path: Path
) -> None:
    teacher = site.course.visitor()
    teacher.get()
    earn(site.course, teacher)
    start = site.enter(browser_context, teacher)
    page = browser_context.new_page()

    page.goto(start + "badge")
    page.get_by_label("Your own e-mail address").fill("pat@example.org")
    page.get_by_role("button", name="Mail me a link to confirm it").click()
    expect(page.get_by_text("We mailed a link there; open it to confirm")).to_be_visible()
    site.course.assembly.make_worker().run_due()
    mail = browser_context.new_page()
    mail.goto(confirmation(site))
    expect(mail.get_by_text("is to stand for Demo Teacher")).to_be_visible()
    look(mail, images_folder, "address-ask")
    mail.get_by_role("button").first.click()
    look(mail, images_folder, "address-done")
    mail.close()
    page.goto(start + "badge")
    expect(page.get_by_text("Confirmed", exact=True)).to_be_visible()
    look(page, images_folder, "address-badge")

    page.goto(start + "record")
    document = credential(f"did:key:{KEY.multibase}")
    made = integrity.sign(document, KEY, f"did:key:{KEY.multibase}#{KEY.multibase}", WHEN)
    broken = json.dumps(made | {"validUntil": "2039-01-01T00:00:00Z"}).encode()
    form = page.get_by_label("Its file (PNG, SVG or JSON)")
    form.set_input_files({"name": "badge.json", "mimeType": "application/json", "buffer": broken})
    page.get_by_role("button", name="Add the badge").click()
    expect(page.locator("[data-error='badge_changed']")).to_be_visible()
    look(page, images_folder, "import-refused")
    file = tmp_path / "badge.json"
    file.write_text(json.dumps(made))
    page.get_by_label("Its file (PNG, SVG or JSON)").set_input_files(file)
    page.get_by_role("button", name="Add the badge").click()
    expect(page.get_by_role("heading", name="Listening to Families")).to_be_visible()
    page.get_by_text("What we checked").click()
    look(page, images_folder, "import-added")

    page.goto(start + "badge")
    page.get_by_role("button", name="Put it into a wallet").click()
    expect(page.get_by_role("link", name="Open it with the offer")).to_be_visible()
    look(page, images_folder, "wallet")
    page.get_by_role("button", name="Make an offer with a code").click()
    expect(page.get_by_text("Your wallet then asks for this code")).to_be_visible()
    look(page, images_folder, "wallet-code")
