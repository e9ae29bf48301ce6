"""Every page and action of both surfaces, for every role: the door of its room opens to those of the table,
and whoever is turned away has changed nothing.
"""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.routing import Rule

from microcred.app.wiring import Assembly
from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed
from microcred.operations.rooms import PAGES, ROOMS, door_of, require
from microcred.people import Office
from microcred.people.models import OFFICE_ROLES, AuditEvent
from tests.functional.review.visitor import ORIGIN, Visitor
from tests.functional.review.world import World

READS = {"teacher"}
PLACES = READS | {"choosing", "settings"}
PROGRESS = READS | {"course", "roles", "settings"}
ALWAYS = {"home", "common", "notices", "privacy", "linking"}
COURSE = {
    "learner": ({"read", "submit"}, READS),
    "instructor": ({"read", "place", "see_progress"}, PLACES | PROGRESS),
    "teaching assistant": ({"read", "see_progress"}, PROGRESS),
    "mentor": (set[str](), set[str]()),
}
"""Role in the course: its rights (design, section 4), and the rooms that they open."""
OFFICES = {
    "reviewer": {"review"},
    "approver": {"approve", "author", "rules"},
    "author": {"author"},
    "operator": {"rules", "platforms", "setting_up", "outbox", "people"},
    "faculty": set[str](),
    "registrar": set[str](),
    "leader": set[str](),
}
"""Office: the rooms that it opens."""
_JUDGE = {"reviewer", "approver"}
BESIDE = {
    "teacher.home": set(COURSE) | set(OFFICES),
    "review.piece": _JUDGE,
    "review.piece_file": _JUDGE,
    "review.piece_captions": _JUDGE,
}
"""Pages with a door of their own, and to whom it opens."""
FILLED = {"public_id": "x", "lms": "canvas", "row_id": "1", "flag_id": "1", "request_id": "1"}


def pages(app: Flask, surface: str) -> Iterator[tuple[str, str, str]]:
    """(`room.page`, method, address below the surface's root)."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{surface}."):
            for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
                yield rule.endpoint.removeprefix(f"{surface}."), method, _address(app, rule)


def _address(app: Flask, rule: Rule) -> str:
    values = {name: FILLED.get(name, "1" if "id" in name else "x") for name in rule.arguments}
    with app.test_request_context():
        built = app.url_map.bind("tool.example.org").build(rule.endpoint, values)
    return built.removeprefix("/app/1/").removeprefix("/desk/")


def events(world: World) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(AuditEvent)) or 0


def test_the_table_names_every_room_and_every_office(app: Flask) -> None:
    every = {page for surface in ("app", "desk") for page, _, _ in pages(app, surface)}
    assert {page.partition(".")[0] for page in every} == set(ROOMS)
    assert set(OFFICES) == set(OFFICE_ROLES)
    assert set(PAGES) == set(BESIDE)
    assert set(BESIDE) <= every


def test_every_role_and_office_opens_its_rooms_and_no_other(app: Flask) -> None:
    wrong = set()
    people = {
        **{role: (Actor(1, frozenset(rights), ()), rooms) for role, (rights, rooms) in COURSE.items()},
        **{office: (Actor(1, frozenset(), (Office(office, 7),)), OFFICES[office]) for office in OFFICES},
    }
    for surface in ("app", "desk"):
        for page, _, _ in pages(app, surface):
            for name, (actor, rooms) in people.items():
                should = name in BESIDE[page] if page in BESIDE else page.partition(".")[0] in rooms | ALWAYS
                door = door_of(page)
                if door is None or door.opens_to(actor) is not should:
                    wrong.add((name, page))
    assert wrong == set()
    everything = Actor(1, frozenset(), (Office("operator", None),))
    assert all(ROOMS[room].opens_to(everything) for rooms in OFFICES.values() for room in rooms)
    assert not ROOMS["teacher"].opens_to(everything)
    assert door_of("nobody.knows") is None
    with pytest.raises(NotAllowed):
        require(everything, "nobody.knows")


@pytest.mark.parametrize("surface", ["app", "desk"])
def test_every_page_and_action_asks_the_table(
    app: Flask, assembly: Assembly, world: World, surface: str
) -> None:
    """Somebody whose role opens nothing: a mentor of the course, a person whose office has ended."""
    if surface == "app":
        visitor = Visitor.in_course(app, assembly, world, world.stranger)
    else:
        visitor = Visitor.at_desk(app, world.database, world.clock, world.stranger)
    token, before = visitor.get(f"{visitor.home}form-token").get_json()["form_token"], events(world)
    headers = {"Sec-Fetch-Site": "same-origin", "X-Form-Token": token}
    wrong = set()
    for page, method, address in pages(app, surface):
        if page.partition(".")[0] in ALWAYS or page in BESIDE or page == "teacher.upload_options":
            continue
        answer = visitor.client.open(visitor.home + address, method=method, base_url=ORIGIN, headers=headers)
        if answer.status_code != 403 or 'data-error="room_closed"' not in answer.text:
            wrong.add(f"{method} {page}: {answer.status_code}")
    assert wrong == set()
    assert events(world) == before
