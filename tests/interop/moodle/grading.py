"""Steps from evidence to the gradebook, and what a coordinator sees of it."""

import re
import time

from playwright.sync_api import Page, expect

from tests.interop.moodle.desks import one_time_link
from tests.interop.moodle.people import LEARNERS
from tests.interop.moodle.site import SLOW, Course
from tests.interop.moodle.world import ONE, TOOLS, World
from tests.support.story import at_desk, award, fill_all, rate_all, start_review, submit

PASSED_PARTS = 3


def before_any_grade(world: World) -> None:
    """The course page while nothing was sent: everybody is there, and no column is missed"""
    with world.moodle.signed_in(world.people["teacher"]) as page:
        frame = world.moodle.open_activity(page, world.facts["one"])
        frame.get_by_role("link", name="Course").first.click()
        for key in LEARNERS:
            row = frame.get_by_role("row", name=re.compile(re.escape(world.people[key].last)))
            expect(row).to_contain_text("Nothing to send yet")
        expect(frame.locator("main")).not_to_contain_text("no grade column")
        world.picture(page, "before-any-grade")
    world.say(f"{len(LEARNERS)} learners, nothing to send yet")


def first_try(world: World) -> None:
    """Evidence handed in; revisions asked for by a reviewer who sees no name"""
    learner = world.people["latin"]
    with world.moodle.signed_in(learner) as page:
        frame = world.moodle.open_activity(page, world.facts["one"])
        fill_all(frame, world.files)
        submit(frame)
        world.picture(page, "submitted")
    with at_desk(world.browser, one_time_link("Remy Demo-Reviewer")) as page:
        start_review(page, ONE)
        assert learner.name not in page.content()
        rate_all(page, {"Learning leads to a next step": "2"}, "Say when you will change what.")
        page.get_by_role("button", name="Finish and ask for revisions").click()
        expect(page.locator("main")).to_contain_text(re.compile("revisions", re.I))
    with world.moodle.signed_in(learner) as page:
        grades = world.moodle.own_grades(page, world.course)
        assert grades, "the learner's report of grades is empty"
        assert all(grade.grade == "-" for grade in grades), grades
    world.say(f"revisions asked for; {len(grades)} cells in Moodle's gradebook, all empty")


def second_try(world: World) -> None:
    """A second try with one part written again, recommended"""
    with world.moodle.signed_in(world.people["latin"]) as page:
        frame = world.moodle.open_activity(page, world.facts["one"])
        frame.locator(".partlist a").nth(3).click()
        frame.locator("textarea.answer").fill("From January 11 I open every unit with this routine.")
        expect(frame.locator("[data-saved]").first).to_contain_text("Saved", timeout=SLOW)
        frame.locator(".bar-home").click()
        submit(frame)
    with at_desk(world.browser, one_time_link("Rowan Demo-Reviewer")) as page:
        start_review(page, ONE)
        rate_all(page, {})
        page.get_by_role("button", name=re.compile("^Finish and recommend")).click()
        expect(page.locator("main")).to_contain_text(re.compile("approver", re.I))


def awarded(world: World) -> None:
    """The award: grade and feedback in Moodle's gradebook, badge, and what the coordinator sees"""
    learner = world.people["latin"]
    award(world.browser, one_time_link("Avery Demo-Approver"), re.escape(learner.name))
    with world.moodle.signed_in(learner) as page:
        _wait_for_grade(world, page, world.course, "100.00")
        world.picture(page, "learner-grades")
        frame = world.moodle.open_activity(page, world.facts["one"])
        frame.get_by_role("link", name="See your badge").click()
        expect(frame.get_by_role("heading", name=re.compile("Idea Shaper")).first).to_be_visible()
        world.picture(page, "badge")


def gradebook(world: World) -> None:
    """The gradebook beside what the tool sent"""
    learner = world.people["latin"]
    with world.moodle.signed_in(world.people["teacher"]) as page:
        world.moodle.go(page, f"/grade/report/grader/index.php?id={world.course.id}")
        row = page.locator("#user-grades tr", has_text=learner.name)
        expect(row).to_contain_text("100.00", timeout=SLOW)
        world.picture(page, "gradebook")
        frame = world.moodle.open_activity(page, world.facts["one"])
        frame.get_by_role("link", name="Course").first.click()
        expect(frame.get_by_role("row", name=re.compile(re.escape(learner.last)))).to_contain_text("Earned")
        frame.get_by_role("button", name="Compare with the gradebook").click()
        expect(frame.locator("main")).to_contain_text("The gradebook shows what we sent", timeout=SLOW)
        world.picture(page, "coordinator")
    world.say("the teacher's report shows it; the tool read the gradebook and found what it had sent")


def _wait_for_grade(world: World, page: Page, course: Course, wanted: str) -> None:
    until = time.monotonic() + 120
    while True:
        shown = {one.item: one for one in world.moodle.own_grades(page, course)}
        mine = next((one for item, one in shown.items() if ONE in item), None)
        if mine is not None and mine.grade == wanted:
            break
        assert time.monotonic() < until, shown
        page.wait_for_timeout(2000)
    assert mine.feedback.strip(), mine
    world.say(f"in Moodle: {mine.grade} of {mine.range}, feedback “{mine.feedback.splitlines()[0]}”")


def connection(world: World) -> None:
    """The tool's own check of the connection: key, access, a column, a score, the list of people"""
    with world.moodle.signed_in(world.people["teacher"]) as page:
        frame = world.moodle.open_activity(page, world.facts["one"])
        frame.get_by_role("link", name="Course").first.click()
        frame.get_by_role("button", name="Try the connection").click()
        expect(frame.get_by_role("button", name="Try it again")).to_be_visible(timeout=SLOW)
        results = frame.locator("section[aria-labelledby=trial] li").all_inner_texts()
        assert results, "nothing was tried"
        world.picture(page, "connection")
        columns = world.moodle.gradebook_columns(page, world.course)
        assert not any("Connection check" in column for column in columns), columns
    for text in results:
        world.say(" ".join(text.split()))


def columns_of_parts(world: World) -> None:
    """One column for each part: parts that passed the first try are graded, in columns made by then"""
    learner = world.people["greek"]
    with world.moodle.signed_in(learner) as page:
        frame = world.moodle.open_activity(page, world.facts[TOOLS])
        fill_all(frame, world.files)
        submit(frame)
    with at_desk(world.browser, one_time_link("Remy Demo-Reviewer")) as page:
        start_review(page, TOOLS)
        rate_all(page, {"A lasting practice": "2"}, "Say how it goes on next year.")
        page.get_by_role("button", name="Finish and ask for revisions").click()
        expect(page.locator("main")).to_contain_text(re.compile("revisions", re.I))
    with world.moodle.signed_in(learner) as page:
        until = time.monotonic() + 120
        while True:
            graded = [one for one in world.moodle.own_grades(page, world.course) if one.grade == "1.00"]
            if len(graded) == PASSED_PARTS:
                break
            assert time.monotonic() < until, world.moodle.own_grades(page, world.course)
            page.wait_for_timeout(2000)
        world.picture(page, "columns-of-parts")
    world.say("; ".join(f"{' '.join(one.item.splitlines()[1:])}: {one.grade}" for one in graded))
