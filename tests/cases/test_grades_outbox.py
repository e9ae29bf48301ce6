"""Grade delivery: nothing lost, nothing twice, nothing out of order."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

import demo_lms
from demo_lms import Reply
from grade_passback.gradebook import Gradebook
from grade_passback.scores import Score, ScoreDraft
from microcred.database import SystemClock
from microcred.outbox import Job, Limit, Outcome, Policy, Worker
from microcred.outbox.claims import claim
from microcred.placements import Placement
from tests.support.grading import World, running, world_on


@pytest.fixture
def world(migrated_database_url: str) -> Iterator[World]:
    with world_on(migrated_database_url) as made:
        yield made


@pytest.mark.case("OU-01")
def test_score_is_sent_after_a_restart(world: World) -> None:
    course = world.course()
    world.score(world.learner(course, "u-1"), 85)
    # The process ends here: nothing but the database is left.
    restarted = Worker(world.database, world.clock, handlers={"score": world.handler})
    restarted.run_due()
    assert course.grade("u-1").score == 85


@pytest.mark.case("OU-02")
def test_decision_that_is_rolled_back_sends_nothing(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")

    def decide() -> None:
        with world.database.writing() as session:
            placement = session.get_one(Placement, course.placement_id)
            book = Gradebook.of(session, placement, learner.person_id, world.clock.now())
            assert book is not None
            assert book.write(ScoreDraft("main", "Completed", "FullyGraded", Score(85, 100), None), "awarded")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decide()
    world.deliver()
    assert world.rows() == []
    assert course.platform.log.count() == 0


@pytest.mark.case("OU-03")
def test_worker_that_died_after_the_post_changes_nothing(world: World) -> None:
    course = world.course()
    row = world.score(world.learner(course, "u-1"), 85)
    with world.database.writing() as session:
        taken = claim(session, now=world.clock.now(), lease=timedelta(seconds=60), room=lambda view: 8)
    (job,) = taken.jobs
    world.handler(job)  # the platform has the score; the worker dies before it writes that down
    assert len(course.scores()) == 1
    world.deliver()
    assert len(course.scores()) == 1, "another worker leaves it alone while the lease lasts"
    world.clock.pass_(seconds=61)
    world.deliver()
    first, second = (post.body for post in course.scores())
    assert first == second
    assert world.row(row).state == "delivered"
    applied = [event for event in course.column().history if event.applied]
    assert len(applied) == 1, "one change in the gradebook"


@pytest.mark.case("OU-04")
def test_two_workers_never_send_one_row_at_once(world: World) -> None:
    course = world.course()
    for n in range(60):
        world.score(world.learner(course, f"u-{n}"), n)
    busy: set[int] = set()
    twice: list[int] = []
    lock = threading.Lock()

    def noting(job: Job) -> Outcome:
        with lock:
            if job.id in busy:
                twice.append(job.id)
            busy.add(job.id)
        outcome = world.handler(job)
        with lock:
            busy.discard(job.id)
        return outcome

    first = world.worker(handler=noting, clock=SystemClock())
    second = world.worker(handler=noting, clock=SystemClock())
    with running(first), running(second):
        course.platform.log.wait_for("scores", 60, timeout=60)
        time.sleep(0.2)
    assert twice == []
    assert len(course.scores()) == 60
    assert set(world.states()) == {"delivered"}


@pytest.mark.case("OU-06")
def test_gradebook_ends_with_the_newest_decision(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    course.platform.script.on("scores", Reply(drop="before"))
    world.score(learner, 70)
    world.deliver()
    world.clock.pass_(minutes=1)
    world.score(learner, 85)
    world.deliver_for(minutes=5)
    assert course.grade("u-1").score == 85
    assert [post.json["scoreGiven"] for post in course.scores()] == [70, 85]
    assert world.states() == ["superseded", "delivered"]


@pytest.mark.case("OU-08")
def test_clock_that_steps_back_keeps_timestamps_rising(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    world.score(learner, 70)
    world.deliver()
    world.clock.pass_(hours=-1)
    world.score(learner, 85)
    world.clock.pass_(hours=2)
    world.deliver()
    assert [post.json["timestamp"] for post in course.scores()] == [
        "2026-03-02T09:00:00.000Z",
        "2026-03-02T09:00:01.000Z",
    ]
    assert course.grade("u-1").score == 85


@pytest.mark.case("OU-09")
def test_ten_presses_make_one_row(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    assert [world.score(learner, 85) is not None for _ in range(10)] == [True] + [False] * 9
    world.deliver()
    assert world.score(learner, 85) is None
    world.deliver()
    assert len(course.scores()) == 1


@pytest.mark.case("OU-11")
def test_long_outage_ends_in_one_post_for_each_learner(world: World) -> None:
    course = world.course()
    learners = [world.learner(course, f"u-{n}") for n in range(20)]
    course.platform.script.on("scores", Reply(503), times=None)
    worker = world.worker(policy=Policy(limit_of=lambda _: Limit(concurrency=4)))
    for version in (60, 70, 80):
        for n, learner in enumerate(learners):
            world.score(learner, version + n / 10)
        for _ in range(32):
            worker.run_due()
            world.clock.pass_(minutes=30)
    during = len(course.scores())
    course.platform.script.clear()
    world.deliver_for(hours=2)
    after = course.scores()[during:]
    assert sorted(post.json["scoreGiven"] for post in after) == sorted(80 + n / 10 for n in range(20))
    assert [course.grade(f"u-{n}").score for n in range(20)] == [80 + n / 10 for n in range(20)]


@pytest.mark.case("OU-13")
def test_coordinator_sees_state_reason_and_what_to_do(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    secret = {"error": "denied", "token": "Bearer abcdef.ghijkl"}
    course.platform.script.on("scores", Reply(503, body=secret))
    row = world.score(learner, 85)
    assert world.sync(learner).words == "On its way to the LMS."
    world.deliver()
    seen = world.sync(learner)
    assert seen.words == "The LMS did not answer. The grade is kept and sent again by itself."
    assert seen.tried_at == world.clock.now()
    assert seen.sent == "85 of 100"
    assert seen.can_retry
    world.deliver_for(minutes=1)
    assert world.sync(learner).words == "In the gradebook."
    assert not world.sync(learner).can_retry
    printed = capsys.readouterr()
    for text in (str(world.row(row).last_answer), printed.out, printed.err):
        assert "abcdef" not in text
        assert "client_assertion" not in text


@pytest.mark.case("NE-04")
def test_slow_answer_ends_at_the_deadline(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    course = world.course()
    # The deadline of a service call is 20 s; the same call with a shorter one shows that it ends.
    real = world.outgoing.request
    monkeypatch.setattr(world.outgoing, "request", lambda *a, **k: real(*a, **{**k, "deadline": 1.0}))
    course.platform.script.on("scores", Reply(200, body="x" * 60, trickle=1.0))
    row = world.score(world.learner(course, "u-1"), 85)
    started = time.monotonic()
    world.deliver()
    assert time.monotonic() - started < 5
    assert (world.row(row).state, world.row(row).reason) == ("waiting", "timeout")


@pytest.mark.case("NE-08")
def test_hanging_platform_does_not_slow_another(world: World) -> None:
    hanging, healthy = world.course(), world.course()
    hanging.platform.script.on("scores", Reply(delay=600), times=None)
    for n in range(30):
        world.score(world.learner(hanging, f"u-{n}"), n)
    for n in range(30):
        world.score(world.learner(healthy, f"u-{n}"), n)
    with running(world.worker(clock=SystemClock())):
        hanging.platform.log.all("scores")
        started = time.monotonic()
        healthy.platform.log.wait_for("scores", 30, timeout=20)
        took = time.monotonic() - started
        assert took < 10
        assert len(hanging.scores()) <= 8
        hanging.server.close()


def test_lms_down_then_up_gets_each_score_once_and_in_order(world: World) -> None:
    course = world.course()
    learners = [world.learner(course, f"u-{n}") for n in range(5)]
    for n, learner in enumerate(learners):
        world.score(learner, n)
    port = course.server.port
    course.server.close()
    worker = world.worker()
    for _ in range(4):
        worker.run_due()
        world.clock.pass_(minutes=5)
    assert set(world.states()) == {"waiting"}
    with demo_lms.serve(course.platform, "127.0.0.1", port):
        world.deliver_for(hours=1)
        assert [course.grade(f"u-{n}").score for n in range(5)] == list(range(5))
        assert len(course.scores()) == 5
    assert set(world.states()) == {"delivered"}
