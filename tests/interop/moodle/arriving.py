"""The first steps of a run: people, registration, choosing credentials, the first launches."""

import re

from playwright.sync_api import FrameLocator, expect

from tests.interop.moodle import desks, installation
from tests.interop.moodle.people import LEARNERS
from tests.interop.moodle.site import SLOW
from tests.interop.moodle.world import ONE, TOOLS, World

TOOL_NAME = "Micro-credentials"
THREE = (
    TOOLS,
    "Feedback That Moves Learning Forward",
    "Leading Academic Discussion with the Whole Class",
)


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
    for name in desks.JUDGES:
        desks.one_time_link(name)
    for issuer in desks.ISSUERS:
        # Whether a second reviewer reads a try is drawn by lot; here one decides.
        rules = ("--rule", "double_score_percent=0", "--rule", "double_score_borderline=no")
        installation.command("organization", "set", issuer, *rules)
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
