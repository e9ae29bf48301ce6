"""Setting an LMS up from its operator's desk, to a self-test with six ticks; the pictures of `configs/`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.browser import looking
from tests.support.demo import Demo, running_demo
from tests.support.story import COURSE, Pictures, add_to_course, at_course, at_desk

pytestmark = pytest.mark.long

IDEAS = "Helping Students Generate and Shape Ideas"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo beside an LMS that behaves like Moodle."""
    with running_demo(tmp_path_factory.mktemp("set-up"), "moodle") as running:
        yield running


def accessible(where: Page | Frame | None) -> None:
    """No axe-core violation, whatever is folded opened."""
    assert where is not None
    looking.open_folds(where)
    assert looking.problems(where) == []


def test_an_operator_sets_up_and_tries_an_lms(browser: Browser, demo: Demo, images_folder: Path) -> None:
    folder = images_folder / "set-up"
    folder.mkdir(exist_ok=True)
    pictures = Pictures(folder)
    with at_course(browser, demo, "Dana Demo-Coordinator") as page:
        page.get_by_role("button", name="Add content").click()
        frame = page.frame_locator("iframe#tool")
        frame.get_by_role("radio", name=IDEAS).check()
        expect(frame.get_by_text("press Save in the Moodle form")).to_be_visible()
        pictures.take(page, "picker-moodle")
        accessible(page.frame(name="tool"))
        page.get_by_role("link", name=f"Back to {COURSE}").click()
        add_to_course(page, IDEAS, "100 points when earned", "moodle")
        page.get_by_role("link", name=IDEAS).first.click()
        frame.get_by_role("link", name="Course", exact=True).click()
        expect(frame.get_by_text("can have a grade")).to_be_visible(timeout=20_000)
        frame.get_by_role("button", name="Try the connection").click()
        expect(frame.get_by_text("A column was made and removed again.")).to_be_visible(timeout=20_000)
        pictures.take(page, "course-self-test")
        accessible(page.frame(name="tool"))
        frame.get_by_role("link", name="Change dates, grade or version").click()
        expect(frame.get_by_role("button", name="Save")).to_be_visible()
        accessible(page.frame(name="tool"))

    invited = demo.command("person", "invite", "--name", "Olga Demo-Operator", "--role", "operator")
    with at_desk(browser, invited["url"]) as page:
        page.get_by_role("link", name="Platforms").first.click()
        page.get_by_role("link", name="Set up an LMS").click()
        pictures.take(page, "which-lms")
        for lms in ("Canvas", "Moodle", "Schoology"):
            page.get_by_role("link", name=lms, exact=True).click()
            expect(page.get_by_role("heading", name=f"Set up {lms}")).to_be_visible()
            pictures.take(page, lms.lower())
            accessible(page)
            page.get_by_role("link", name="Another LMS").click()
        page.get_by_role("link", name="Moodle", exact=True).click()
        page.get_by_role("button", name="Make a registration address").click()
        expect(page.get_by_text("It is not shown again.")).to_be_visible()
        for width in (1100, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.set_viewport_size({"width": 1100, "height": 800})
        page.get_by_role("link", name="Platforms").first.click()
        page.get_by_role("link", name="Demo Moodle").click()
        page.get_by_role("button", name="Try the connection").click()
        expect(page.get_by_text("A column was made and removed again.")).to_be_visible(timeout=20_000)
        pictures.take(page, "platform-self-test")
