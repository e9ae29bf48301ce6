"""Agreement, turnaround and workload on the issuer's page; figures of few tries are not shown."""

import pytest

from microcred.credentials.agreement import MINIMUM_PAIRS
from microcred.operations import reading_quality
from microcred.operations.errors import NotAllowed
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import PASSING, World

OTHER = PASSING | {"p1-c1": "passing", "p4-c1": "strong"}


def read_twice(world: World, count: int, *, start: int = 0) -> None:
    for number in range(start, start + count):
        public_id = world.submitted(world.join(f"Terry{number} Tryout"))
        for reviewer in (world.reviewer, world.other_reviewer):
            world.start(public_id, reviewer)
            second = reviewer == world.other_reviewer
            world.rate(public_id, OTHER if second and number % 2 else PASSING, by=reviewer)
            world.finish(public_id, "award", by=reviewer, chance=0.0)
        world.decide(public_id, "award")


def quality(world: World, person_id: int) -> reading_quality.Quality:
    with world.database.reading() as session:
        return reading_quality.quality(session, world.actor(person_id), world.clock.now())


def test_agreement_is_hidden_below_twenty_pairs_and_shown_from_there(world: World, approver: Visitor) -> None:
    read_twice(world, MINIMUM_PAIRS - 1)
    (row,) = quality(world, world.approver).credentials
    assert (row.pairs, row.drawn, row.agreement) == (MINIMUM_PAIRS - 1, MINIMUM_PAIRS - 1, None)
    approver.get("/desk/approve/quality")
    assert "Not yet" in approver.page
    read_twice(world, 1, start=MINIMUM_PAIRS - 1)
    (row,) = quality(world, world.approver).credentials
    assert row.agreement is not None
    assert (row.agreement.tries, row.agreement.points, row.agreement.same_result) == (20, 100, 1)
    assert row.agreement.exact == pytest.approx(0.8)
    approver.get("/desk/approve/quality")
    assert "80%" in approver.page
    assert "Not yet" not in approver.page


def test_turnaround_counts_the_day_that_was_promised_first(busy_world: World) -> None:
    world = busy_world
    world.decide(world.recommended(), "award")
    (row,) = quality(world, world.approver).credentials
    assert (row.decided, row.on_time, row.median_days) == (1, 1, 0)
    loads = {one.name: (one.open_reviews, one.finished) for one in quality(world, world.approver).reviewers}
    assert loads == {"Robin Reviewer": (0, 1), "Rowan Reviewer": (0, 0)}


def test_what_nobody_can_read_is_named(world: World, approver: Visitor) -> None:
    public_id = world.submitted()
    world.start(public_id)
    world.rate(public_id, PASSING)
    world.finish(public_id, "award", chance=0.0)
    world.start(public_id, world.other_reviewer)
    world.rate(
        public_id,
        PASSING | {"p1-c1": "not_evident", "p3-c1": "not_evident"},
        "Count.",
        by=world.other_reviewer,
    )
    world.finish(public_id, "revise", by=world.other_reviewer)
    assert world.state(public_id) == "adjudication"
    (row,) = quality(world, world.approver).credentials
    assert row.waiting_for_reader == 1
    approver.get("/desk/approve/quality")
    assert "1 without a reader: add a reviewer" in approver.page


@pytest.mark.parametrize("who", ["reviewer", "teacher", "stranger"])
def test_only_approvers_see_it(world: World, who: str) -> None:
    with pytest.raises(NotAllowed):
        quality(world, getattr(world, who))
