"""The comment bank, flags, and giving work back because its teacher is known."""

import pytest
from sqlalchemy import select

from microcred.credentials.models import Attempt, Review
from microcred.credentials.review_models import SavedComment
from microcred.operations import flagging, reading_decide, reading_queue
from microcred.operations.errors import NotAllowed, NotFound
from microcred.people.models import AuditEvent
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import PASSING, World

WORDS = "Count the notes before and after."


def test_a_comment_is_kept_used_in_the_next_try_and_dropped(world: World, reviewer: Visitor) -> None:
    first, second = world.submitted(), world.submitted(world.stranger)
    world.start(first)
    world.start(second)
    reviewer.get(f"/desk/review/{first}?part=p1")
    form = {"part": "p1", "level_p1-c1": "passing", "text_comment_p1-c1": WORDS}
    reviewer.follow(reviewer.post(f"/desk/review/{first}/ratings", **form, keep="p1-c1"))  # type: ignore[arg-type]
    assert "Your comments for this point: 1" in reviewer.page
    reviewer.follow(reviewer.post(f"/desk/review/{first}/ratings", **form, keep="p1-c1"))  # type: ignore[arg-type]
    with world.database.reading() as session:
        (kept,) = session.scalars(select(SavedComment)).all()  # the same words are kept once
    reviewer.get(f"/desk/review/{second}?part=p1")
    begun = {"part": "p1", "text_comment_p1-c1": "Well begun."}
    reviewer.follow(reviewer.post(f"/desk/review/{second}/ratings", **begun, use=str(kept.id)))  # type: ignore[arg-type]
    assert f"Well begun.\n\n{WORDS}" in reviewer.page
    reviewer.follow(reviewer.post(f"/desk/review/{second}/ratings", part="p1", drop=str(kept.id)))
    assert "Your comments for this point: 1" not in reviewer.page
    assert reviewer.post(f"/desk/review/{second}/ratings", part="p1", use="9" * 30).status_code == 303
    assert reviewer.post(f"/desk/review/{second}/ratings", part="p1", use=str(kept.id)).status_code == 404


def test_the_bank_is_each_reviewers_own(world: World, app: object, reviewer: Visitor) -> None:
    public_id, other = world.submitted(), world.submitted(world.stranger)
    world.start(public_id, world.other_reviewer)
    world.start(other)
    world.rate(public_id, {"p1-c1": "passing"}, WORDS, by=world.other_reviewer)
    reviewer.get(f"/desk/review/{other}?part=p1")
    assert WORDS not in reviewer.page
    answer = reviewer.post(f"/desk/review/{public_id}/ratings", part="p1", keep="p1-c1")
    assert answer.status_code == 403


def test_a_flag_reaches_the_approver_and_is_settled(
    world: World, reviewer: Visitor, approver: Visitor
) -> None:
    public_id = world.submitted()
    world.start(public_id)
    reviewer.get(f"/desk/review/{public_id}")
    assert reviewer.post(f"/desk/review/{public_id}/flag", kind="copying").status_code == 409
    reviewer.get(f"/desk/review/{public_id}")
    reviewer.follow(
        reviewer.post(
            f"/desk/review/{public_id}/flag", kind="copying", text_detail="Part 1 reads like a page I know."
        )
    )
    world.recommended_by_now(public_id)
    approver.get(f"/desk/approve/{public_id}")
    assert "It looks copied, or written by a machine" in approver.page
    (settle,) = approver.links(rf"/desk/approve/{public_id}/flags/\d+")
    approver.follow(approver.post(settle))
    assert "Looked at." in approver.page
    with world.database.reading() as session:
        actions = session.scalars(
            select(AuditEvent.action).where(AuditEvent.action.like("flag_%")).order_by(AuditEvent.id)
        ).all()
        flags = reading_decide.case(session, world.actor(world.approver), public_id).flags
    assert actions == ["flag_raised", "flag_settled"]
    assert [flag.settled for flag in flags] == [True]


def test_only_an_assigned_reviewer_flags(world: World) -> None:
    public_id = world.submitted()
    world.start(public_id)
    for person in (world.other_reviewer, world.approver, world.stranger):
        with world.database.writing() as session, pytest.raises((NotAllowed, NotFound)):
            flagging.raise_flag(session, world.actor(person), public_id, "concern", "Why.", world.clock.now())


def test_who_knows_the_teacher_gives_the_work_back_for_good(world: World, reviewer: Visitor) -> None:
    public_id = world.submitted()
    world.start(public_id)
    world.rate(public_id, {"p1-c1": "strong"})
    reviewer.get(f"/desk/review/{public_id}")
    reviewer.follow(reviewer.post(f"/desk/review/{public_id}/conflict"))
    assert public_id not in reviewer.page
    with world.database.reading() as session:
        rows = session.scalars(select(Review).order_by(Review.id)).all()
        assert [(row.reviewer_id, row.released_because) for row in rows] == [
            (world.reviewer, "conflict"),
            (world.other_reviewer, None),
        ]
    world.start(public_id, world.other_reviewer)
    ratings = PASSING | {"p1-c2": "revisions_needed", "p4-c1": "not_evident"}
    world.rate(public_id, ratings, "Count.", by=world.other_reviewer)
    world.finish(public_id, "revise", by=world.other_reviewer)
    again = world.resubmit(public_id)
    with world.database.reading() as session:
        assert reading_queue.queue(session, world.actor(world.reviewer), world.clock.now()).rows == ()
        assert session.scalars(select(Attempt).where(Attempt.public_id == again)).one()
    with pytest.raises(NotAllowed, match="know whose work"):
        world.start(again)


def test_with_nobody_else_it_waits_free_to_take(world: World) -> None:
    public_id = world.submitted(world.other_reviewer)
    world.start(public_id)
    with world.database.writing() as session:
        flagging.declare_conflict(
            session, world.actor(world.reviewer), public_id, world.clock.now(), lambda: 0.0
        )
    third = world.join("Reese Reviewer", "reviewer")
    with world.database.reading() as session:
        (row,) = reading_queue.queue(session, world.actor(third), world.clock.now()).rows
    assert (row.public_id, row.mine) == (public_id, False)
    world.start(public_id, third)
    assert world.state(public_id) == "in_review"
