"""Steps about who is in the course, and about the courses made from it."""

import time
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.interop.moodle import installation
from tests.interop.moodle.site import SLOW, Course
from tests.interop.moodle.world import ONE, World


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
