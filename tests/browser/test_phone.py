"""The tool as the LMSs' apps open it: a page of its own in a web view, no parent frame, no second window."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.demo import Demo, running_demo
from tests.support.story import COURSE, SLOW, WORDS, Files, Pictures, add_to_course, at_course

pytestmark = pytest.mark.long

IDEAS = "Helping Students Generate and Shape Ideas"
NO_WINDOWS = "window.open = () => null;"
"""What a web view answers that shows one page only."""


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A running demo with a credential in its course."""
    with running_demo(tmp_path_factory.mktemp("phone")) as running:
        with at_course(browser, running, "Dana Demo-Coordinator") as page:
            add_to_course(page, IDEAS, "100 points when earned")
        yield running


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A small phone: 360 by 640, touched, dense, with a web view's single window."""
    context = browser.new_context(
        viewport={"width": 360, "height": 640},
        is_mobile=True,
        has_touch=True,
        device_scale_factor=2,
        locale="en-US",
        timezone_id="UTC",
    )
    context.set_default_timeout(10_000)
    context.add_init_script(NO_WINDOWS)
    yield context.new_page()
    context.close()


def open_alone(page: Page, demo: Demo, name: str) -> None:
    """Sign in to the LMS and open the link as a page of its own."""
    page.goto(demo.lms_url)
    page.locator("section", has_text=COURSE).get_by_role("button", name=name, exact=True).first.tap()
    page.get_by_role("link", name=IDEAS).first.click()
    alone = page.get_by_role("link", name="Open in a new tab").get_attribute("href")
    assert alone
    page.goto(f"{demo.lms_url}{alone}")
    expect(page.get_by_role("heading", name=IDEAS)).to_be_visible(timeout=SLOW)
    assert page.url.startswith(f"{demo.tool_url}/app/")
    assert page.evaluate("window.parent === window")


def fits(page: Page) -> None:
    """Nothing is wider than the phone."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.url


def test_a_teacher_writes_and_photographs_on_a_phone(
    phone: Page, demo: Demo, images_folder: Path, tmp_path: Path
) -> None:
    pictures, files = Pictures(images_folder / "phone"), Files(tmp_path)
    (images_folder / "phone").mkdir(exist_ok=True)
    open_alone(phone, demo, "Terry Demo-Teacher")
    fits(phone)
    expect(phone.get_by_role("button", name="Open in a new tab")).to_have_count(0)
    pictures.take(phone, "home")

    phone.locator(".partlist a").first.tap()
    box = phone.locator("textarea.answer").first
    box.fill(WORDS)
    expect(phone.locator("[data-saved]").first).to_contain_text("Saved", timeout=SLOW)
    fits(phone)
    pictures.take(phone, "writing")
    phone.reload()
    expect(phone.locator("textarea.answer").first).to_have_value(WORDS)

    phone.locator(".bar-home").tap()
    phone.locator(".partlist a").nth(1).tap()
    confirm = phone.get_by_role("button", name="It is on file at school")
    expect(phone.locator("section.need").first).to_be_visible()
    while confirm.count():
        before = confirm.count()
        confirm.first.tap()
        expect(confirm).to_have_count(before - 1, timeout=SLOW)
    need = phone.locator("section.need").first
    need.get_by_text("Take a photo").tap()
    camera = need.get_by_label("Photo", exact=True)
    assert camera.get_attribute("capture") == "environment"
    assert camera.get_attribute("accept") == "image/*"
    camera.set_input_files(files.for_words("pictures"))
    need.get_by_role("button", name="Add this photo").tap()
    expect(need.locator(".tag.count")).to_contain_text("1 of", timeout=SLOW)
    fits(phone)
    pictures.take(phone, "evidence")


def test_a_coordinator_looks_at_the_course_on_a_phone(phone: Page, demo: Demo) -> None:
    open_alone(phone, demo, "Dana Demo-Coordinator")
    phone.get_by_role("link", name="Course", exact=True).tap()
    expect(phone.get_by_text("can have a grade")).to_be_visible(timeout=SLOW)
    fits(phone)
    phone.get_by_role("link", name="Change dates, grade or version").tap()
    expect(phone.get_by_role("button", name="Save")).to_be_visible()
    fits(phone)


def test_a_frame_that_may_open_no_window_gets_a_link_instead(browser: Browser, demo: Demo) -> None:
    with at_course(browser, demo, "Amal Demo-Teacher") as page:
        page.context.add_init_script(NO_WINDOWS)
        page.get_by_role("link", name=IDEAS).first.click()
        frame = page.frame_locator("iframe#tool")
        frame.get_by_role("button", name="Open in a new tab").click(timeout=SLOW)
        link = frame.locator("a[target=_blank]").first
        expect(link).to_be_visible()
        with page.context.expect_page() as opened:
            link.click()
        expect(opened.value.get_by_role("heading", name=IDEAS)).to_be_visible(timeout=SLOW)
