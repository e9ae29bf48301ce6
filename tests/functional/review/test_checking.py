"""The look before a review: what is not complete goes back, and no try is used up."""

import pytest
from flask import Flask
from sqlalchemy import select

from microcred.app.wiring import Assembly
from microcred.credentials.models import Attempt
from microcred.operations import checking, exporting, privacy, reading_queue
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import SECRETS, World

MISSING = "The second picture of Student A does not open."


def begin(world: World, public_id: str, by: int) -> None:
    with world.database.writing() as session:
        checking.begin(session, world.actor(by), public_id, world.clock.now())


def send_back(world: World, public_id: str, by: int, words: str = MISSING) -> None:
    with world.database.writing() as session:
        checking.send_back(session, world.actor(by), public_id, words, world.clock.now())


def test_what_does_not_open_goes_back_from_its_page_and_the_teacher_reads_why(
    world: World, app: Flask, assembly: Assembly, reviewer: Visitor
) -> None:
    public_id = world.submitted()
    reviewer.get(f"/desk/review/{public_id}")
    assert "Look first whether everything is here" in reviewer.page
    reviewer.follow(reviewer.post(f"/desk/review/{public_id}/check"))
    assert "Is everything here?" in reviewer.page
    assert world.state(public_id) == "checking"
    assert reviewer.post(f"/desk/review/{public_id}/incomplete", text_missing=" ").status_code == 409
    assert "Say why in a sentence or two." in reviewer.page
    reviewer.follow(reviewer.post(f"/desk/review/{public_id}/incomplete", text_missing=MISSING))
    assert world.state(public_id) == "draft"
    assert not any(secret in page for secret in SECRETS for page in reviewer.seen)
    teacher = Visitor.in_course(app, assembly, world, world.teacher, "read", "submit")
    teacher.get(teacher.home)
    assert MISSING in teacher.page
    assert "No try is used up." in teacher.page
    with world.database.reading() as session:
        attempt = session.scalars(select(Attempt)).one()
        assert (attempt.number, attempt.decision_due_at) == (1, None)


def test_what_is_complete_is_read_by_whoever_looked(world: World, reviewer: Visitor) -> None:
    public_id = world.submitted()
    begin(world, public_id, world.reviewer)
    begin(world, public_id, world.reviewer)  # a second press
    with world.database.reading() as session:
        others = reading_queue.queue(session, world.actor(world.other_reviewer), world.clock.now())
    assert others.rows == ()
    reviewer.follow(reviewer.get(f"/desk/review/{public_id}"))
    assert "Is everything here?" in reviewer.page
    reviewer.follow(reviewer.post(f"/desk/review/{public_id}/start"))
    assert world.state(public_id) == "in_review"
    with pytest.raises(OperationRefused, match="not possible now"):
        send_back(world, public_id, world.reviewer)


def test_only_a_reviewer_who_may_read_it_looks_and_only_who_looked_sends_back(world: World) -> None:
    public_id = world.submitted()
    for person, refusal in (
        (world.teacher, NotAllowed),
        (world.stranger, NotFound),
        (world.approver, NotFound),
    ):
        with pytest.raises(refusal):
            begin(world, public_id, person)
    begin(world, public_id, world.reviewer)
    with pytest.raises(OperationRefused, match="Another reviewer"):
        begin(world, public_id, world.other_reviewer)
    with pytest.raises(NotAllowed):
        send_back(world, public_id, world.other_reviewer)


def test_the_sentence_is_part_of_the_teachers_own_data_and_is_erased_with_it(world: World) -> None:
    public_id = world.submitted()
    begin(world, public_id, world.reviewer)
    send_back(world, public_id, world.reviewer)
    with world.database.writing() as session:
        assert MISSING in repr(exporting.export(session, world.teacher, by=None, now=world.clock.now()))
        grades = privacy.Grades.CANCEL
        privacy.erase(
            session, world.teacher, grades=grades, keep_badges=False, by=None, now=world.clock.now()
        )
    with world.database.reading() as session:
        assert session.scalars(select(Attempt.incomplete_because)).all() == [""]
