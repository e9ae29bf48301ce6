"""Practice: anchors with agreed ratings, rounds, the bar of 80 %, and work that opens and closes with it."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from microcred.credentials.models import Attempt, Pursuit
from microcred.credentials.review_models import Anchor, CalibrationRound
from microcred.operations import (
    anchors,
    assigning,
    calibrating,
    privacy,
    reading_calibration,
    reading_queue,
)
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import PASSING, SECRETS, SHAPE_IDEAS, World

ANCHORS = 3


def anchored(world: World, count: int = ANCHORS) -> list[str]:
    """Decided tries of several teachers, made anchors; their public ids."""
    made = []
    for number in range(count):
        teacher = world.join(f"Terry{number} Tryout")
        public_id = world.submitted(teacher)
        world.start(public_id, world.other_reviewer)
        world.rate(public_id, PASSING, by=world.other_reviewer)
        world.finish(public_id, "award", by=world.other_reviewer)
        world.decide(public_id, "award")
        mark(world, public_id)
        made.append(public_id)
    return made


def mark(world: World, public_id: str, *, teacher_agreed: bool = True, by: int | None = None) -> None:
    with world.database.writing() as session:
        anchors.mark(
            session,
            world.actor(by or world.approver),
            public_id,
            PASSING,
            {"p1-c1": "They count before and after."},
            teacher_agreed=teacher_agreed,
            now=world.clock.now(),
        )


def practise(world: World, wrong: int, by: int | None = None) -> str:
    """A whole round with so many levels that differ; its id."""
    actor = world.actor(by or world.reviewer)
    with world.database.writing() as session:
        round_id = calibrating.begin(session, actor, SHAPE_IDEAS, world.clock.now(), lambda: 0.5)
    finished = False
    while not finished:
        with world.database.writing() as session:
            sheet = calibrating.sheet(session, actor, round_id)
            levels = dict(PASSING)
            for key in ("p3-c1", "p4-c1"):
                if wrong:
                    levels[key], wrong = "not_evident", wrong - 1
            finished = calibrating.rate(session, actor, round_id, sheet.anchor_id, levels, world.clock.now())
    return round_id


def free_for(world: World, person_id: int) -> list[str]:
    with world.database.reading() as session:
        page = reading_queue.queue(session, world.actor(person_id), world.clock.now())
        return [row.public_id for row in page.rows]


def test_without_enough_anchors_nobody_has_to_practise(world: World) -> None:
    anchored(world, ANCHORS - 1)
    public_id = world.submitted()
    assert free_for(world, world.reviewer) == [public_id]
    with world.database.reading() as session:
        assert reading_calibration.standing(session, world.actor(world.reviewer), world.clock.now()) == ()


def test_a_reviewer_gets_work_only_after_a_round_that_goes_well(busy_world: World) -> None:
    world = busy_world
    anchored(world)
    public_id = world.submitted()
    assert free_for(world, world.reviewer) == []
    with pytest.raises(NotAllowed, match="round of practice"):
        world.start(public_id)
    with world.database.reading() as session:
        attempt = session.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
        assert assigning.next_reader(session, attempt, world.clock.now(), lambda: 0.0) is None
    practise(world, wrong=4)  # 11 of 15: 73 %
    assert free_for(world, world.reviewer) == []
    practise(world, wrong=3)  # 12 of 15: 80 %
    assert free_for(world, world.reviewer) == [public_id]
    assert free_for(world, world.other_reviewer) == []
    world.start(public_id)


def test_it_lapses_after_its_time(world: World) -> None:
    anchored(world)
    practise(world, wrong=0)
    world.clock.pass_(days=364)
    public_id = world.submitted()
    assert free_for(world, world.reviewer) == [public_id]
    world.clock.pass_(days=2)
    assert free_for(world, world.reviewer) == []
    with world.database.reading() as session:
        (row,) = reading_calibration.standing(session, world.actor(world.reviewer), world.clock.now())
    assert (row.state, row.exact_percent) == ("lapsed", 100)


def test_the_result_names_what_was_agreed_and_why(world: World) -> None:
    anchored(world)
    round_id = practise(world, wrong=4)
    with world.database.reading() as session:
        result = reading_calibration.result(session, world.actor(world.reviewer), round_id)
        with pytest.raises(NotFound):
            reading_calibration.result(session, world.actor(world.other_reviewer), round_id)
    assert (result.passed, result.agreed, result.compared, result.valid_until) == (False, 11, 15, None)
    assert len(result.rows) == 15
    assert sum(not row.same for row in result.rows) == 4
    assert result.rows[0].reason == "They count before and after."


def test_only_the_issuer_marks_anchors_and_only_with_the_teachers_word(world: World) -> None:
    public_id = world.recommended()
    with pytest.raises(OperationRefused, match="has been decided"):
        mark(world, public_id)
    world.decide(public_id, "award")
    with pytest.raises(OperationRefused, match="teacher agreed in writing"):
        mark(world, public_id, teacher_agreed=False)
    for person in (world.reviewer, world.other_reviewer, world.teacher, world.stranger):
        with pytest.raises((NotAllowed, NotFound)):
            mark(world, public_id, by=person)
    with world.database.reading() as session:
        assert session.scalar(select(Anchor)) is None
    mark(world, public_id)
    with world.database.writing() as session:
        anchors.retire(session, world.actor(world.approver), public_id, world.clock.now())
    with world.database.reading() as session:
        assert anchors.anchor_of(session, public_id) is None


def test_nobody_practises_on_their_own_work(world: World) -> None:
    anchored(world)
    own = world.submitted(world.reviewer)
    with world.database.writing() as session:
        session.scalars(select(Attempt).where(Attempt.public_id == own)).one().state = "denied"
    mark(world, own)
    with world.database.writing() as session:
        calibrating.begin(session, world.actor(world.reviewer), SHAPE_IDEAS, world.clock.now(), lambda: 0.999)
        mine = session.scalars(select(Attempt.id).where(Attempt.public_id == own)).one()
        anchor = session.scalars(select(Anchor.id).where(Anchor.attempt_id == mine)).one()
        assert anchor not in session.scalars(select(CalibrationRound)).one().anchor_ids


def test_a_round_on_the_pages_shows_no_name_and_opens_evidence_only_while_it_lasts(
    world: World, app: Flask, reviewer: Visitor
) -> None:
    (first, *_) = anchored(world)
    reviewer.get("/desk/review/")
    assert "Practise 1 credential to get its work" in reviewer.page
    reviewer.get("/desk/review/practice")
    assert "Do a round before you get work." in reviewer.page
    reviewer.follow(reviewer.post(f"/desk/review/practice/{SHAPE_IDEAS}"))
    assert "Practice 1 of 3" in reviewer.page
    pieces = reviewer.links(r"/desk/review/[^/]+/evidence/[^/\"]+")
    assert reviewer.get(pieces[0]).status_code == 200
    assert 'href="/desk/review/practice"' in reviewer.page
    for _ in range(3):
        reviewer.get(reviewer_round(world))
        anchor = reviewer.page.split('name="anchor" value="')[1].split('"')[0]
        levels: dict[str, Any] = {f"level_{key}": level for key, level in PASSING.items()}
        answer = reviewer.post(reviewer_round(world), anchor=anchor, **levels)
        reviewer.follow(answer)
    assert "You agreed on 15 of 15 points" in reviewer.page
    assert reviewer.get(pieces[0]).status_code in (403, 404)
    for secret in SECRETS:
        assert not any(secret in body for body in reviewer.seen)
    assert first


def reviewer_round(world: World) -> str:
    with world.database.reading() as session:
        return f"/desk/review/practice/rounds/{session.scalars(select(CalibrationRound.public_id)).one()}"


def test_the_issuer_marks_an_anchor_on_the_page_of_a_decided_try(world: World, approver: Visitor) -> None:
    public_id = world.recommended()
    world.decide(public_id, "award")
    approver.get(f"/desk/approve/{public_id}")
    why: dict[str, Any] = {"text_why_p1-c1": "Counted."}
    levels: dict[str, Any] = {f"level_{key}": level for key, level in PASSING.items()}
    assert approver.post(f"/desk/approve/{public_id}/anchor", **levels).status_code == 409
    assert "teacher agreed in writing" in approver.page
    approver.follow(
        approver.post(
            f"/desk/approve/{public_id}/anchor",
            **levels,
            **why,
            teacher_agreed="yes",
        )
    )
    assert "Reviewers practise on this try" in approver.page
    approver.follow(approver.post(f"/desk/approve/{public_id}/anchor/retire"))
    assert "Use this try for practice" in approver.page


def test_work_of_somebody_erased_is_used_for_practice_no_more(world: World) -> None:
    anchored(world)
    with world.database.writing() as session:
        calibrating.begin(session, world.actor(world.reviewer), SHAPE_IDEAS, world.clock.now(), lambda: 0.5)
        teacher = session.scalars(
            select(Pursuit.person_id).join(Attempt, Attempt.pursuit_id == Pursuit.id).limit(1)
        ).one()
    with world.database.writing() as session:
        privacy.erase(
            session, teacher, grades=privacy.Grades.CANCEL, keep_badges=True, by=None, now=world.clock.now()
        )
    with world.database.reading() as session:
        assert session.scalars(select(Anchor.retired_at)).all().count(None) == ANCHORS - 1
        assert session.scalar(select(CalibrationRound)) is None
