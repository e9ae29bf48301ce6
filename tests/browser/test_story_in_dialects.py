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
    comment_for,
    fill_all,
    finish,
    open_link,
    rate_all,
    recommend,
    start_review,
    submit,
    wait_for_grades,
)

pytestmark = pytest.mark.long

TOOLS = "Choosing Digital Tools That Protect Students"
FEEDBACK = "Feedback That Moves Learning Forward"
TERRY, AMAL, DANA = "Terry Demo-Teacher", "Amal Demo-Teacher", "Dana Demo-Coordinator"
WHILE_OPEN = {"canvas": "Submitted", "moodle": "none", "schoology": "none"}
"""What a gradebook shows while revisions are asked for: of the three, only Canvas is told of a hand-in."""
PARTS = [
    f"Feedback in Action, Part {number}: {title}"
    for number, title in enumerate(
        ("Context and plan", "Evidence of use", "Student reflections", "Teacher reflection"), 1
    )
]
FIRST = {"canvas": FEEDBACK, "moodle": FEEDBACK, "schoology": PARTS[0]}
"""What the column that came with the link is called: Canvas and Moodle have one name for both."""


@pytest.fixture(scope="module", params=["canvas", "moodle", "schoology"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A running demo whose LMS behaves like one of the three."""
    with running_demo(tmp_path_factory.mktemp(request.param), request.param) as running:
        yield running


def lms_of(demo: Demo) -> str:
    return str(demo.facts["lms"]["dialect"])


def test_one_column_through_revisions_to_the_full_grade(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    """No score while revisions are open; 100 and the comment once it is earned; the coordinator sees both."""
    lms, column = lms_of(demo), f"{TOOLS} / of 100"
    with at_course(browser, demo, DANA) as page:
        add_to_course(page, TOOLS, "100 points when earned", lms, [TOOLS])
    files = Files(tmp_path)
    with at_course(browser, demo, TERRY) as page:
        frame = open_link(page, TOOLS)
        fill_all(frame, files)
        submit(frame)
    with at_desk(browser, demo.desk("reviewer")) as page:
        start_review(page, TOOLS)
        rate_all(page, {"A lasting practice": "1"}, "Say what you would change, and why.")
        finish(page, "Finish and ask for revisions")
    with at_course(browser, demo, DANA) as page:
        assert wait_for_grades(page, TERRY, {column: WHILE_OPEN[lms]}) == [column]
    with at_course(browser, demo, TERRY) as page:
        frame = open_link(page, TOOLS)
        frame.locator(".partlist a").nth(3).click()
        frame.locator("textarea.answer").fill("From January on I try every new tool as a student first.")
        expect(frame.locator("[data-saved]").first).to_contain_text("Saved", timeout=SLOW)
        frame.locator(".bar-home").click()
        submit(frame)
    recommend(browser, demo.desk("reviewer", 1), TOOLS)
    award(browser, demo.desk("approver"), TERRY)
    with at_course(browser, demo, DANA) as page:
        assert wait_for_grades(page, TERRY, {column: "100 / 100"}) == [column]
        assert "Earned" in comment_for(page, TERRY, column)
        page.get_by_role("link", name="Modules").click()
        frame = open_link(page, TOOLS)
        frame.get_by_role("link", name="Course").click()
        expect(frame.get_by_role("row", name=re.compile(TERRY))).to_contain_text("Earned")


def test_a_column_for_each_part(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    """The first comes with the link, the others with the first grade; each part that passed is 1 of 1."""
    lms = lms_of(demo)
    columns = [FIRST[lms], *PARTS[1:]]
    with at_course(browser, demo, DANA) as page:
        add_to_course(page, FEEDBACK, "One column for each part", lms, columns)
    with at_course(browser, demo, AMAL) as page:
        frame = open_link(page, FEEDBACK)
        fill_all(frame, Files(tmp_path))
        submit(frame)
    recommend(browser, demo.desk("reviewer", 2), FEEDBACK)
    award(browser, demo.desk("approver", 1), AMAL)
    wanted = [f"{column} / of 1" for column in columns]
    with at_course(browser, demo, DANA) as page:
        shown = wait_for_grades(page, AMAL, dict.fromkeys(wanted, "1 / 1"))
        assert sorted(head for head in shown if not head.startswith(TOOLS)) == sorted(wanted)
