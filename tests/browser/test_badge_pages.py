"""The badge page, the record and the public page in Chromium: for every width and for everybody."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.test_teacher_pages import (
    WIDTHS,
    Site,
    check,
    problems,
    site,
    visitor,
)
from tests.functional.web.course import Visitor
from tests.functional.web.work import complete, submit

__all__ = ["site", "visitor"]

RATINGS = {"p1-c1": "strong", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "passing", "p4-c1": "passing"}


def test_the_page_shows_by_itself_that_the_badge_is_signed(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    complete(visitor, site.course)
    submit(visitor)
    site.course.judge(visitor.person_id, RATINGS)
    page = browser_context.new_page()
    page.goto(site.enter(browser_context, visitor) + "badge")
    expect(page.get_by_text("Badge is being signed")).to_be_visible()
    link = page.get_by_role("link", name="Download the picture")
    expect(link).to_have_count(0)
    site.course.assembly.make_worker().run_due()
    expect(page.get_by_text("Badge is signed")).to_be_visible(timeout=10_000)
    expect(link).to_be_visible()
    expect(page.locator("#badge-results[hx-trigger]")).to_have_count(0)


@pytest.mark.long
def test_the_holder_decides_what_the_public_page_shows(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    complete(visitor, site.course)
    submit(visitor)
    site.course.judge(visitor.person_id, RATINGS)
    work = site.course.assembly.make_worker()
    work.run_due()
    for path in ("badge", "record"):
        check(site, visitor, browser_context, path)

    page = browser_context.new_page()
    page.goto(site.enter(browser_context, visitor) + "badge")
    page.get_by_role("switch", name="My name on the public page").check()
    page.get_by_role("radio", name="What you did").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="signed anew")).to_be_visible()
    expect(page.get_by_role("switch", name="My name on the public page")).to_be_checked()
    work.run_due()
    address = page.locator("a", has_text="/badges/").first.get_attribute("href")
    assert address
    page.goto(address)
    expect(page.locator("#shared")).to_contain_text("We listed ideas alone first.")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        assert problems(page) == [], width
