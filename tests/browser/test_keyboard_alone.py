"""The four people of a credential, each without a mouse: Tab, Enter, Space, arrows, and typing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.building import town
from tests.browser.town import Town
from tests.functional.web.work import complete, picture, write

pytestmark = pytest.mark.long

MOST_TABS = 250


@pytest.fixture(scope="module")
def everybody(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of this module's own: things happen in it."""
    folder = tmp_path_factory.mktemp("town")
    copy = folder / "microcred.sqlite3"
    copy.write_bytes(migrated_sqlite_file.read_bytes())
    with town(f"sqlite:///{copy}", folder) as made:
        yield made


def reach(wanted: Locator) -> None:
    """Press Tab until the focus is there."""
    page = wanted.page
    expect(wanted).to_be_attached()
    for _ in range(MOST_TABS):
        if wanted.evaluate("(one) => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {wanted}")


def press(wanted: Locator, key: str = "Enter") -> None:
    """Go there by Tab, and press a key."""
    reach(wanted)
    wanted.page.keyboard.press(key)


def typed(page: Page, wanted: Locator, text: str) -> None:
    """Go there by Tab, and write."""
    reach(wanted)
    page.keyboard.type(text)


def test_a_teacher_writes_adds_evidence_and_submits(everybody: Town, browser_context: BrowserContext) -> None:
    course = everybody.course
    teacher = everybody.launches["alone"] = course.visitor()
    teacher.get()
    complete(teacher, course, missing=("p2-a1",))
    write(teacher, "p1", "p1-q1", "", 1)
    page = browser_context.new_page()
    page.goto(everybody.address(browser_context, "alone", ""))
    press(page.get_by_role("link", name="Continue"))
    page.wait_for_url("**/parts/p1")
    box = page.locator("#text-p1-q1")
    typed(page, box, "Four rules, in their words.")
    expect(page.locator("#p1-q1 [data-saved]")).to_contain_text("Saved")
    press(page.get_by_role("link", name="Next: Work from two students"))
    page.wait_for_url("**/parts/p2")
    group = page.locator("#p2-a1")
    for number in range(2):
        press(group.get_by_text("Add a file or photo"))
        with page.expect_file_chooser() as chooser:
            press(group.get_by_label("File", exact=True), "Space")
        chooser.value.set_files(
            {"name": f"board-{number}.png", "mimeType": "image/png", "buffer": picture(200 + number)}
        )
        typed(page, group.get_by_label("What it shows").first, f"Board {number + 1}")
        press(group.get_by_role("button", name="Add this file"))
        expect(group.locator(".count")).to_have_text(f"{number + 1} of 2 pieces")
    press(page.locator(".bar-home"))
    press(page.get_by_role("link", name="Check and submit"))
    page.wait_for_url("**/submit")
    for box in page.locator("input[name=confirm]").all():
        press(box, "Space")
        expect(box).to_be_checked()
    press(page.get_by_role("button", name="Submit for review"))
    expect(page.get_by_role("heading", name="Submitted. It waits for a reviewer.")).to_be_visible()


def test_a_reviewer_rates_and_finishes(everybody: Town, browser_context: BrowserContext) -> None:
    page = browser_context.new_page()
    page.goto(everybody.address(browser_context, "second reviewer", ""))
    press(page.get_by_role("link", name="Review").first)
    page.wait_for_url("**/review/")
    press(page.get_by_role("button", name="Start").first)
    expect(page.get_by_role("heading", name="Your rating")).to_be_visible()
    for part in ("p1", "p2", "p3", "p4"):
        for point in page.locator("fieldset.crit").all():
            first = point.get_by_role("radio").first
            reach(first)
            page.keyboard.press("Space")
            page.keyboard.press("ArrowDown")
            page.keyboard.press("ArrowUp")
            expect(first).to_be_checked()
        expect(page.locator("#review-saved")).to_contain_text("Saved")
        if part != "p4":
            press(page.locator(".steps a").nth(int(part[1])))
            page.wait_for_url(f"**part=p{int(part[1]) + 1}")
    press(page.get_by_role("button", name="Finish and recommend"))
    expect(page.locator("main")).to_contain_text("approver")


def test_an_approver_awards(everybody: Town, browser_context: BrowserContext) -> None:
    page = browser_context.new_page()
    page.goto(everybody.address(browser_context, "second approver", ""))
    press(page.get_by_role("link", name="Decide").first)
    page.wait_for_url("**/approve/")
    press(page.get_by_role("link", name="Decide about").first)
    press(page.get_by_role("button", name="Award", exact=True))
    expect(page.get_by_role("status")).to_contain_text("You awarded this")


def test_a_coordinator_adds_by_the_picker(everybody: Town, browser_context: BrowserContext) -> None:
    page = browser_context.new_page()
    page.goto(everybody.address(browser_context, "picker", "choose"))
    typed(page, page.get_by_label("Search by title, topic or standard"), "shape")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=shape**")
    press(page.get_by_role("radio", name="Helping Students Generate and Shape Ideas"), "Space")
    expect(page.locator("#preview table")).to_be_visible()
    chosen = page.locator("input[name=scheme]:checked")
    reach(chosen)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#preview table")).to_be_visible()
    press(page.get_by_role("button", name="Add to course"))
    page.wait_for_url(f"{everybody.site.lms}/return")
