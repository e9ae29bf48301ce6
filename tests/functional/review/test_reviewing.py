"""Taking a try, rating it, finishing: what happens, and what is refused in words."""

import pytest
from sqlalchemy import func, select

from microcred.credentials.models import Attempt, Award, Decision, Pursuit, Rating, Response, Review
from microcred.operations import decide, reading_queue, reading_review, review
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.operations.review import Entry, NotReady
from microcred.people import grant
from microcred.people.models import AuditEvent, Person, RoleGrant
from tests.functional.review.world import PASSING, REVISIONS, World


def queue(world: World, person_id: int) -> reading_queue.Queue:
    with world.database.reading() as session:
        return reading_queue.queue(session, world.actor(person_id), world.clock.now())


def desk(world: World, public_id: str) -> reading_review.Desk:
    with world.database.reading() as session:
        return reading_review.desk(session, world.actor(world.reviewer), public_id)


def test_a_submitted_try_is_in_every_reviewers_queue_and_in_nobody_elses(world: World) -> None:
    public_id = world.submitted()
    for person in (world.reviewer, world.other_reviewer):
        (row,) = queue(world, person).rows
        assert (row.public_id, row.mine, row.number, row.items) == (public_id, False, 1, 6)
        assert row.words == 5 * 13
    for person in (world.teacher, world.approver, world.stranger):
        assert queue(world, person).rows == ()


def test_the_queue_is_due_soonest_first_and_paged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_queue, "QUEUE_PAGE", 2)
    first = world.submitted(world.teacher)
    world.clock.pass_(days=-1)
    sooner = world.submitted(world.stranger)
    world.clock.pass_(days=2)
    later = world.submitted(world.approver)
    page = queue(world, world.reviewer)
    assert [row.public_id for row in page.rows] == [sooner, first]
    with world.database.reading() as session:
        rest = reading_queue.queue(session, world.actor(world.reviewer), world.clock.now(), after=page.after)
    assert [row.public_id for row in rest.rows] == [later]
    assert rest.after is None


def test_starting_makes_it_mine_and_takes_it_from_the_others(world: World) -> None:
    public_id = world.submitted()
    world.start(public_id)
    world.start(public_id)  # a second click changes nothing
    assert world.state(public_id) == "in_review"
    assert [row.mine for row in queue(world, world.reviewer).rows] == [True]
    assert queue(world, world.other_reviewer).rows == ()
    with pytest.raises(OperationRefused, match="Another reviewer has just taken this one"):
        world.start(public_id, world.other_reviewer)
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == 1
        events = session.scalars(select(AuditEvent.action).where(AuditEvent.subject_type == "attempt")).all()
    assert events == ["review_started"]


def test_nobody_reviews_their_own_work_even_under_a_merged_account(world: World) -> None:
    public_id = world.submitted(world.reviewer)
    assert queue(world, world.reviewer).rows == ()
    with pytest.raises(OperationRefused):
        world.start(public_id, world.reviewer)
    merged = world.submitted(world.stranger)
    with world.database.writing() as session:
        session.get_one(Person, world.stranger).merged_into_id = world.reviewer
    assert queue(world, world.reviewer).rows == ()
    with pytest.raises(OperationRefused):
        world.start(merged, world.reviewer)
    assert world.state(merged) == "submitted"


def test_a_stranger_is_not_told_that_a_try_exists(world: World) -> None:
    public_id = world.submitted()
    with pytest.raises(NotFound):
        world.start(public_id, world.stranger)
    with world.database.reading() as session, pytest.raises(NotFound):
        reading_review.waiting(session, world.actor(world.stranger), public_id)


def test_a_lapsed_grant_closes_the_desk(world: World) -> None:
    public_id = world.submitted()
    world.start(public_id)
    with world.database.writing() as session:
        for row in session.scalars(select(RoleGrant).where(RoleGrant.person_id == world.reviewer)):
            row.valid_to = world.clock.now()
    with pytest.raises(OperationRefused):
        world.rate(public_id, PASSING)


def test_ratings_and_comments_are_kept_one_by_one(world: World) -> None:
    public_id = world.submitted()
    world.start(public_id)
    world.rate(public_id, {"p1-c1": "strong"}, "First words.")
    world.rate(public_id, {"p1-c1": "passing"}, "Better words.")
    with world.database.writing() as session:
        actor = world.actor(world.reviewer)
        review.save_ratings(
            session,
            actor,
            public_id,
            {"p1-c2": Entry(comment="A comment before a level.")},
            private_note="Odd.",
            now=world.clock.now(),
        )
    found = desk(world, public_id)
    assert (found.ratings["p1-c1"].level, found.ratings["p1-c1"].comment) == ("passing", "Better words.")
    assert (found.ratings["p1-c2"].level, found.private_note) == (None, "Odd.")
    assert [criterion.id for _, criterion in found.unrated] == ["p1-c2", "p2-c1", "p3-c1", "p4-c1"]


@pytest.mark.parametrize("ratings", [{"p9-c9": "passing"}, {"p1-c1": "yes"}])
def test_an_unknown_point_or_level_is_refused_and_changes_nothing(
    world: World, ratings: dict[str, str]
) -> None:
    public_id = world.submitted()
    world.start(public_id)
    with pytest.raises(NotFound):
        world.rate(public_id, PASSING | ratings)
    assert desk(world, public_id).ratings == {}


def test_finishing_needs_every_point_and_a_comment_where_it_does_not_pass(world: World) -> None:
    public_id = world.submitted()
    world.start(public_id)
    with pytest.raises(NotReady, match="still need a rating"):
        world.finish(public_id, "award")
    world.rate(public_id, REVISIONS, comment="  ")
    assert [criterion.id for _, criterion in desk(world, public_id).uncommented] == ["p1-c2", "p4-c1"]
    with pytest.raises(NotReady, match="Say what to change"):
        world.finish(public_id, "revise")
    assert world.state(public_id) == "in_review"


def test_the_recommendation_follows_from_the_passing_rule(world: World) -> None:
    public_id = world.submitted()
    world.start(public_id)
    world.rate(public_id, PASSING)
    with pytest.raises(NotReady, match="have changed"):
        world.finish(public_id, "revise")
    assert world.finish(public_id, "award") == "award"
    assert world.finish(public_id, "award") == "award"  # a double click
    assert world.state(public_id) == "recommended"
    with pytest.raises(OperationRefused, match="finished"):
        world.rate(public_id, {"p1-c1": "not_evident"})


def test_revisions_open_the_next_try_with_passed_parts_kept(world: World) -> None:
    public_id = world.submitted()
    world.start(public_id)
    world.rate(public_id, REVISIONS, "Count something before and after.")
    assert world.finish(public_id, "revise") == "revise"
    assert world.state(public_id) == "revisions_requested"
    again = world.resubmit(public_id)
    (row,) = queue(world, world.other_reviewer).rows
    assert (row.public_id, row.number, row.words, row.items) == (again, 2, 3 * 13, 0)

    world.start(again)
    found = desk(world, again)
    assert found.locked_parts == {"p2", "p3"}
    assert found.ratings["p2-c1"].level == "yes"
    assert [criterion.id for _, criterion in found.to_rate] == ["p1-c1", "p1-c2", "p4-c1"]
    with pytest.raises(OperationRefused, match="kept as it was"):
        world.rate(again, {"p2-c1": "no"})
    world.rate(again, {"p1-c1": "strong", "p1-c2": "passing", "p4-c1": "passing"})
    assert world.finish(again, "award") == "award"


def test_new_words_are_marked_against_the_earlier_try(world: World) -> None:
    public_id = world.submitted()
    world.start(public_id)
    world.rate(public_id, REVISIONS, "Count something.")
    world.finish(public_id, "revise")
    again = world.resubmit(public_id)
    with world.database.writing() as session:
        attempt = session.scalars(select(Attempt).where(Attempt.public_id == again)).one()
        answer = session.scalars(
            select(Response).where(Response.attempt_id == attempt.id, Response.prompt_id == "p1-q2")
        ).one()
        answer.body = "We listed ideas alone first.\n\nThen the notes went from 41 to 97, in 14 clusters."
    world.start(again)
    answers = desk(world, again).parts[0].answers
    assert not answers[0].has_new
    assert [run.text.strip() for paragraph in answers[1].paragraphs for run in paragraph if run.new] == [
        "97, in 14 clusters."
    ]


def test_a_returned_review_is_the_same_reviewers_again(world: World) -> None:
    public_id = world.recommended()
    world.decide(public_id, "return_to_reviewer", "Look at Part 4 once more.")
    assert queue(world, world.other_reviewer).rows == ()
    (row,) = queue(world, world.reviewer).rows
    assert row.returned
    assert desk(world, public_id).return_note == "Look at Part 4 once more."
    world.rate(public_id, {"p4-c1": "strong"})
    assert world.state(public_id) == "in_review"
    world.finish(public_id, "award")
    assert world.decide(public_id, "award").award_public_id


def test_whoever_decided_once_does_not_review_the_same_persons_work(world: World) -> None:
    with world.database.writing() as session:
        grant(
            session,
            person_id=world.approver,
            role="reviewer",
            organization_id=world.issuer_id,
            now=world.clock.now(),
            by=None,
        )
    public_id = world.recommended()
    world.decide(public_id, "return_to_reviewer", "Look again.")
    world.rate(public_id, REVISIONS, "Count something.")
    world.finish(public_id, "revise")
    again = world.resubmit(public_id)
    assert queue(world, world.approver).rows == ()
    with pytest.raises(NotAllowed, match="decided about this work before"):
        world.start(again, world.approver)
    world.start(again, world.reviewer)


def test_every_opening_of_evidence_is_on_record(world: World) -> None:
    public_id = world.submitted()
    world.start(public_id)
    item = desk(world, public_id).parts[1].items[0]
    assert item.name == "Student A, item 1"
    with world.database.writing() as session:
        actor = world.actor(world.reviewer)
        piece = reading_review.piece(session, actor, public_id, item.public_id)
        review.record_opening(session, actor, piece, world.clock.now())
    with world.database.reading() as session:
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "evidence_opened"))
        assert (event.actor_id, event.subject_id) == (world.reviewer, str(piece.row_id))
        for person in (world.other_reviewer, world.approver, world.stranger):
            with pytest.raises((NotAllowed, NotFound)):
                reading_review.piece(session, world.actor(person), public_id, item.public_id)


def test_only_the_ratings_of_the_review_stand_behind_an_award(world: World) -> None:
    world.clock.pass_(hours=1)
    public_id = world.recommended()
    decided = world.decide(public_id, "award")
    with world.database.reading() as session:
        award = session.scalars(select(Award).where(Award.public_id == decided.award_public_id)).one()
        decision = session.get_one(Decision, award.decision_id)
        levels = session.execute(
            select(Rating.criterion_id, Rating.level).where(Rating.review_id == decision.review_id)
        )
        owner = session.get_one(Pursuit, award.pursuit_id).person_id
        assert dict(levels.all()) == PASSING
        assert (award.person_id, award.approved_by_id, award.clock_hours) == (owner, world.approver, 10)
        assert award.awarded_at == world.clock.now()
    assert decide.KINDS.keys() == {"award", "deny", "return_to_reviewer", "request_revisions"}
