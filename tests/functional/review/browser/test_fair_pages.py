"""Practice, appeals, awards, quality and requests in a real browser: accessible, and narrow enough."""

from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from microcred.credentials.review_models import CalibrationRound
from microcred.operations import flagging
from tests.functional.review.browser.conftest import sign_in
from tests.functional.review.browser.test_in_chromium import check
from tests.functional.review.test_appeals import appeal
from tests.functional.review.test_practice import anchored, practise
from tests.functional.review.test_quality import read_twice
from tests.functional.review.world import PASSING, REVISIONS, World


def picture(page: Page, folder: Path, name: str, address: str) -> None:
    """A picture of a page with everything unfolded, wide and narrow."""
    for width in (1100, 320):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)


@pytest.mark.long
def test_the_issuers_pages_are_accessible_at_every_width(
    page: Page, served: str, world: World, images_folder: Path
) -> None:
    unseen = world.join("Ariel Approver", "approver")
    read_twice(world, 20)
    third = world.join("Reese Reviewer", "reviewer")
    flagged = world.submitted(world.stranger)
    world.start(flagged)
    with world.database.writing() as session:
        actor = world.actor(world.reviewer)
        flagging.raise_flag(session, actor, flagged, "copying", "Part 1 is known.", world.clock.now())
    world.recommended_by_now(flagged)
    decided = world.submitted(third)
    world.start(decided)
    world.recommended_by_now(decided)
    world.decide(decided, "award")
    denied = world.recommended()
    world.decide(denied, "deny", "The second student is missing.")
    appeal(world)
    sign_in(page, served, world, unseen)
    paths = {
        "approve-list": "/desk/approve/",
        "approve-flagged": f"/desk/approve/{flagged}",
        "approve-awarded": f"/desk/approve/{decided}",
        "approve-quality": "/desk/approve/quality",
        "approve-pools": "/desk/approve/pools",
        "approve-awards": "/desk/approve/awards",
        "approve-requests": "/desk/approve/requests",
        "approve-appeals": "/desk/approve/appeals",
        "approve-appeal": f"/desk/approve/appeals/{denied}",
    }
    for name, path in paths.items():
        picture(page, images_folder, name, served + path)
    check(page, served, *paths.values())


@pytest.mark.long
def test_the_practice_pages_are_accessible_at_every_width(
    page: Page, served: str, world: World, images_folder: Path
) -> None:
    anchored(world)
    finished = practise(world, wrong=4)
    practise(world, wrong=0)
    public_id = world.submitted()
    world.start(public_id)
    world.rate(public_id, REVISIONS | {"p1-c1": PASSING["p1-c1"]}, "Count the notes before and after.")
    sign_in(page, served, world, world.reviewer)
    page.goto(f"{served}/desk/review/practice")
    page.get_by_role("button", name="Practise again").click()
    page.wait_for_url("**/practice/rounds/*")
    with world.database.reading() as session:
        under_way = session.scalars(
            select(CalibrationRound.public_id).where(CalibrationRound.finished_at.is_(None))
        ).one()
    page.goto(f"{served}/desk/review/{public_id}?part=p1")
    page.locator("summary", has_text="Your comments for this point").first.click()
    page.get_by_role("button", name="Keep this comment for later").first.click()
    page.wait_for_url("**part=p1**")
    paths = {
        "review-practice": "/desk/review/practice",
        "review-practice-sheet": f"/desk/review/practice/rounds/{under_way}",
        "review-practice-result": f"/desk/review/practice/rounds/{finished}/result",
        "review-desk-tools": f"/desk/review/{public_id}?part=p1",
    }
    for name, path in paths.items():
        picture(page, images_folder, name, served + path)
    check(page, served, *paths.values())
