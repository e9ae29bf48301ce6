"""The review desk in Chromium: what a reviewer does faster than the wifi carries it is saved all the same."""

from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.test_recordings import reviewing
from tests.browser.test_teacher_pages import Site, site
from tests.functional.web.work import complete, submit

__all__ = ["site"]
COMMENT = "Say when you will change what."


def begun(site: Site, context: BrowserContext) -> Page:
    """A demo reviewer who has just started a try; each save takes the better part of a second."""
    course, visitor = site.course, site.course.visitor()
    visitor.get()
    complete(visitor, course)
    submit(visitor)
    page = reviewing(site, context)
    page.goto(f"{site.origin}/desk/review/{course.attempt(visitor.person_id).public_id}")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("[data-review-desk]")).to_be_visible()
    return page


def slow_saves(page: Page) -> None:
    """Let each save wait before it leaves, as on a school's wifi."""

    def later(route: Route) -> None:
        page.wait_for_timeout(700)
        route.continue_()

    page.route("**/ratings", later)


def test_saved_is_said_only_when_all_is_saved_and_the_next_page_knows_it(
    site: Site, browser_context: BrowserContext
) -> None:
    page = begun(site, browser_context)
    slow_saves(page)
    criterion = page.locator("fieldset.crit").first
    criterion.locator("input[type=radio]").first.focus()
    page.keyboard.press("1")
    criterion.locator("textarea").fill(COMMENT)
    criterion.locator("textarea").blur()
    page.wait_for_timeout(900)
    expect(page.locator("#review-saved")).to_contain_text("Saving")
    page.locator(".steps a").nth(1).click()
    page.wait_for_url("**part=p2**")
    page.locator(".steps a").first.click()
    page.wait_for_url("**part=p1**")
    first = page.locator("fieldset.crit").first
    expect(first.locator("input[data-key='1']")).to_be_checked()
    expect(first.locator("textarea")).to_have_value(COMMENT)


def test_a_save_that_fails_keeps_the_page_and_goes_when_the_connection_is_back(
    site: Site, browser_context: BrowserContext
) -> None:
    page = begun(site, browser_context)
    here = page.url
    page.route("**/ratings", lambda route: route.abort())
    page.locator("fieldset.crit input[type=radio]").first.focus()
    page.keyboard.press("2")
    expect(page.locator("#review-saved")).to_contain_text("Not saved yet")
    page.locator(".steps a").nth(1).click()
    page.wait_for_timeout(300)
    assert page.url == here
    page.unroute("**/ratings")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#review-saved")).to_contain_text("Saved")
    page.locator(".steps a").nth(1).click()
    page.wait_for_url("**part=p2**")
