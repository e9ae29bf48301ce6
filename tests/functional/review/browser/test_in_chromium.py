"""The reviewer's desk in a real browser: keys, saving by itself, a lost connection."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import looking
from tests.functional.review.browser.conftest import sign_in
from tests.functional.review.world import World


@pytest.fixture
def desk(page: Page, served: str, world: World) -> Page:
    """A try on Robin Reviewer's desk, at its first part."""
    public_id = world.submitted()
    sign_in(page, served, world, world.reviewer)
    page.goto(f"{served}/desk/review/{public_id}")
    page.get_by_role("button", name="Start reading").click()
    expect(page.get_by_role("heading", name="Your rating")).to_be_visible()
    page.wait_for_load_state("domcontentloaded")  # a heading is seen before the script that hears the keys
    return page


def test_a_whole_part_is_rated_by_keys_alone_and_saves_itself(desk: Page) -> None:
    count, saved = desk.locator("#review-count"), desk.locator("#review-saved")
    desk.keyboard.press("2")
    expect(count).to_have_text("1 of 5 rated")
    expect(saved).to_contain_text("Saved")
    desk.keyboard.press("c")
    desk.keyboard.type("Say which of the 4 stages you led.")
    desk.keyboard.press("Escape")
    desk.keyboard.press("j")
    desk.keyboard.press("4")
    expect(count).to_have_text("2 of 5 rated")
    desk.keyboard.press("j")
    desk.wait_for_url("**part=p2")
    desk.keyboard.press("k")
    desk.wait_for_url("**part=p1")
    expect(desk.get_by_label("Comment to the teacher").first).to_have_value(
        "Say which of the 4 stages you led."
    )
    expect(desk.locator(".level.on .name")).to_have_text(["Revisions needed", "Strong"])


def test_single_keys_can_be_turned_off_and_stay_off(desk: Page) -> None:
    desk.keyboard.press("?")
    desk.get_by_label("Turn single keys off").check()
    desk.reload()
    expect(desk.get_by_label("Turn single keys off")).to_be_checked()
    desk.keyboard.press("4")
    desk.wait_for_timeout(300)
    expect(desk.locator("#review-count")).to_have_text("0 of 5 rated")


@pytest.mark.long
def test_a_lost_connection_is_said_and_nothing_is_lost(desk: Page) -> None:
    def lost(route: Route) -> None:
        route.abort("internetdisconnected")

    desk.route("**/ratings", lost)
    desk.get_by_label("Comment to the teacher").first.fill("Written on the train.")
    desk.keyboard.press("Tab")
    expect(desk.locator("#review-saved")).to_contain_text("Not saved yet. Keep going, it is tried again.")
    desk.unroute("**/ratings")
    desk.evaluate("dispatchEvent(new Event('online'))")
    expect(desk.locator("#review-saved")).to_contain_text("Saved")
    desk.reload()
    expect(desk.get_by_label("Comment to the teacher").first).to_have_value("Written on the train.")


def check(page: Page, origin: str, *paths: str | None) -> None:
    """No axe-core violation, no small target and no sideways scrolling, whatever is folded opened."""
    for path in paths:
        page.goto(f"{origin}{path}")
        looking.open_folds(page)
        for width in (1100, 320):
            assert looking.size_faults(page, width) + looking.problems(page) == [], f"{path} at {width}"
