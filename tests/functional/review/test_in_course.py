"""The same pages inside a course: everything stays under that launch, and only offices open them."""

from typing import Any

from flask import Flask

from microcred.app.wiring import Assembly
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import PASSING, World


def test_a_reviewer_in_a_course_works_under_their_launch(
    app: Flask, assembly: Assembly, world: World
) -> None:
    public_id = world.submitted()
    visitor = Visitor.in_course(app, assembly, world, world.reviewer, "read")
    answer = visitor.get(f"{visitor.home}review/")
    assert answer.status_code == 200
    assert "frame-ancestors https://lms.example" in answer.headers["Content-Security-Policy"]
    visitor.follow(visitor.post(f"{visitor.home}review/{public_id}/start"))
    assert f'action="{visitor.home}review/{public_id}/ratings"' in visitor.page
    assert "/desk/" not in visitor.page
    fields: dict[str, Any] = {f"level_{criterion}": level for criterion, level in PASSING.items()}
    assert visitor.post(f"{visitor.home}review/{public_id}/ratings", part="p1", **fields).status_code == 303
    visitor.get(f"{visitor.home}review/{public_id}?part=p2")
    for address in visitor.links(r"[^\"]+/file"):
        assert address.startswith(visitor.home)
        assert visitor.get(address).status_code == 200
    visitor.get(f"{visitor.home}review/{public_id}")
    visitor.follow(visitor.post(f"{visitor.home}review/{public_id}/finish", outcome="award"))
    assert world.state(public_id) == "recommended"


def test_an_approver_in_a_course_decides_under_their_launch(
    app: Flask, assembly: Assembly, world: World
) -> None:
    public_id = world.recommended()
    visitor = Visitor.in_course(app, assembly, world, world.approver, "read", "see_progress")
    visitor.get(f"{visitor.home}approve/{public_id}")
    visitor.follow(visitor.post(f"{visitor.home}approve/{public_id}", decision="award"))
    assert "You awarded this to Terry Tryout." in visitor.page


def test_a_course_role_alone_opens_no_review(app: Flask, assembly: Assembly, world: World) -> None:
    public_id = world.recommended()
    staff = Visitor.in_course(app, assembly, world, world.stranger, "place", "read", "see_progress")
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    for visitor in (staff, teacher):
        assert visitor.get(f"{visitor.home}review/").status_code == 403
        assert visitor.get(f"{visitor.home}review/{public_id}").status_code in (403, 404)
        assert visitor.get(f"{visitor.home}approve/{public_id}").status_code in (403, 404)


def test_one_persons_cookie_does_not_open_anothers_launch(
    app: Flask, assembly: Assembly, world: World
) -> None:
    reviewer = Visitor.in_course(app, assembly, world, world.reviewer, "read")
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    assert teacher.get(f"{reviewer.home}review/").status_code == 401
