"""The LMS's pages and messages in Chromium with third-party cookies blocked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from demo_lms import Server

AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
COURSE = "active-classrooms"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def be(page: Page, lms: Server, name: str) -> None:
    """Choose who to be, and be in the first course."""
    page.goto(lms.url)
    section = page.get_by_role("heading", name="Active Classrooms, Fall cohort").locator("..")
    section.get_by_role("button", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Active Classrooms, Fall cohort")


def add_graded_link(lms: Server) -> str:
    platform = lms.platform
    link = platform.add_link(COURSE, "Idea Shaper", score_maximum=100, text="Show student ideas.")
    (item,) = platform.line_items_of(link.id)
    platform.override_grade(item.id, "terry", 85, "Clear evidence of student ideas.")
    return link.id


@pytest.mark.long
def test_a_launch_runs_in_the_frame_and_the_frame_grows(page: Page, lms: Server) -> None:
    add_graded_link(lms)
    be(page, lms, "Terry Demo-Teacher")
    page.get_by_role("main").get_by_role("link", name="Idea Shaper").click()
    frame = page.frame_locator("#tool")
    expect(frame.get_by_role("heading")).to_have_text("Hello terry")
    expect(page.locator("#tool")).to_have_css("height", "1234px")
    expect(frame.locator("#said")).to_contain_text('"code":"unsupported_subject"')
    assert "lti.put_data" not in (frame.locator("#said").text_content() or "")
    frame.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Active Classrooms, Fall cohort")


@pytest.mark.long
def test_what_a_tool_stores_at_login_is_there_at_launch(page: Page, lms: Server) -> None:
    lms.platform.platform_storage = True
    add_graded_link(lms)
    be(page, lms, "Terry Demo-Teacher")
    page.get_by_role("main").get_by_role("link", name="Idea Shaper").click()
    said = page.frame_locator("#tool").locator("#said")
    expect(said).to_contain_text('"key":"lti_state_s","value":"kept"')
    expect(said).to_contain_text('{"subject":"lti.put_data","frame":"_parent"}')
    expect(said).to_contain_text('"code":"bad_request"')


@pytest.mark.long
def test_other_origins_reach_no_storage(page: Page, lms: Server) -> None:
    lms.platform.platform_storage = True
    add_graded_link(lms)
    be(page, lms, "Terry Demo-Teacher")
    page.get_by_role("main").get_by_role("link", name="Idea Shaper").click()
    expect(page.frame_locator("#tool").get_by_role("heading")).to_have_text("Hello terry")
    answer = page.evaluate(
        """() => new Promise((done) => {
          addEventListener("message", (event) => {
            if (event.data.subject === "lti.get_data.response") done(event.data);
          });
          postMessage({subject: "lti.get_data", message_id: "m", key: "lti_state_s"}, "*");
        })"""
    )
    assert answer["error"]["code"] == "wrong_origin"
    assert "value" not in answer


@pytest.mark.long
def test_a_new_tab_launches_too(page: Page, lms: Server) -> None:
    add_graded_link(lms)
    be(page, lms, "Terry Demo-Teacher")
    page.get_by_role("main").get_by_role("link", name="Idea Shaper").click()
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Open in a new tab").click()
    expect(popup.value.get_by_role("heading")).to_have_text("Hello terry")


@pytest.mark.long
def test_a_coordinator_adds_content_and_lands_in_the_course(page: Page, lms: Server) -> None:
    be(page, lms, "Dana Demo-Coordinator")
    page.get_by_role("button", name="Add content").click()
    page.frame_locator("#tool").get_by_role("button", name="Add it").click()
    expect(page.get_by_role("status")).to_have_text("1 item added to the course.")
    expect(page.get_by_role("main").get_by_role("link", name="Idea Shaper")).to_be_visible()
    assert page.url == f"{lms.url}/courses/{COURSE}"


@pytest.mark.long
def test_a_grader_opens_a_persons_work_from_the_gradebook(page: Page, lms: Server) -> None:
    add_graded_link(lms)
    be(page, lms, "Dana Demo-Coordinator")
    page.get_by_role("link", name="Grades").click()
    page.get_by_role("link", name="85 / 100 for Terry Demo-Teacher").click()
    page.get_by_role("link", name="Open this person's work").click()
    expect(page.frame_locator("#tool").get_by_role("heading")).to_have_text("Hello dana")


@pytest.mark.long
@pytest.mark.parametrize("width", [1100, 320])
def test_pages_are_accessible_and_fit(page: Page, lms: Server, width: int, images_folder: Path) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    link_id = add_graded_link(lms)
    (item,) = lms.platform.line_items_of(link_id)
    check(page, lms.url, images_folder / f"lms-chooser-{width}.png")
    be(page, lms, "Dana Demo-Coordinator")
    course = f"{lms.url}/courses/{COURSE}"
    paths = {
        "home": lms.url,
        "course": course,
        "launch": f"{course}/links/{link_id}",
        "grades": f"{course}/grades",
        "cell": f"{course}/grades/{item.id}/terry",
        "column": f"{course}/grades/{item.id}",
        "people": f"{course}/people",
        "return": f"{course}/return?lti_msg=Saved.&lti_errormsg=Not+saved.",
        "settings": f"{lms.url}/settings",
        "missing": f"{lms.url}/nowhere",
    }
    for name, url in paths.items():
        check(page, url, images_folder / f"lms-{name}-{width}.png")


def check(page: Page, url: str, picture: Path) -> None:
    page.goto(url)
    page.screenshot(path=picture, full_page=True)
    page.evaluate(AXE.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "async (runOnly) => (await axe.run({exclude: ['#tool']}, {runOnly, iframes: false})).violations",
        RULES,
    )
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == [], url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), url
