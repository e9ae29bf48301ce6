"""Appeals: opened by the teacher, decided by somebody who has seen nothing of the work, both outcomes."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from microcred.app.wiring import Assembly
from microcred.credentials.models import Attempt, Award, Decision
from microcred.credentials.review_models import Appeal
from microcred.operations import (
    appealing,
    coordinating,
    exporting,
    privacy,
    reading_appeals,
    reading_decide,
    reading_teacher,
)
from microcred.operations import teacher as teacher_deeds
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.outbox import OutboxRow
from microcred.people.models import AuditEvent, Notice
from tests.functional.review.test_asking import revised
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import BADGES, REVISIONS, SECRETS, World

WHY = "The counts of the second student are in Part 2, on the board."


def denied(world: World) -> str:
    public_id = world.recommended()
    world.decide(public_id, "deny", "The second student is missing.")
    return public_id


def appeal(world: World, reason: str = WHY) -> None:
    with world.database.writing() as session:
        appealing.open_appeal(session, world.in_course(world.teacher), reason, world.clock.now())


def judge(world: World, public_id: str, outcome: str, *, by: int, reason: str = "Seen now.") -> None:
    with world.database.writing() as session:
        appealing.judge(
            session,
            world.actor(by),
            public_id,
            outcome,
            reason=reason,
            badge_url=BADGES,
            now=world.clock.now(),
        )


def test_an_appeal_is_decided_for_the_teacher_and_everything_follows(busy_world: World) -> None:
    world = busy_world
    unseen = world.join("Ariel Approver", "approver")
    public_id = denied(world)
    appeal(world)
    appeal(world)  # a second press changes nothing
    assert world.state(public_id) == "appeal_open"
    with world.database.reading() as session:
        (row,) = reading_appeals.open_appeals(session, world.actor(unseen))
        assert row.due_at - world.clock.now() < timedelta(days=15)
        assert world.clock.now() + timedelta(days=13) < row.due_at  # ten business days, two weekends between
    judge(world, public_id, "award", by=unseen)
    assert world.state(public_id) == "awarded"
    with world.database.reading() as session:
        award = session.scalars(select(Award)).one()
        kinds = session.scalars(select(Decision.kind).order_by(Decision.id)).all()
        closed = session.scalars(select(Appeal)).one()
        audited = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
        assert session.scalars(select(OutboxRow).where(OutboxRow.kind == "badge")).one()
    assert (award.approved_by_id, kinds) == (unseen, ["deny", "appeal_award"])
    assert closed.decision_id == award.decision_id
    assert [name for name in audited if name.startswith("appeal")] == ["appeal_opened", "appeal_won"]


def test_an_appeal_that_is_turned_down_leaves_the_decision(world: World) -> None:
    unseen = world.join("Ariel Approver", "approver")
    public_id = denied(world)
    appeal(world)
    judge(world, public_id, "uphold", by=unseen, reason="The board shows one student.")
    assert world.state(public_id) == "upheld"
    with world.database.reading() as session:
        assert session.scalar(select(Award)) is None
    with pytest.raises(OperationRefused):
        appeal(world)


def test_whoever_saw_the_work_does_not_decide_the_appeal(world: World) -> None:
    both = world.join("Kim Both", "reviewer", "approver")
    public_id = denied(world)
    appeal(world)
    for person in (world.approver, world.reviewer, world.teacher, world.stranger):
        with world.database.reading() as session:
            assert reading_appeals.open_appeals(session, world.actor(person)) == ()
        with pytest.raises((NotAllowed, NotFound)):
            judge(world, public_id, "award", by=person)
    judge(world, public_id, "uphold", by=both)


def test_the_appeal_reader_never_meets_the_name(world: World, app: Flask) -> None:
    unseen = world.join("Ariel Approver", "approver")
    public_id = denied(world)
    appeal(world)
    visitor = Visitor.at_desk(app, world.database, world.clock, unseen)
    visitor.get("/desk/approve/")
    assert "1 appeal to decide" in visitor.page
    visitor.get("/desk/approve/appeals")
    visitor.get(f"/desk/approve/appeals/{public_id}")
    assert WHY in visitor.page
    assert "The second student is missing." in visitor.page
    piece = visitor.links(rf"/desk/review/{public_id}/evidence/[^/\"]+")[0]
    visitor.get(piece)
    assert f"/desk/approve/appeals/{public_id}" in visitor.page
    with world.database.reading() as session, pytest.raises(NotAllowed):
        reading_decide.case(session, world.actor(unseen), public_id)
    for secret in SECRETS:
        assert not any(secret in body for body in visitor.seen)


def test_an_appeal_is_decided_on_its_page_with_a_reason(world: World, app: Flask) -> None:
    unseen = world.join("Ariel Approver", "approver")
    public_id = denied(world)
    appeal(world)
    visitor = Visitor.at_desk(app, world.database, world.clock, unseen)
    visitor.get(f"/desk/approve/appeals/{public_id}")
    assert (
        visitor.post(f"/desk/approve/appeals/{public_id}", outcome="uphold", text_reason=" ").status_code
        == 409
    )
    assert "Say why in a sentence or two." in visitor.page
    visitor.follow(
        visitor.post(f"/desk/approve/appeals/{public_id}", outcome="uphold", text_reason="One student only.")
    )
    assert "The decision stands." in visitor.page
    assert world.state(public_id) == "upheld"


def test_the_days_for_an_appeal_pass(world: World) -> None:
    denied(world)
    with world.database.reading() as session:
        loaded = reading_teacher.load(session, world.in_course(world.teacher))
        until = appealing.standing(session, loaded, world.clock.now()).until
    assert until is not None
    world.clock.at = until + timedelta(seconds=1)
    with pytest.raises(OperationRefused, match="days for an appeal have passed"):
        appeal(world)


def test_an_appeal_needs_a_reason_and_something_to_appeal_against(world: World) -> None:
    world.recommended()
    with pytest.raises(OperationRefused, match="not possible now"):
        appeal(world)
    with world.database.reading() as session:
        attempt = session.scalars(select(Attempt)).one().public_id
    world.decide(attempt, "deny", "The second student is missing.")
    with pytest.raises(OperationRefused, match="Say why"):
        appeal(world, "  ")


def test_the_teacher_appeals_on_the_feedback_page(world: World, app: Flask, assembly: Assembly) -> None:
    public_id = denied(world)
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    teacher.get(f"{teacher.home}feedback")
    assert "You may appeal until" in teacher.page
    assert teacher.post(f"{teacher.home}appeal", text_reason="").status_code == 409
    assert "Say why" in teacher.page
    teacher.follow(teacher.post(f"{teacher.home}appeal", text_reason=WHY))
    assert "Your appeal is in." in teacher.page
    assert "Another reader looks at it" in teacher.page
    teacher.get(f"{teacher.home}feedback")
    assert "Your appeal is being read" in teacher.page
    assert world.state(public_id) == "appeal_open"


def test_erasing_the_teacher_removes_the_appeal_and_closes_it(busy_world: World) -> None:
    world = busy_world
    unseen = world.join("Ariel Approver", "approver")
    public_id = denied(world)
    appeal(world)
    with world.database.writing() as session:
        privacy.erase(
            session,
            world.teacher,
            grades=privacy.Grades.CANCEL,
            keep_badges=False,
            by=None,
            now=world.clock.now(),
        )
    with world.database.reading() as session:
        assert session.scalar(select(Appeal)) is None
        assert reading_appeals.open_appeals(session, world.actor(unseen)) == ()
    assert world.state(public_id) == "withdrawn"


def test_a_persons_own_data_holds_their_appeals(world: World) -> None:
    denied(world)
    appeal(world)
    with world.database.writing() as session:
        exported = exporting.export(session, world.teacher, by=None, now=world.clock.now())
    assert WHY in json.dumps(exported.document, default=str)


def tries(world: World) -> list[tuple[int, str, str]]:
    with world.database.reading() as session:
        rows = session.scalars(select(Attempt).order_by(Attempt.number))
        return [(row.number, row.state, row.public_id) for row in rows]


def newest_score(world: World) -> str:
    with world.database.reading() as session:
        rows = session.scalars(select(OutboxRow).where(OutboxRow.kind == "score").order_by(OutboxRow.id))
        return str(rows.all()[-1].payload["content"]["gradingProgress"])


def test_after_repeated_revisions_an_appeal_is_read_beside_the_draft_that_follows(
    world: World, app: Flask, assembly: Assembly
) -> None:
    revised(world, 2)
    with pytest.raises(OperationRefused, match="tries_left"):
        appeal(world)
    third = world.resubmit(tries(world)[1][2])
    world.start(third)
    world.rate(third, {key: REVISIONS[key] for key in ("p1-c1", "p1-c2", "p4-c1")}, "Count something.")
    world.finish(third, "revise")
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    teacher.get(teacher.home)
    assert "if you think that what you sent is enough" in teacher.page
    teacher.get(teacher.home + "feedback")
    assert "You may appeal until" in teacher.page
    teacher.follow(teacher.post(teacher.home + "appeal", text_reason=WHY))
    assert "Your appeal about the try before is being read." in teacher.page
    assert [state for _, state, _ in tries(world)][2:] == ["appeal_open", "draft"]

    refused = teacher.post(teacher.home + "submit")
    assert refused.status_code == 409
    assert "Send this one in when it is decided" in teacher.page
    with world.database.reading() as session:
        found = reading_appeals.appeal(session, world.actor(world.approver), third)
    assert (found.against, found.grounds) == ("request_revisions", WHY)
    assert not any(secret in repr(found) for secret in SECRETS)

    judge(world, third, "uphold", by=world.approver, reason="It is not there yet.")
    assert [state for _, state, _ in tries(world)][2:] == ["upheld", "draft"]
    assert newest_score(world) == "NotReady"  # no grade for work that goes on
    teacher.get(teacher.home + "feedback")
    assert "What was asked for stands." in teacher.page
    assert "It is not there yet." in teacher.page
    assert "Start the first fix" in teacher.page
    with pytest.raises(OperationRefused):
        appeal(world)


def test_an_appeal_won_after_repeated_revisions_earns_the_award_and_closes_the_draft(world: World) -> None:
    revised(world, 3)
    appeal(world)
    contested = tries(world)[2][2]
    judge(world, contested, "award", by=world.approver)
    assert [state for _, state, _ in tries(world)][2:] == ["awarded", "withdrawn"]
    assert newest_score(world) == "FullyGraded"
    with world.database.reading() as session:
        mine = reading_teacher.current_try(session, world.in_course(world.teacher))
        staff = world.in_course(world.stranger, "read", "see_progress")
        course = coordinating.course(session, staff, after=None)
    assert course is not None
    assert (mine.number, mine.state) == (3, "awarded")
    assert [row.state for row in course.learners] == ["awarded"]
    with pytest.raises(OperationRefused, match="wrong_state"), world.database.writing() as session:
        teacher_deeds.submit(session, world.in_course(world.teacher), confirmed=(), now=world.clock.now())
    with pytest.raises(OperationRefused, match="wrong_state"), world.database.writing() as session:
        teacher_deeds.withdraw(session, world.in_course(world.teacher), world.clock.now())


def test_a_day_for_an_appeal_that_slips_is_announced_and_those_who_may_decide_are_reminded(
    world: World, assembly: Assembly
) -> None:
    public_id, colleague = denied(world), world.join("Ariel Approver", "approver")
    appeal(world)
    with world.database.reading() as session:
        attempt = session.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
        promised, worker = attempt.decision_due_at, assembly.make_worker()
    assert promised is not None
    while world.clock.now() < promised:
        world.clock.pass_(hours=12)
        worker.run_due()
    with world.database.reading() as session:
        attempt = session.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
        assert attempt.decision_due_at is not None
        assert attempt.decision_due_at > promised
        told = session.execute(
            select(Notice.person_id, Notice.kind, Notice.created_at).where(
                Notice.kind.in_(("decision_delayed", "decision_due"))
            )
        ).all()
    assert {(row.person_id, row.kind) for row in told} == {
        (world.teacher, "decision_delayed"),
        (colleague, "decision_due"),
    }
    assert min(row.created_at for row in told) < promised
