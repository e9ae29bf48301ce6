"""The same story where the LMS behaves like Canvas, Moodle or Schoology: each ends with the right columns and
values in that LMS's own gradebook.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.demo import Demo, running_demo
from tests.support.story import (
    SLOW,
    Files,
    add_to_course,
    at_course,
    at_desk,
    award,
    cells_of,
    fill_all,
    gradebook,
    open_link,
    rate_all,
    start_review,
    submit,
)

pytestmark = pytest.mark.long

TOOLS = "Choosing Digital Tools That Protect Students"
FEEDBACK = "Feedback That Moves Learning Forward"
TERRY, AMAL, DANA = "Terry Demo-Teacher", "Amal Demo-Teacher", "Dana Demo-Coordinator"
AGAIN = {"canvas": "needs review", "moodle": "none", "schoology": "none"}
"""What a gradebook shows while revisions are asked for: of the three, only Canvas is told of a hand-in."""


@pytest.fixture(scope="module", params=["canvas", "moodle", "schoology"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A running demo whose LMS behaves like one of the three."""
    with running_demo(tmp_path_factory.mktemp(request.param), request.param) as running:
        yield running


def lms_of(demo: Demo) -> str:
    return str(demo.facts["lms"]["dialect"])


def desk(demo: Demo, name: str) -> str:
    """A fresh one-time link of somebody at the desk."""
    person = next(p for p in demo.command("person", "list") if p["name"] == name)
    return str(demo.command("person", "link", f"person:{person['person_id']}")["url"])


def recommend(browser: Browser, demo: Demo, title: str) -> None:
    with at_desk(browser, desk(demo, "Remy Demo-Reviewer")) as page:
        start_review(page, title)
        rate_all(page, {})
        page.get_by_role("button", name=re.compile("^Finish and recommend")).click()
        expect(page.locator("main")).to_contain_text(re.compile("approver", re.I))


def test_one_column_through_revisions_to_the_full_grade(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    """No score while revisions are open; 100 and the comment once it is earned; the coordinator sees both."""
    lms = lms_of(demo)
    with at_course(browser, demo, DANA) as page:
        add_to_course(page, TOOLS, "100 points when earned", lms)
    files = Files(tmp_path)
    with at_course(browser, demo, TERRY) as page:
        frame = open_link(page, TOOLS)
        fill_all(frame, files)
        submit(frame)
    with at_desk(browser, desk(demo, "Remy Demo-Reviewer")) as page:
        start_review(page, TOOLS)
        rate_all(page, {"A lasting practice": "1"}, "Say what you would change, and why.")
        page.get_by_role("button", name="Finish and ask for revisions").click()
        expect(page.locator("main")).to_contain_text(re.compile("revisions", re.I))
    with at_course(browser, demo, DANA) as page:
        assert [re.sub(r"\s+", " ", head) for head in gradebook(page)] == [f"{TOOLS} / of 100"]
        assert not re.search(r"\d", cells_of(page, TERRY, AGAIN[lms])[0])
    with at_course(browser, demo, TERRY) as page:
        frame = open_link(page, TOOLS)
        frame.locator(".partlist a").nth(3).click()
        frame.locator("textarea.answer").fill("From January on I try every new tool as a student first.")
        expect(frame.locator("[data-saved]").first).to_contain_text("Saved", timeout=SLOW)
        frame.locator(".bar-home").click()
        submit(frame)
    recommend(browser, demo, TOOLS)
    award(browser, desk(demo, "Avery Demo-Approver"), TERRY)
    with at_course(browser, demo, DANA) as page:
        gradebook(page)
        (cell,) = cells_of(page, TERRY, r"\b100\b")
        assert "Earned" in cell
        page.get_by_role("link", name="Modules").click()
        frame = open_link(page, TOOLS)
        frame.get_by_role("link", name="Course").click()
        expect(frame.get_by_role("row", name=re.compile(TERRY))).to_contain_text("Earned")


def test_a_column_for_each_part(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    """The first comes with the link, the others with the first grade; each part that passed is 1 of 1."""
    lms = lms_of(demo)
    with at_course(browser, demo, DANA) as page:
        add_to_course(page, FEEDBACK, "One column for each part", lms)
    with at_course(browser, demo, AMAL) as page:
        frame = open_link(page, FEEDBACK)
        fill_all(frame, Files(tmp_path))
        submit(frame)
    recommend(browser, demo, FEEDBACK)
    award(browser, desk(demo, "Avery Demo-Approver"), AMAL)
    with at_course(browser, demo, DANA) as page:
        gradebook(page)
        cells_of(page, AMAL, r"\b1\b")
        page.wait_for_timeout(3000)
        page.reload()
        heads = [head for head in gradebook(page) if not head.startswith(TOOLS)]
        assert len(heads) == 4
        assert all(head.endswith("of 1") for head in heads)
        scored = [cell for cell in cells_of(page, AMAL, r"\b1\b") if re.search(r"\b1\b", cell)]
        assert len(scored) == 4
