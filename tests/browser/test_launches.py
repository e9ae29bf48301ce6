"""Several launches in one browser: two in one tab with Back and reload, two people in two tabs."""

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from tests.support import chromium
from tests.support.demo import Demo
from tests.support.story import COURSE, SLOW, add_to_course, at_course, open_link, tool

FIRST = "Leading Academic Discussion with the Whole Class"
SECOND = "Leading a Peer Observation Cycle"


def add(browser: Browser, demo: Demo, title: str) -> None:
    """The coordinator puts a micro-credential into the course."""
    with at_course(browser, demo, "Dana Demo-Coordinator") as page:
        add_to_course(page, title, "100 points when earned")


@pytest.fixture(scope="module", autouse=True)
def first_link(browser: Browser, demo: Demo) -> None:
    """One micro-credential in the course."""
    add(browser, demo, FIRST)


@pytest.fixture(scope="module")
def second_link(browser: Browser, demo: Demo) -> None:
    """Another beside it."""
    add(browser, demo, SECOND)


def enter(context: BrowserContext, demo: Demo, name: str) -> Page:
    """Sign in to the LMS as somebody, in a new tab; whoever was signed in there is signed out."""
    for cookie in context.cookies(demo.lms_url):
        context.clear_cookies(name=cookie["name"], domain=cookie["domain"])
    page = context.new_page()
    page.goto(demo.lms_url)
    page.locator("section", has_text=COURSE).get_by_role("button", name=name, exact=True).first.click()
    expect(page.get_by_role("heading", name=COURSE)).to_be_visible()
    return page


def write(frame: FrameLocator, text: str) -> None:
    """Open the first part and write; the page says that it is kept."""
    frame.locator(".partlist a").first.click()
    box = frame.locator("textarea.answer").first
    box.fill(text)
    expect(frame.locator("[data-saved]").first).to_contain_text("Saved", timeout=SLOW)


@pytest.mark.long
@pytest.mark.usefixtures("second_link")
def test_two_launches_in_one_tab_with_back_and_reload(browser: Browser, demo: Demo) -> None:
    with at_course(browser, demo, "Terry Demo-Teacher") as page:
        course = page.url
        expect(open_link(page, FIRST).get_by_role("heading", name=FIRST)).to_be_visible(timeout=SLOW)
        page.goto(course)
        expect(open_link(page, SECOND).get_by_role("heading", name=SECOND)).to_be_visible(timeout=SLOW)

        page.reload()
        expect(tool(page).get_by_role("heading", name=SECOND)).to_be_visible(timeout=SLOW)
        tool(page).locator(".partlist a").first.click()
        expect(tool(page).locator("textarea.answer").first).to_be_visible(timeout=SLOW)
        page.evaluate("history.back()")
        expect(tool(page).get_by_role("heading", name=SECOND)).to_be_visible(timeout=SLOW)
        page.goto(course)
        expect(open_link(page, FIRST).get_by_role("heading", name=FIRST)).to_be_visible(timeout=SLOW)


@pytest.mark.case(
    "ST-13",
    choice="stored as the first person's by address and cookie of the launch; session_changed is never sent",
)
def test_what_one_person_writes_is_never_stored_as_anothers(browser: Browser, demo: Demo) -> None:
    with chromium.person(browser) as context:
        first = enter(context, demo, "Terry Demo-Teacher")
        hers = open_link(first, FIRST)
        hers.locator(".partlist a").first.click()
        expect(hers.locator("textarea.answer").first).to_be_visible(timeout=SLOW)
        second = enter(context, demo, "Amal Demo-Teacher")
        his = open_link(second, FIRST)
        write(his, "Written by the second person.")

        box = hers.locator("textarea.answer").first
        box.fill("Written by the first person.")
        expect(hers.locator("[data-saved]").first).to_contain_text("Saved", timeout=SLOW)

        for frame, words in ((hers, "Written by the first person."), (his, "Written by the second person.")):
            frame.locator(".bar-home").click()
            frame.locator(".partlist a").first.click()
            expect(frame.locator("textarea.answer").first).to_have_value(words, timeout=SLOW)
