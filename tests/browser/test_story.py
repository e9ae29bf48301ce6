"""The whole story with every person in it, against the shipped process, with third-party cookies blocked.

A coordinator adds a micro-credential to a course, a teacher submits evidence, a reviewer judges it, the
issuer awards it, the grade stands in the gradebook and the badge verifies. Each page is left as a picture.
"""

import json
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from playwright.sync_api import Browser, expect

from microcred.badges import baking
from tests.support import chromium
from tests.support.demo import Demo
from tests.support.story import (
    COURSE,
    SLOW,
    Files,
    Pictures,
    add_stack_to_course,
    add_to_course,
    at_course,
    at_desk,
    award,
    fill_all,
    finish,
    fresh_desk,
    open_link,
    rate_all,
    recommend,
    start_review,
    submit,
    wait_for_grades,
)

IDEAS = "Helping Students Generate and Shape Ideas"
TOOLS = "Choosing Digital Tools That Protect Students"
FEEDBACK = "Feedback That Moves Learning Forward"
TEACHER = "Terry Demo-Teacher"


def test_from_an_lms_course_to_a_grade_and_a_badge(
    browser: Browser, demo: Demo, images_folder: Path, tmp_path: Path
) -> None:
    """With revisions asked for once: the parts that passed stay, and the second try is awarded."""
    pictures = Pictures(images_folder)
    files = Files(tmp_path)

    with at_course(browser, demo, "Dana Demo-Coordinator") as page:
        pictures.take(page, "lms-course")
        page.get_by_role("button", name="Add content").click()
        expect(page.frame_locator("iframe#tool").get_by_role("radio", name=IDEAS)).to_be_visible(timeout=SLOW)
        pictures.take(page, "picker")
        page.get_by_role("link", name=f"Back to {COURSE}").click()
        add_to_course(page, IDEAS, "100 points when earned")
        pictures.take(page, "lms-course-with-link")

    with at_course(browser, demo, TEACHER) as page:
        frame = open_link(page, IDEAS)
        expect(frame.get_by_role("heading", name=IDEAS)).to_be_visible()
        pictures.take(page, "credential-home")
        fill_all(frame, files)
        frame.locator(".partlist a").nth(0).click()
        expect(frame.locator("textarea.answer").first).to_be_visible()
        pictures.take(page, "part-editor")
        frame.locator(".steps a").nth(1).click()
        expect(frame.locator("section.need").first).to_be_visible()
        pictures.take(page, "evidence")
        frame.locator(".bar-home").click()
        frame.get_by_role("link", name=re.compile("Check and submit")).click()
        expect(frame.get_by_role("button", name="Submit for review")).to_be_enabled()
        pictures.take(page, "check-and-submit")
        frame.locator(".bar-home").click()
        submit(frame)
        pictures.take(page, "submitted")

    first_try, second_try = {"Learning leads to a next step": "2"}, dict[str, str]()
    with at_desk(browser, demo.desk("reviewer")) as page:
        pictures.take(page, "desk")
        page.get_by_role("link", name=re.compile("^Review")).first.click()
        pictures.take(page, "review-queue")
        start_review(page, IDEAS)
        assert TEACHER not in page.content()
        rate_all(page, first_try, "Say when you will change what, and how you will see that it worked.")
        pictures.take(page, "review-desk")
        finish(page, "Finish and ask for revisions")

    with at_course(browser, demo, TEACHER) as page:
        frame = open_link(page, IDEAS)
        frame.get_by_role("link", name=re.compile("feedback", re.I)).first.click()
        expect(frame.get_by_text("Say when you will change what").first).to_be_visible()
        pictures.take(page, "feedback")
        frame.locator(".bar-home").click()
        for part in (0, 1, 2):
            frame.locator(".partlist a").nth(part).click()
            expect(frame.get_by_text("This part is done.")).to_be_visible(timeout=SLOW)
            frame.locator(".bar-home").click()
        frame.locator(".partlist a").nth(3).click()
        answer = frame.locator("textarea.answer")
        answer.fill("From January 11 I open every unit with this routine and count the notes each time.")
        expect(frame.locator("[data-words]").first).to_contain_text("16 of")
        frame.locator(".bar-home").click()
        expect(frame.get_by_role("heading", name="Everything is here")).to_be_visible(timeout=SLOW)
        pictures.take(page, "second-try")
        submit(frame)

    with at_desk(browser, demo.desk("reviewer", 1)) as page:
        start_review(page, IDEAS)
        rate_all(page, second_try)
        finish(page, "Finish and recommend the award")

    with at_desk(browser, demo.desk("approver")) as page:
        page.get_by_role("link", name=re.compile("^Decide")).first.click()
        page.get_by_role("link", name=re.compile(TEACHER)).first.click()
        expect(page.get_by_role("heading", name=TEACHER)).to_be_visible()
        pictures.take(page, "approver")
        page.get_by_role("button", name="Award").click()
        expect(page.get_by_role("status")).to_contain_text("You awarded this")

    badge_url = badge_of(browser, demo, pictures)
    the_badge_verifies(browser, demo, badge_url, pictures)

    with at_course(browser, demo, "Dana Demo-Coordinator") as page:
        wait_for_grades(page, TEACHER, {f"{IDEAS} / of 100": "100 / 100"})
        pictures.take(page, "lms-gradebook")
        page.get_by_role("link", name="Modules").click()
        frame = open_link(page, IDEAS)
        frame.get_by_role("link", name="Course").click()
        expect(frame.get_by_role("row", name=re.compile(TEACHER))).to_contain_text("Earned")
        pictures.take(page, "coordinator")


@pytest.mark.long
@pytest.mark.parametrize(
    ("title", "scheme", "points"),
    [(TOOLS, "Complete or not complete", "1"), (FEEDBACK, "Points from the rubric", "24")],
)
def test_other_credentials_go_the_same_way(
    browser: Browser, demo: Demo, tmp_path: Path, title: str, scheme: str, points: str
) -> None:
    teacher = "Amal Demo-Teacher"
    with at_course(browser, demo, "Dana Demo-Coordinator") as page:
        add_to_course(page, title, scheme)
    with at_course(browser, demo, teacher) as page:
        frame = open_link(page, title)
        fill_all(frame, Files(tmp_path))
        submit(frame)
    recommend(browser, fresh_desk(demo, "Remy Demo-Reviewer"), title)
    award(browser, fresh_desk(demo, "Avery Demo-Approver"), teacher)
    with at_course(browser, demo, "Dana Demo-Coordinator") as page:
        wait_for_grades(page, teacher, {f"{title} / of {points}": f"{points} / {points}"})


@pytest.mark.long
def test_a_stack_by_parts_with_a_column_of_its_own(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    """One column for each part, and one that says 1 of 3 once the first of the stack is earned."""
    teacher, title = "Robin Demo-Teacher", "Using Evidence to Plan Small-Group Teaching"
    parts = [
        f"Evidence to Action, Part {number}: {part}"
        for number, part in enumerate(
            ("Overview questions", "Evidence", "Student goal checks", "Teacher reflection"), 1
        )
    ]
    stack = "Access and Evidence: earned of the stack"
    with at_course(browser, demo, "Dana Demo-Coordinator") as page:
        add_stack_to_course(
            page, "Access and Evidence for Every Learner", "One column for each part", stack, title
        )
    with at_course(browser, demo, teacher) as page:
        frame = open_link(page, title)
        fill_all(frame, Files(tmp_path))
        submit(frame)
    recommend(browser, fresh_desk(demo, "Remy Demo-Reviewer"), title)
    award(browser, fresh_desk(demo, "Avery Demo-Approver"), teacher)
    with at_course(browser, demo, "Dana Demo-Coordinator") as page:
        wanted = {f"{part} / of 1": "1 / 1" for part in parts} | {f"{stack} / of 3": "1 / 3"}
        columns = wait_for_grades(page, teacher, wanted)
        assert [columns.count(column) for column in wanted] == [1] * 5


def badge_of(browser: Browser, demo: Demo, pictures: Pictures) -> str:
    """The verification address on the teacher's badge page, once the badge is made."""
    with at_course(browser, demo, TEACHER) as page:
        frame = open_link(page, IDEAS)
        frame.get_by_role("link", name="See your badge").click()
        expect(frame.get_by_role("heading", name=re.compile("Idea Shaper")).first).to_be_visible()
        expect(frame.get_by_text("Badge is signed")).to_be_visible(timeout=SLOW)
        pictures.take(page, "badge")
        link = frame.locator(f"a[href^='{demo.tool_url}/badges/']").first
        return str(link.get_attribute("href"))


def the_badge_verifies(browser: Browser, demo: Demo, badge_url: str, pictures: Pictures) -> None:
    """A reader without an account sees that it is valid, and both documents are inside the picture."""
    with chromium.person(browser) as context:
        page = context.new_page()
        page.goto(badge_url)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("main")).to_contain_text("Idea Shaper")
        assert TEACHER not in page.content()
        pictures.take(page, "verify")
        picture_url = page.locator("a[href$='.png']").first.get_attribute("href")
    answer = requests.get(urljoin(badge_url, picture_url), timeout=20)
    baked = baking.extract(answer.content)
    assert baked.ob2 is not None
    assert baked.ob3 is not None
    credential = json.loads(baked.ob3)
    assert requests.get(credential["id"], timeout=20).json() == credential
    assert requests.get(json.loads(baked.ob2)["id"], timeout=20).json() == json.loads(baked.ob2)
