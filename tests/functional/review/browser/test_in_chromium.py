"""The reviewer's desk in a real browser: keys, saving by itself, a lost connection; accessible pages."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from microcred.app.wiring import Assembly
from tests.functional.review.browser.conftest import sign_in
from tests.functional.review.world import PASSING, World

AXE = Path(__file__).resolve().parents[4] / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1100, 720, 320)
JUDGED = (1100, 320)
"""Widths at which axe-core looks; between them the layout is one of these two."""


@pytest.fixture
def desk(page: Page, served: str, world: World) -> Page:
    """A try on Robin Reviewer's desk, at its first part."""
    public_id = world.submitted()
    sign_in(page, served, world, world.reviewer)
    page.goto(f"{served}/desk/review/{public_id}")
    page.get_by_role("button", name="Start reading").click()
    expect(page.get_by_role("heading", name="Your rating")).to_be_visible()
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
    desk.keyboard.press("4")
    desk.wait_for_timeout(300)
    expect(desk.locator("#review-count")).to_have_text("0 of 5 rated")


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


@pytest.mark.long
def test_every_page_is_accessible_at_every_width(
    page: Page, served: str, world: World, assembly: Assembly
) -> None:
    waiting, read, recommended = (
        world.submitted(),
        world.submitted(world.stranger),
        world.submitted(world.approver),
    )
    world.start(read)
    world.start(recommended)
    world.rate(recommended, PASSING)
    world.finish(recommended, "award")
    sign_in(page, served, world, world.reviewer)
    page.goto(f"{served}/desk/review/{read}?part=p2")
    pieces = [link.get_attribute("href") for link in page.locator("a.piece").all()[1:3]]
    check(
        page,
        served,
        "/desk/",
        "/desk/review/",
        f"/desk/review/{waiting}",
        f"/desk/review/{recommended}",
        *pieces,
    )
    check(page, served, *(f"/desk/review/{read}?part={part}" for part in ("p1", "p2", "p3")))

    awarded = world.recommended_by_now(read)
    sign_in(page, served, world, world.approver)
    check(page, served, "/desk/approve/", f"/desk/approve/{awarded}")
    decided = world.decide(awarded, "award")
    assembly.make_worker().run_due()
    check(page, served, f"/desk/approve/{awarded}", f"/badges/{decided.award_public_id}", "/badges/nothing")


def check(page: Page, origin: str, *paths: str | None) -> None:
    """No axe-core violation and no sideways scrolling on any of the pages, whatever is folded opened."""
    for path in paths:
        page.goto(f"{origin}{path}")
        page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
        page.evaluate(AXE.read_text())
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
                f"{path} scrolls at {width}"
            )
            if width not in JUDGED:
                continue
            found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
            said = [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
            assert said == [], f"{path} at {width}"
