"""The steps of a run, in order. Each does what people do, and looks at what both sides show."""

import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import FrameLocator, Page, expect

from tests.interop.moodle import installation
from tests.interop.moodle.people import LEARNERS
from tests.interop.moodle.site import SLOW, Course
from tests.interop.moodle.world import World
from tests.support.story import at_desk, award, fill_all, rate_all, start_review, submit

TOOL_NAME = "Micro-credentials"
ONE = "Helping Students Generate and Shape Ideas"
TOOLS = "Choosing Digital Tools That Protect Students"
PASSED_PARTS = 3
THREE = (
    TOOLS,
    "Feedback That Moves Learning Forward",
    "Leading Academic Discussion with the Whole Class",
)
ISSUERS = ("iss-riverbend", "iss-lakeshore")
JUDGES = {
    "Remy Demo-Reviewer": "reviewer",
    "Rowan Demo-Reviewer": "reviewer",
    "Avery Demo-Approver": "approver",
}


def accounts_and_course(world: World) -> None:
    """A course, and people of each kind in it, with names in four scripts"""
    name = f"Active Classrooms {world.facts['stamp']}"
    with world.moodle.signed_in() as page:
        world.facts["version"] = world.moodle.version(page)
        course = world.moodle.make_course(page, name, name)
        world.moodle.upload_people(page, list(world.people.values()), name)
    world.facts |= {"course": course.id, "course_name": name}
    world.say(f"Moodle {world.facts['version']}, {len(world.people)} people in the course")


def registration(world: World) -> None:
    """Dynamic registration by invitation, activation, approval"""
    installation.bring_catalogue()
    for name in JUDGES:
        _desk(name)
    before = {row["registration_id"] for row in installation.command("platform", "list")}
    address = installation.command("platform", "invite", "--lms", "moodle")["url"]
    with world.moodle.signed_in() as page:
        frame = world.moodle.start_registration(page, address)
        expect(frame.locator("main")).to_contain_text("approv")
        frame.get_by_role("button", name=re.compile("stay|keep", re.I)).first.click()
        world.picture(page, "registration")
        new = [
            row for row in installation.command("platform", "list") if row["registration_id"] not in before
        ]
        assert len(new) == 1, new
        row = new[0]
        assert (row["lms"], row["state"], row["issuer"]) == ("moodle", "pending", world.moodle.url), row
        assert not row["unavailable"], row["unavailable"]
        frame.get_by_role("button", name=re.compile("close", re.I)).first.click()
        expect(page.locator("iframe[src*=startltiadvregistration]")).to_have_count(0, timeout=SLOW)
        world.say("the page closed itself, and Moodle took its frame away")
        world.moodle.go(page, "/mod/lti/toolconfigure.php")
        card = world.moodle.tool_card(page, row["client_id"])
        card.locator("a.activate").click()
        expect(card.locator("a.activate")).to_have_count(0, timeout=SLOW)
        world.picture(page, "activated")
    installation.command("platform", "approve", row["registration_id"])
    world.facts |= {
        "registration": row["registration_id"],
        "type": row["deployments"][0]["deployment_id"],
    }
    world.say(
        f"pending until approved; scopes granted: {len(row['scopes'])}; deployment {world.facts['type']}"
    )


def one_credential(world: World) -> None:
    """Deep linking with one credential"""
    with world.moodle.signed_in(world.people["teacher"]) as page:
        world.moodle.show_in_chooser(page, world.course, world.facts["type"])
        frame = world.moodle.choose_content(page, world.course, TOOL_NAME)
        _choose(frame, ONE)
        world.picture(page, "picker")
        _add(frame)
        expect(page.locator("#id_name")).to_have_value(ONE, timeout=SLOW)
        world.picture(page, "activity-form")
        world.moodle.save_activity(page)
        found = world.moodle.activities(page, world.course)
        assert ONE in found, found
        world.facts["one"] = found[ONE]
    world.say("the form came back filled in, and was saved as one activity")


def three_credentials(world: World) -> None:
    """Deep linking with three credentials at once"""
    with world.moodle.signed_in(world.people["teacher"]) as page:
        frame = world.moodle.choose_content(page, world.course, TOOL_NAME)
        _choose(frame, *THREE)
        frame.get_by_role("radio", name="One column for each part").check()
        expect(frame.locator("#preview")).to_contain_text("the others appear when", timeout=SLOW)
        world.picture(page, "picker-three")
        _add(frame)
        summary = page.locator("[data-attribute=dynamic-import]")
        for title in THREE:
            expect(summary).to_contain_text(title, timeout=SLOW)
        world.picture(page, "three-summary")
        world.moodle.save_activity(page)
        found = world.moodle.activities(page, world.course)
        missing = [title for title in THREE if title not in found]
        assert not missing, (missing, found)
        for title in THREE:
            world.facts[title] = found[title]
        world.picture(page, "course")
    world.say("three activities from one answer")


def _choose(frame: FrameLocator, *titles: str) -> None:
    for number, title in enumerate(titles):
        if number:
            frame.get_by_role("button", name="Keep this, choose another too").click()
            expect(frame.locator("aside ul.rows")).to_contain_text(titles[number - 1], timeout=SLOW)
        frame.get_by_role("radio", name=title).check(timeout=SLOW)
        expect(frame.locator("#preview")).to_contain_text(title, timeout=SLOW)


def _add(frame: FrameLocator) -> None:
    frame.get_by_role("button", name=re.compile("^Add .*to course")).click()


def launches(world: World) -> None:
    """Launches as teacher, assistant, and learners with names in four scripts"""
    reader = {"read", "submit"}
    for key in ("teacher", "assistant", *LEARNERS):
        who = world.people[key]
        with world.moodle.signed_in(who) as page:
            frame = world.moodle.open_activity(page, world.facts["one"])
            expect(frame.locator("main")).to_contain_text(ONE)
            newest = installation.command("launches", "list", "--last", "1")[0]
            known = f"{newest['registration_id']}:{newest['sub']}"
            person = next(p for p in installation.command("person", "list") if known in p["identities"])
            assert person["name"] == who.name, (person["name"], who.name)
            assert (set(newest["rights"]) == reader) is (key in LEARNERS), newest["rights"]
            world.facts[f"sub:{key}"] = newest["sub"]
            if key in LEARNERS:
                frame.locator(".partlist a").first.click()
                expect(frame.locator("textarea.answer").first).to_be_visible(timeout=SLOW)
                frame.locator(".bar-home").click()
            world.picture(page, f"launch-{key}")
            world.say(f"{who.name}: {', '.join(newest['rights'])}")


def first_try(world: World) -> None:
    """Evidence handed in; revisions asked for by a reviewer who sees no name"""
    learner = world.people["latin"]
    with world.moodle.signed_in(learner) as page:
        frame = world.moodle.open_activity(page, world.facts["one"])
        fill_all(frame, world.files)
        submit(frame)
        world.picture(page, "submitted")
    with at_desk(world.browser, _desk("Remy Demo-Reviewer")) as page:
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
    with at_desk(world.browser, _desk("Rowan Demo-Reviewer")) as page:
        start_review(page, ONE)
        rate_all(page, {})
        page.get_by_role("button", name=re.compile("^Finish and recommend")).click()
        expect(page.locator("main")).to_contain_text(re.compile("approver", re.I))


def awarded(world: World) -> None:
    """The award: grade and feedback in Moodle's gradebook, badge, and what the coordinator sees"""
    learner = world.people["latin"]
    award(world.browser, _desk("Avery Demo-Approver"), re.escape(learner.name))
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


def _desk(name: str) -> str:
    """A one-time link of somebody at the desk, made where nobody of that name is there yet."""
    known = [person for person in installation.command("person", "list") if person["name"] == name]
    if known:
        return str(installation.command("person", "link", f"person:{known[0]['person_id']}")["url"])
    words = ("--role", JUDGES[name], "--organization")
    invited = installation.command("person", "invite", "--name", name, *words, ISSUERS[0])
    for issuer in ISSUERS[1:]:
        installation.command("person", "appoint", f"person:{invited['person_id']}", *words, issuer)
    return str(invited["url"])


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
    with at_desk(world.browser, _desk("Remy Demo-Reviewer")) as page:
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


def names_and_roles(world: World) -> None:
    """The roster, by Names and Role Provisioning"""
    found = installation.roster(world.facts["registration"], world.course.id)
    assert found.is_whole, found.problem
    names = {member.user_id: member.name for member in found.members}
    for key, who in world.people.items():
        sub = world.facts[f"sub:{key}"]
        assert names.get(sub) == who.name, (names.get(sub), who.name)
    world.say(f"{len(found.members)} members, every name as at launch")
    for key in ("teacher", "assistant", "latin"):
        roles = next(m.roles for m in found.members if m.user_id == world.facts[f"sub:{key}"])
        world.say(f"{key}: {', '.join(roles)}")


def imported_course(world: World) -> None:
    """Another course, with the activities brought in by import"""
    name = f"Imported {world.facts['stamp']}"
    with world.moodle.signed_in() as page:
        target = world.moodle.make_course(page, name, name)
        world.moodle.import_course(page, world.course, target)
        _opens_a_placement_of_its_own(world, page, target, "imported")


def copied_course(world: World) -> None:
    """A copy of the course, made by Moodle's cron"""
    name = f"Copy {world.facts['stamp']}"
    with world.moodle.signed_in() as page:
        world.moodle.copy_course(page, world.course, name, name)
        until = time.monotonic() + world.patience
        while (copy := world.moodle.find_course(page, name)) is None or not world.moodle.activities(
            page, copy
        ):
            assert time.monotonic() < until, f"no cron made the copy within {world.patience} s"
            page.wait_for_timeout(10_000)
        _opens_a_placement_of_its_own(world, page, copy, "copied")


def _opens_a_placement_of_its_own(world: World, page: Page, course: Course, how: str) -> None:
    found = world.moodle.activities(page, course)
    assert ONE in found, found
    frame = world.moodle.open_activity(page, found[ONE])
    expect(frame.locator("main")).to_contain_text(ONE)
    newest = installation.command("launches", "list", "--last", "1")[0]
    assert newest["context_id"] == course.id, newest
    if (to_course := frame.get_by_role("link", name="Course")).count():
        to_course.first.click()
    expect(frame.locator("main")).to_contain_text("Nobody has opened it yet", timeout=SLOW)
    assert world.people["latin"].last not in frame.locator("main").inner_text()
    columns = installation.first_columns(course.id)
    assert columns, "the link's own column was not learnt"
    assert not set(columns) & set(installation.first_columns(world.course.id)), columns
    world.picture(page, how)
    world.facts[how] = course.id
    world.say(f"{len(found)} activities; the credential opens in the {how} course, with nobody in it,")
    world.say(f"and with a column of its own: {urlsplit(columns[0]).path}")


STEPS: tuple[Callable[[World], None], ...] = (
    accounts_and_course,
    registration,
    one_credential,
    three_credentials,
    launches,
    first_try,
    second_try,
    awarded,
    gradebook,
    connection,
    columns_of_parts,
    names_and_roles,
    imported_course,
    copied_course,
)
