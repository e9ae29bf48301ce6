"""A browser that keeps no cookie for the tool at all, in an LMS with platform storage: everything works
from the memory of one page.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.support import chromium, programs
from tests.support.demo import Demo, running_demo
from tests.support.story import COURSE, SLOW, WORDS, Files

IDEAS = "Helping Students Generate and Shape Ideas"
NO_COOKIES_FOR_THE_TOOL = {
    "profile": {
        "cookie_controls_mode": 0,
        "content_settings": {"exceptions": {"cookies": {"127.0.0.1,*": {"setting": 2}}}},
    }
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A running demo for the module."""
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture
def person(playwright_driver: Playwright, tmp_path: Path) -> Iterator[BrowserContext]:
    """One person's browser, without cookies for the tool."""
    preferences = tmp_path / "profile" / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text(json.dumps(NO_COOKIES_FOR_THE_TOOL))
    context = playwright_driver.chromium.launch_persistent_context(
        tmp_path / "profile",
        executable_path=programs.chromium(),
        args=chromium.ARGUMENTS,
        viewport={"width": 1100, "height": 1400},
        locale="en-US",
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    context.set_default_timeout(chromium.TIMEOUT_MS)
    yield context
    context.close()


def at_course(context: BrowserContext, demo: Demo, name: str) -> Page:
    context.clear_cookies()
    page = context.new_page()
    page.goto(demo.lms_url)
    page.locator("section", has_text=COURSE).get_by_role("button", name=name, exact=True).first.click()
    expect(page.get_by_role("heading", name=COURSE)).to_be_visible()
    return page


@pytest.mark.long
def test_a_credential_is_placed_written_and_submitted_without_any_cookie(
    demo: Demo, person: BrowserContext, tmp_path: Path
) -> None:
    files = Files(tmp_path)
    page = at_course(person, demo, "Dana Demo-Coordinator")
    person.request.post(f"{demo.lms_url}/settings", form={"do": "login", "storage": "on", "method": "POST"})
    tool = page.frame_locator("iframe#tool").frame_locator("iframe.memory-page")
    page.get_by_role("button", name="Add content").click()
    tool.get_by_role("radio", name=IDEAS).check(timeout=SLOW)
    tool.get_by_role("radio", name="100 points when earned").check()
    expect(tool.locator("#preview table")).to_be_visible()
    tool.get_by_role("button", name="Add to course").click()
    expect(page.get_by_role("link", name=IDEAS)).to_be_visible(timeout=SLOW)

    page = at_course(person, demo, "Terry Demo-Teacher")
    page.get_by_role("link", name=IDEAS).first.click()
    tool = page.frame_locator("iframe#tool").frame_locator("iframe.memory-page")
    expect(tool.get_by_role("heading", name=IDEAS)).to_be_visible(timeout=SLOW)
    assert person.cookies(demo.tool_url) == []

    for part in range(tool.locator(".partlist a").count()):
        tool.locator(".partlist a").nth(part).click()
        expect(tool.locator("#part")).to_be_visible(timeout=SLOW)
        for answer in tool.locator("textarea.answer:not([readonly])").all():
            answer.fill(WORDS)
            box = answer.locator("xpath=ancestor::*[contains(@class, 'box')]")
            expect(box.locator("[data-saved]")).to_contain_text("Saved", timeout=SLOW)
        confirm = tool.get_by_role("button", name="It is on file at school")
        while left := confirm.count():
            confirm.first.click()
            expect(confirm).to_have_count(left - 1, timeout=SLOW)
        for need in [need.get_attribute("id") for need in tool.locator("section.need").all()]:
            section = tool.locator(f"section#{need}")
            count = section.locator(".tag.count")
            has, of = (int(n) for n in re.findall(r"\d+", count.inner_text())[:2])
            for number in range(has, of):
                section.get_by_text("Add a file or photo").click()
                takes = section.locator("[id^=fh-]").inner_text()
                section.get_by_label("File", exact=True).set_input_files(files.for_words(takes))
                section.get_by_label("What it shows").first.fill(f"Piece {number + 1}, cropped")
                section.get_by_role("button", name="Add this file").click()
                expect(count).to_contain_text(f"{number + 1} of", timeout=SLOW)
        for picture in tool.locator("img.thumb").all():
            picture.scroll_into_view_if_needed()  # what is out of sight is not loaded
            expect(picture).to_have_js_property("naturalWidth", 640, timeout=SLOW)
        tool.locator(".bar-home").click()
        expect(tool.locator(".partlist")).to_be_visible(timeout=SLOW)

    tool.get_by_role("link", name=re.compile("Check and submit")).first.click()
    expect(tool.get_by_role("button", name="Submit for review")).to_be_enabled(timeout=SLOW)
    page.evaluate("history.back()")
    expect(tool.locator(".partlist")).to_be_visible(timeout=SLOW)
    page.evaluate("history.forward()")
    expect(tool.get_by_role("button", name="Submit for review")).to_be_enabled(timeout=SLOW)
    with person.expect_page() as opened:
        tool.get_by_role("button", name="Open in a new tab").click()
    tab = opened.value.frame_locator("iframe.memory-page")
    expect(tab.get_by_role("button", name="Submit for review")).to_be_enabled(timeout=SLOW)
    for box in tab.locator("input[name=confirm]").all():
        box.check()
    tab.get_by_role("button", name="Submit for review").click()
    expect(tab.get_by_role("button", name="Submit for review")).to_have_count(0, timeout=SLOW)
    expect(tab.locator("main")).to_contain_text("Submitted", timeout=SLOW)
    assert opened.value.url == f"{demo.tool_url}/memory"

    tool.locator(".bar-home").click()
    expect(tool.locator("main")).to_contain_text("Submitted", timeout=SLOW)
    assert person.cookies(demo.tool_url) == []
