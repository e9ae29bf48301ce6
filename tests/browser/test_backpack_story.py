"""A teacher connects a backpack from the badge page in the LMS's frame, in a window of its own, and the badge
goes there; the hosts are programs of their own. Third-party cookies are blocked.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect

from tests.browser.looking import ROOT, WIDTHS, problems
from tests.browser.test_teacher_pages import Site, frame_page, served
from tests.functional.backpacks.conftest import earn
from tests.functional.web.course import MovingClock, Visitor, build
from tests.support.servers import free_port


@pytest.fixture
def site(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """The pages, served; hosts on this machine may be asked."""
    port, lms_port = free_port(), free_port()
    origin, lms = f"http://127.0.0.1:{port}", f"http://localhost:{lms_port}"
    course = build(
        migrated_sqlite_url, tmp_path, MovingClock(), origin=origin, lms=lms, allow_hosts=("127.0.0.1",)
    )
    with served(port, course.app), served(lms_port, frame_page):
        yield Site(course, origin, lms)
    course.assembly.close()


@contextmanager
def host_program(kind: str) -> Iterator[str]:
    """A backpack host in a process of its own; its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.hosts", kind], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=10)


def in_course(site: Site, page: Page, visitor: Visitor) -> FrameLocator:
    """The badge page in the frame of the LMS."""
    page.goto(f"{site.lms}/?{site.handover(visitor)}&to=badge")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Your backpack")).to_be_visible()
    return frame


def connect(page: Page, frame: FrameLocator, address: str, shots: Path | None = None) -> None:
    """From the form to "connected", as a person does it."""
    details = frame.locator("details", has_text="Connect a")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    frame.get_by_label("Or its address, if it is another one").fill(address)
    frame.get_by_role("button", name="Connect", exact=True).click()
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="Open the window").click()
    window = opened.value
    expect(window.get_by_text("Badges of Demo Teacher")).to_be_visible()
    if shots:
        window.screenshot(path=shots / "backpack-window.png", full_page=True)
    assert problems(window) == []
    window.get_by_role("link", name="Go on to").click()
    window.get_by_role("button", name="Allow", exact=True).click()
    expect(window.get_by_role("heading", name="is connected.")).to_be_visible()
    expect(window.get_by_text("1 badge is on the way there.")).to_be_visible()
    assert problems(window) == []
    window.close()
    # The page in the course goes on by itself once the person is back there.
    expect(frame.get_by_role("heading", name="Your backpack")).to_be_visible()


@pytest.mark.parametrize(
    "kind",
    [
        "ob3",
        pytest.param("badge-connect", marks=pytest.mark.long),
        pytest.param("badgr", marks=pytest.mark.long),
    ],
)
def test_connect_and_push(
    site: Site, browser_context: BrowserContext, images_folder: Path, kind: str
) -> None:
    teacher = site.course.visitor()
    teacher.get()
    earn(site.course, teacher)
    page = browser_context.new_page()
    with host_program(kind) as address:
        frame = in_course(site, page, teacher)
        connect(page, frame, address, images_folder)
        standing = frame.locator("[data-standing]")
        expect(standing).to_have_text("The badge is on its way.")
        site.course.assembly.make_worker().run_due()
        frame = in_course(site, page, teacher)
        expect(frame.locator("[data-standing]")).to_contain_text("The badge is there since today at")

        frame.get_by_role("button", name="Only when I say so").click()
        expect(frame.get_by_role("status").first).to_contain_text("only when you say so")
        frame.get_by_role("button", name="Send again").click()
        expect(frame.locator("[data-standing]")).to_have_text("The badge is on its way.")
        site.course.assembly.make_worker().run_due()
        look(site, browser_context, teacher, images_folder)

        frame = in_course(site, page, teacher)
        frame.get_by_role("button", name="Disconnect").click()
        expect(frame.get_by_text("Badges that are there stay yours.")).to_be_visible()
        expect(frame.locator("[data-standing]")).to_have_count(0)


def look(site: Site, context: BrowserContext, teacher: Visitor, folder: Path) -> None:
    """The page at every width: nothing scrolls sideways, and nothing that axe finds."""
    page = context.new_page()
    page.goto(site.enter(context, teacher) + "badge#bp")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        page.locator("#bp-section").screenshot(path=folder / f"backpack-{width}.png")
    assert problems(page) == []
    page.close()
