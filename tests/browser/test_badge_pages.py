"""The badge page and the public page in Chromium: what the holder chooses is what others see."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser import looking
from tests.browser.test_teacher_pages import Site, site, visitor
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
    assert looking.size_faults(page, 320) + looking.problems(page) == []
