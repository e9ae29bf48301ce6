"""A coach after as many tries as the credential names, renewal of an expired award: asked and answered."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from microcred.app.wiring import Assembly
from microcred.credentials.models import Award
from microcred.operations import awards
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import REVISIONS, World


def revised(world: World, times: int) -> None:
    public_id = world.submitted()
    for number in range(times):
        world.start(public_id)
        ratings = {
            key: level
            for key, level in REVISIONS.items()
            if number == 0 or key in ("p1-c1", "p1-c2", "p4-c1")
        }
        world.rate(public_id, ratings, "Count something.")
        world.finish(public_id, "revise")
        if number + 1 < times:
            public_id = world.resubmit(public_id)


def test_a_coach_is_offered_after_three_tries_and_answers(
    world: World, app: Flask, assembly: Assembly, approver: Visitor
) -> None:
    revised(world, 3)
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    teacher.get(teacher.home)
    assert "Would a coach help?" in teacher.page
    teacher.follow(teacher.post(f"{teacher.home}ask", text_message="I do not see what to count."))
    assert "The answer comes here." in teacher.page
    approver.get("/desk/approve/requests")
    assert "I do not see what to count." in approver.page
    (address,) = approver.links(r"/desk/approve/requests/\d+")
    assert approver.post(address, text_answer=" ").status_code == 409
    approver.follow(approver.post(address, text_answer="Call Kim on Monday."))
    assert "Nobody asks for anything now." in approver.page
    teacher.get(teacher.home)
    assert "Call Kim on Monday." in teacher.page
    teacher.get(f"{teacher.home}notices")
    assert "You have an answer about a coach" in teacher.page


def test_a_renewal_is_asked_for_granted_and_everybody_hears_of_it(
    world: World, app: Flask, assembly: Assembly
) -> None:
    public_id = world.recommended()
    world.decide(public_id, "award")
    with world.database.writing() as session:
        award = session.scalars(select(Award)).one()
        award.valid_until = world.clock.now() + timedelta(days=30)
    world.clock.pass_(days=31)
    with world.database.writing() as session:
        awards.expire(session, award.id, world.clock.now())
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    teacher.get(teacher.home)
    assert "Your award has expired." in teacher.page
    teacher.follow(teacher.post(f"{teacher.home}ask", text_message="I still do it."))
    approver = Visitor.at_desk(app, world.database, world.clock, world.approver)
    approver.get("/desk/notices")
    assert "A teacher asks to renew" in approver.page
    approver.get("/desk/approve/requests")
    approver.get(*approver.links(rf"/desk/approve/{public_id}"))
    approver.follow(approver.post(f"/desk/approve/{public_id}/renew"))
    assert world.state(public_id) == "awarded"
    approver.get("/desk/approve/requests")
    assert "Nobody asks for anything now." in approver.page
    teacher.get(f"{teacher.home}notices")
    assert "is renewed" in teacher.page


def test_before_three_tries_there_is_nothing_to_ask(world: World, app: Flask, assembly: Assembly) -> None:
    revised(world, 2)
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    teacher.get(teacher.home)
    assert "Would a coach help?" not in teacher.page
    assert teacher.post(f"{teacher.home}ask").status_code == 409


def test_an_issuer_may_offer_no_coach(world: World, app: Flask, assembly: Assembly) -> None:
    world.rules(coaching=False)
    revised(world, 3)
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    teacher.get(teacher.home)
    assert "Would a coach help?" not in teacher.page


def test_answers_are_for_the_issuers_approvers_alone(world: World, app: Flask, assembly: Assembly) -> None:
    revised(world, 3)
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    teacher.get(teacher.home)
    teacher.follow(teacher.post(f"{teacher.home}ask"))
    reviewer = Visitor.at_desk(app, world.database, world.clock, world.reviewer)
    reviewer.get("/desk/")
    assert reviewer.post("/desk/approve/requests/1", text_answer="No.").status_code == 403
