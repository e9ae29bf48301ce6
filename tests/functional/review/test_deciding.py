"""Deciding: one decision, by somebody who neither reviewed nor wrote the work, and all that follows."""

import threading

import pytest
from sqlalchemy import func, select

from microcred.credentials.models import Award, Decision
from microcred.operations import decide, reading_decide, review
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.outbox import OutboxRow
from microcred.people import grant
from microcred.people.models import AuditEvent
from tests.functional.review.world import BADGES, REVISIONS, World


def waiting(world: World, person_id: int) -> list[str]:
    with world.database.reading() as session:
        return [row.public_id for row in reading_decide.waiting_list(session, world.actor(person_id)).rows]


def counts(world: World) -> tuple[int, int]:
    with world.database.reading() as session:
        return (
            session.scalar(select(func.count()).select_from(Decision)) or 0,
            session.scalar(select(func.count()).select_from(Award)) or 0,
        )


def test_an_award_makes_decision_award_score_and_badge_at_once(busy_world: World) -> None:
    world = busy_world
    public_id = world.recommended()
    assert waiting(world, world.approver) == [public_id]
    decided = world.decide(public_id, "award")
    assert decided.kind == "award"
    assert decided.award_public_id
    assert world.state(public_id) == "awarded"
    assert waiting(world, world.approver) == []
    with world.database.reading() as session:
        kinds = session.scalars(select(OutboxRow.kind).order_by(OutboxRow.kind)).all()
        audited = session.scalars(
            select(AuditEvent.action).where(AuditEvent.subject_type == "attempt").order_by(AuditEvent.id)
        ).all()
    assert [kind for kind in kinds if kind in ("badge", "score")] == ["badge", "score"]
    assert audited == ["review_started", "award_recommended", "try_awarded"]


def test_a_second_click_gives_the_same_decision(world: World) -> None:
    public_id = world.recommended()
    first = world.decide(public_id, "award")
    assert world.decide(public_id, "award") == first
    assert counts(world) == (1, 1)
    with pytest.raises(OperationRefused, match=r"not possible now|done already"):
        world.decide(public_id, "deny", "No.")
    assert counts(world) == (1, 1)


def test_two_clicks_at_the_same_moment_make_one_decision(busy_world: World) -> None:
    world = busy_world
    public_id = world.recommended()
    actor, gate, results = world.actor(world.approver), threading.Barrier(4), []

    def click() -> None:
        gate.wait()
        with world.database.writing() as session:
            results.append(
                decide.decide(session, actor, public_id, "award", badge_url=BADGES, now=world.clock.now())
            )

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert len(set(results)) == 1
    assert counts(world) == (1, 1)


def test_two_reviewers_who_start_at_the_same_moment_one_of_them_is_told(busy_world: World) -> None:
    world = busy_world
    public_id = world.submitted()
    actors = [world.actor(world.reviewer), world.actor(world.other_reviewer)]
    gate, said = threading.Barrier(2), []

    def start(number: int) -> None:
        gate.wait()
        try:
            with world.database.writing() as session:
                review.start(session, actors[number], public_id, world.clock.now())
            said.append("taken by me")
        except OperationRefused as refused:
            said.append(refused.code)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["taken", "taken by me"]


def test_the_approver_is_never_the_reviewer(world: World) -> None:
    with world.database.writing() as session:
        grant(
            session,
            person_id=world.reviewer,
            role="approver",
            organization_id=world.issuer_id,
            now=world.clock.now(),
            by=None,
        )
    public_id = world.recommended()
    assert waiting(world, world.reviewer) == []
    with pytest.raises(OperationRefused):
        world.decide(public_id, "award", by=world.reviewer)
    assert world.state(public_id) == "recommended"


def test_the_reviewer_of_an_earlier_try_does_not_decide_the_later_one(world: World) -> None:
    with world.database.writing() as session:
        grant(
            session,
            person_id=world.reviewer,
            role="approver",
            organization_id=world.issuer_id,
            now=world.clock.now(),
            by=None,
        )
    public_id = world.submitted()
    world.start(public_id)
    world.rate(public_id, REVISIONS, "Count something.")
    world.finish(public_id, "revise")
    again = world.resubmit(public_id)
    world.start(again, world.other_reviewer)
    world.rate(again, {"p1-c1": "strong", "p1-c2": "passing", "p4-c1": "passing"}, by=world.other_reviewer)
    world.finish(again, "award", by=world.other_reviewer)
    assert waiting(world, world.reviewer) == []
    with pytest.raises(NotAllowed, match="reviewed this teacher"):
        world.decide(again, "award", by=world.reviewer)
    assert world.decide(again, "award").award_public_id


def test_own_work_is_decided_by_somebody_else(world: World) -> None:
    public_id = world.submitted(world.approver)
    world.start(public_id)
    world.rate(
        public_id,
        {"p1-c1": "strong", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "passing", "p4-c1": "passing"},
    )
    world.finish(public_id, "award")
    assert waiting(world, world.approver) == []
    with pytest.raises(OperationRefused):
        world.decide(public_id, "award")
    assert counts(world) == (0, 0)


def test_the_approver_meets_the_name_only_after_a_recommendation(world: World) -> None:
    public_id = world.submitted()
    with world.database.reading() as session, pytest.raises(NotFound):
        reading_decide.case(session, world.actor(world.approver), public_id)
    world.start(public_id)
    with world.database.reading() as session, pytest.raises(NotFound):
        reading_decide.case(session, world.actor(world.approver), public_id)
    world.rate(
        public_id,
        {"p1-c1": "strong", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "passing", "p4-c1": "passing"},
    )
    world.finish(public_id, "award")
    with world.database.reading() as session:
        assert reading_decide.case(session, world.actor(world.approver), public_id).name == "Terry Tryout"


@pytest.mark.parametrize("kind", ["return_to_reviewer", "deny"])
def test_returning_and_not_awarding_need_a_reason(world: World, kind: str) -> None:
    public_id = world.recommended()
    with pytest.raises(OperationRefused, match="Say why"):
        world.decide(public_id, kind, "   ")
    assert world.state(public_id) == "recommended"
    world.decide(public_id, kind, "The second student is missing.")
    with world.database.reading() as session:
        (decision,) = session.scalars(select(Decision))
        assert (decision.kind, decision.reason) == (kind, "The second student is missing.")


def test_an_unknown_decision_changes_nothing(world: World) -> None:
    public_id = world.recommended()
    with pytest.raises(OperationRefused, match="not one of the decisions"):
        world.decide(public_id, "revoke", "Because.")
    assert counts(world) == (0, 0)


def test_what_passed_cannot_be_sent_back_for_revisions(world: World) -> None:
    public_id = world.recommended()
    with pytest.raises(OperationRefused, match="nothing is left to revise"):
        world.decide(public_id, "request_revisions")


def test_a_strangers_award_is_refused_as_if_nothing_were_there(world: World) -> None:
    public_id = world.recommended()
    with pytest.raises(NotFound):
        world.decide(public_id, "award", by=world.stranger)
