"""Awards after the decision: withdrawn with a reason, expired, renewed, and appealed once withdrawn."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from microcred.app.wiring import Assembly
from microcred.credentials.models import Attempt, Award, Decision
from microcred.operations import appealing, award_expiry, awards
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.outbox import OutboxRow
from microcred.people.models import AuditEvent
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import BADGES, World


def awarded(world: World) -> str:
    public_id = world.recommended()
    world.decide(public_id, "award")
    return public_id


def revoke(
    world: World, public_id: str, *, by: int | None = None, words: str = "The board was another's."
) -> None:
    with world.database.writing() as session:
        awards.revoke(
            session, world.actor(by or world.approver), public_id, "evidence", words, now=world.clock.now()
        )


def test_an_award_is_withdrawn_with_a_reason(busy_world: World) -> None:
    world = busy_world
    public_id = awarded(world)
    revoke(world, public_id)
    revoke(world, public_id)  # a second press changes nothing
    assert world.state(public_id) == "revoked"
    with world.database.reading() as session:
        award = session.scalars(select(Award)).one()
        decision = session.scalars(select(Decision).where(Decision.kind == "revoke")).one()
        audited = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert award.revoked_at == world.clock.now()
    assert award.revocation_reason == "The evidence was not what it was said to be"
    assert decision.reason == "The board was another's."
    assert audited.count("award_revoked") == 1


def test_only_an_approver_who_did_not_review_it_withdraws_it(world: World) -> None:
    public_id = awarded(world)
    for person in (world.reviewer, world.other_reviewer, world.teacher, world.stranger):
        with pytest.raises((NotAllowed, NotFound)):
            revoke(world, public_id, by=person)
    with pytest.raises(OperationRefused, match="Say why"):
        revoke(world, public_id, words=" ")
    assert world.state(public_id) == "awarded"


def test_a_withdrawn_award_may_be_appealed_and_comes_back_as_another_award(world: World) -> None:
    unseen = world.join("Ariel Approver", "approver")
    public_id = awarded(world)
    revoke(world, public_id)
    with world.database.writing() as session:
        appealing.open_appeal(session, world.in_course(world.teacher), "It is mine.", world.clock.now())
    with world.database.writing() as session:
        appealing.judge(
            session,
            world.actor(unseen),
            public_id,
            "award",
            reason="It is hers.",
            badge_url=BADGES,
            now=world.clock.now(),
        )
    with world.database.reading() as session:
        rows = session.scalars(select(Award).order_by(Award.id)).all()
    assert [row.revoked_at is None for row in rows] == [False, True]


def test_an_operator_lets_an_expired_award_count_again_and_it_expires_anew(world: World) -> None:
    public_id = world.recommended()
    world.decide(public_id, "award")
    with world.database.writing() as session:
        award = session.scalars(select(Award)).one()
        award.valid_until = world.clock.now() + timedelta(days=30)
    world.clock.pass_(days=31)
    with world.database.writing() as session:
        awards.expire(session, award.id, world.clock.now())
    assert world.state(public_id) == "expired"
    until = world.clock.now() + timedelta(days=90)
    with world.database.writing() as session:
        awards.extend(session, session.scalars(select(Award)).one(), until=until, now=world.clock.now())
    assert world.state(public_id) == "awarded"
    with world.database.reading() as session:
        planned = session.scalars(
            select(OutboxRow).where(OutboxRow.kind == "award_expiry").order_by(OutboxRow.id.desc()).limit(1)
        ).one()
        told = session.scalars(select(AuditEvent.action).where(AuditEvent.action == "award_renewed")).all()
    assert (planned.due_at, len(told)) == (until, 1)
    world.clock.pass_(days=91)
    with world.database.writing() as session:
        awards.expire(session, award.id, world.clock.now())
    assert world.state(public_id) == "expired"


def test_an_award_expires_and_is_renewed(busy_world: World) -> None:
    world = busy_world
    world.let_awards_expire(months=24)
    public_id = awarded(world)
    with world.database.reading() as session:
        award = session.scalars(select(Award)).one()
        planned = session.scalars(select(OutboxRow).where(OutboxRow.kind == award_expiry.KIND)).one()
    assert planned.due_at == award.valid_until
    assert award.valid_until is not None
    with world.database.writing() as session:
        awards.expire(session, award.id, world.clock.now())
    assert world.state(public_id) == "awarded"
    world.clock.at = award.valid_until
    with world.database.writing() as session:
        awards.expire(session, award.id, world.clock.now())
    assert world.state(public_id) == "expired"
    world.clock.pass_(days=3)
    for _ in range(2):  # a second press changes nothing
        with world.database.writing() as session:
            awards.renew(session, world.actor(world.approver), public_id, now=world.clock.now())
    assert world.state(public_id) == "awarded"
    with world.database.reading() as session:
        (award,) = session.scalars(select(Award)).all()
        kinds = session.scalars(select(Decision.kind).order_by(Decision.id)).all()
    assert award.valid_until is not None
    assert award.valid_until > world.clock.now() + timedelta(days=700)
    assert kinds == ["award", "renew"]


def test_the_issuers_pages_withdraw_an_award_and_the_teacher_reads_why(
    world: World, app: Flask, assembly: Assembly, approver: Visitor
) -> None:
    public_id = awarded(world)
    approver.get("/desk/approve/awards")
    assert "Terry Tryout" in approver.page
    approver.get(f"/desk/approve/{public_id}")
    assert approver.post(f"/desk/approve/{public_id}/revoke", text_revoke="No.").status_code == 409
    assert "Choose why the award is withdrawn." in approver.page
    approver.follow(
        approver.post(f"/desk/approve/{public_id}/revoke", why="mistake", text_revoke="A mix-up.")
    )
    assert "The award is withdrawn." in approver.page
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    teacher.get(teacher.home)
    assert "The award was withdrawn" in teacher.page
    teacher.get(f"{teacher.home}feedback")
    assert "A mix-up." in teacher.page
    assert "You may appeal until" in teacher.page
    with world.database.reading() as session:
        assert session.scalars(select(Attempt.state)).one() == "revoked"
