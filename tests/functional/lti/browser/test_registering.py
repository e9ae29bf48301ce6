"""Dynamic registration from an LMS's settings page, in real Chromium."""

import pytest
from playwright.sync_api import Page, expect

from tests.functional.lti.browser.test_binding import Here, here
from tests.support.registering import Lms, stored

__all__ = ["here"]


@pytest.fixture
def lms(here: Here) -> Lms:
    """The LMS under its own address."""
    here.platform.issuer = here.lms_url
    return Lms(here.world, here.platform, here.world.sites["local"].server)


def _start(here: Here, lms: Lms, page: Page) -> None:
    url = f"{here.world.tool.settings.register_url}?invitation={lms.invite()}"
    here.enter(page)
    page.goto(f"{here.lms_url}/settings")
    form = page.locator("form[action$='/settings/register']")
    form.locator("input[name=url]").fill(url)
    form.locator("button").click()
    expect(page.frame_locator("iframe#tool").locator("h1")).to_have_text(
        "Your LMS is registered and waits for approval"
    )


@pytest.mark.long
def test_the_page_says_what_came_of_it_and_closes_itself(here: Here, lms: Lms, page: Page) -> None:
    _start(here, lms, page)
    frame = page.frame_locator("iframe#tool")
    row = stored(here.world)[-1]
    assert row.state == "pending"
    expect(frame.locator("code")).to_have_text(row.public_id)

    page.wait_for_url("**/settings", timeout=15_000)


@pytest.mark.long
def test_the_page_stays_open_for_whoever_reads_it(here: Here, lms: Lms, page: Page) -> None:
    _start(here, lms, page)
    frame = page.frame_locator("iframe#tool")

    frame.get_by_role("button", name="Keep this page open").click()
    page.wait_for_timeout(6_000)
    expect(frame.locator("h1")).to_be_visible()
    frame.get_by_role("button", name="Close").click()
    page.wait_for_url("**/settings", timeout=5_000)
