"""Grade delivery: what each answer of a platform leads to."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from demo_lms import Reply
from demo_lms.claims import line_item_url
from grade_passback import retry
from grade_passback.wire import SCORE_SCOPE, stamp_text
from lti_tool.models import Registration
from microcred.outgoing import Answer, Code, OutgoingError
from tests.support.grading import Course, Learner, World, world_on


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with world_on(migrated_sqlite_url) as made:
        yield made


def answered(world: World, reply: Reply, *, times: int | None = 1) -> tuple[Course, Learner, int | None]:
    """A score whose post is answered so; the course, the learner and the row."""
    course = world.course()
    learner = world.learner(course, "u-1")
    course.platform.script.on("scores", reply, times=times)
    row = world.score(learner, 85)
    world.deliver()
    return course, learner, row


@pytest.mark.case("SC-403")
def test_missing_scope_is_blocked_and_not_hammered(world: World) -> None:
    course, learner, row = answered(world, Reply(403, body={"error": "insufficient scope"}))
    world.deliver_for(minutes=5)
    assert (world.row(row).state, world.row(row).reason) == ("blocked", "scope_missing")
    assert len(course.scores()) == 1
    assert "does not let this tool write grades" in world.sync(learner).words
    assert world.sync(learner).can_retry


@pytest.mark.case("SC-404")
def test_deleted_column_that_has_another_address_is_found(world: World) -> None:
    course, _, row = answered(world, Reply(404), times=0)
    old = course.column()
    moved = course.platform.add_line_item("c-1", "moved", 100, resource_id=old.resource_id, tag=old.tag)
    learner = world.learner(course, "u-2")
    del course.platform.line_items[old.id]
    row = world.score(learner, 85)
    world.deliver()
    assert world.row(row).state == "delivered"
    assert moved.grades["u-2"].score == 85
    world.score(world.learner(course, "u-3", lineitem_url=None), 70)
    posts = len(course.scores())
    world.deliver()
    assert moved.grades["u-3"].score == 70
    assert len(course.scores()) == posts + 1, "the new address was kept"


@pytest.mark.case("SC-404", choice="not made again: somebody deleted it")
def test_deleted_column_is_not_made_again(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    course.platform.line_items.clear()
    row = world.score(learner, 85)
    world.deliver()
    assert (world.row(row).state, world.row(row).reason) == ("blocked", "line_item_missing")
    assert not [r for r in course.platform.log.all("lineitems") if r.method == "POST"]


@pytest.mark.case("SC-USR")
@pytest.mark.parametrize(
    ("status", "text"),
    [(400, "User could not be found"), (403, "The user is not enrolled"), (404, "User 17 does not exist")],
)
def test_person_who_left_is_told_apart_from_a_missing_column(world: World, status: int, text: str) -> None:
    course = world.course()
    gone, here = world.learner(course, "u-1"), world.learner(course, "u-2")
    course.platform.script.on(
        "scores", Reply(status, body={"title": text}), times=None, match=lambda r: r.json["userId"] == "u-1"
    )
    rows = [world.score(gone, 80), world.score(here, 90)]
    world.deliver()
    assert [world.row(row).state for row in rows] == ["blocked", "delivered"]
    assert world.row(rows[0]).reason == "user_not_in_course"
    assert course.platform.log.count("lineitems") == 0


@pytest.mark.case("SC-409")
def test_too_old_but_equal_is_delivered(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    course.platform.script.on("scores", Reply(409, apply=True))
    row = world.score(learner, 85)
    world.deliver()
    assert world.row(row).state == "delivered"
    assert course.platform.log.last("results").query == "user_id=u-1"
    assert len(course.scores()) == 1


@pytest.mark.case(
    "SC-409", choice="an older different value: sent once more with a later stamp, then shown to a person"
)
def test_too_old_and_different_is_stamped_once_more_then_shown(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    item = course.column()
    world.score(learner, 40)
    world.deliver()
    item.grades["u-1"].timestamp = stamp_text(world.clock.now() + timedelta(days=30))
    row = world.score(learner, 85)
    world.deliver()
    assert [r.state for r in world.rows()] == ["delivered", "superseded", "blocked"]
    assert world.rows()[-1].reason == "conflict"
    stamps = [post.json["timestamp"] for post in course.scores()]
    assert stamps == sorted(set(stamps))
    assert len(stamps) == 3
    assert world.row(row).reason == "stamped_again"
    assert "changed in the LMS" in world.sync(learner).words


@pytest.mark.case("SC-409")
def test_too_old_is_stamped_once_more_where_the_other_stamp_is_past(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    course.platform.script.on("scores", Reply(409))
    world.score(learner, 85)
    world.deliver()
    assert [r.state for r in world.rows()] == ["superseded", "delivered"]
    assert course.grade("u-1").score == 85


@pytest.mark.case("SC-409")
def test_too_old_that_cannot_be_read_back_is_unverified(world: World) -> None:
    course = world.course(scopes=(SCORE_SCOPE,))
    learner = world.learner(course, "u-1")
    course.platform.script.on("scores", Reply(409))
    row = world.score(learner, 85)
    world.deliver()
    assert world.row(row).state == "unverified"
    assert world.sync(learner).can_retry


@pytest.mark.case("SC-422")
def test_unprocessable_is_kept_with_what_the_platform_said(world: World) -> None:
    said = {"errors": [{"message": "No"}], "access_token": "secret-secret", "mail": "terry@demo.invalid"}
    course, _, row = answered(world, Reply(422, body=said))
    world.deliver_for(minutes=5)
    kept = world.row(row)
    assert (kept.state, (kept.last_answer or {})["status"]) == ("blocked", 422)
    assert '"message": "No"' in (kept.last_answer or {})["body"]
    assert "secret" not in str(kept.last_answer)
    assert "terry@" not in str(kept.last_answer)
    assert len(course.scores()) == 1


@pytest.mark.case("SC-429")
def test_throttling_platform_rests_and_others_go_on(world: World) -> None:
    first, second = world.course(), world.course()
    a, a2, b = world.learner(first, "u-1"), world.learner(first, "u-2"), world.learner(second, "u-1")
    first.platform.script.on("scores", Reply(429, {"Retry-After": "30"}))
    worker = world.worker()
    row = world.score(a, 85)
    worker.run_due()
    world.score(a2, 70)
    world.score(b, 90)
    world.clock.pass_(seconds=29)
    worker.run_due()
    assert len(first.scores()) == 1
    assert second.grade("u-1").score == 90
    world.clock.pass_(seconds=1)
    worker.run_due()
    assert world.row(row).state == "delivered"
    assert first.grade("u-2").score == 70


@pytest.mark.case("SC-5XX")
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_two_hours_of_trouble_end_in_one_delivery(world: World, status: int) -> None:
    course, _, row = answered(world, Reply(status), times=None)
    world.deliver_for(hours=2)
    assert world.row(row).state == "waiting"
    course.platform.script.clear()
    world.deliver_for(hours=1.1)
    assert world.row(row).state == "delivered"
    assert len(course.scores()) <= 15
    assert len({post.body for post in course.scores()}) == 1


@pytest.mark.case("SC-5XXb")
def test_three_days_of_trouble_end_in_a_row_that_somebody_sees(world: World) -> None:
    course, learner, row = answered(world, Reply(503), times=None)
    worker = world.worker()
    for _ in range(90):
        world.clock.pass_(hours=1)
        worker.run_due()
    assert world.row(row).state == "dead"
    assert "three days" in world.sync(learner).words
    assert world.sync(learner).can_retry
    course.platform.script.clear()
    with world.database.writing() as session:
        assert row is not None
        assert retry(session, row, now=world.clock.now(), placement_id=course.placement_id)
    world.deliver()
    assert course.grade("u-1").score == 85


@pytest.mark.case("SC-405")
@pytest.mark.parametrize("status", [405, 406, 415])
def test_wrong_kind_of_request_is_not_repeated(world: World, status: int) -> None:
    course, _, row = answered(world, Reply(status), times=None)
    world.deliver_for(minutes=5)
    assert (world.row(row).state, world.row(row).reason) == ("blocked", "config_error")
    assert len(course.scores()) == 1


@pytest.mark.case("NE-01")
def test_lost_answer_is_repeated_byte_for_byte(world: World) -> None:
    course, _, row = answered(world, Reply(drop="after"))
    world.deliver_for(minutes=1)
    bodies = [post.body for post in course.scores()]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    # The demo platform answers 409 to an equal timestamp; the result is ours, so it is delivered.
    assert world.row(row).state == "delivered"
    assert course.grade("u-1").score == 85


@pytest.mark.case("NE-02")
def test_refused_connection_then_unknown_name_then_success(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    troubles: list[Code] = ["connect", "dns"]
    real = world.outgoing.request

    def troubled(*args: Any, **kwargs: Any) -> Answer:
        if troubles:
            raise OutgoingError(troubles.pop(0))
        return real(*args, **kwargs)

    monkeypatch.setattr(world.outgoing, "request", troubled)
    row = world.score(learner, 85)
    world.deliver()
    assert world.row(row).reason == "connect"
    world.deliver_for(minutes=2)
    assert world.row(row).state == "delivered"
    assert world.row(row).attempts == 3
    assert len(course.scores()) == 1


@pytest.mark.case("NE-06")
@pytest.mark.parametrize(
    "url",
    [
        "http://evil.test/li/1",
        "https://10.0.0.1/li/1",
        "https://169.254.169.254/li",
        "https://evil.test/li/1",
    ],
)
def test_line_item_elsewhere_is_refused_without_a_request(world: World, url: str) -> None:
    course = world.course()
    row = world.score(world.learner(course, "u-1", lineitem_url=url), 85)
    world.deliver()
    assert (world.row(row).state, world.row(row).reason) == ("blocked", "url_not_allowed")
    assert course.platform.log.count() == 0


def test_redirect_is_not_followed(world: World) -> None:
    _, _, row = answered(world, Reply.redirect("http://127.0.0.1:9/elsewhere"))
    assert (world.row(row).state, world.row(row).reason) == ("blocked", "unexpected_redirect")


@pytest.mark.case("RE-01")
def test_teachers_own_grade_is_not_overwritten_where_it_would_be(world: World) -> None:
    course = world.course(lms="canvas")
    learner = world.learner(course, "u-1")
    world.score(learner, 85)
    world.deliver()
    grade = course.grade("u-1")
    grade.score, grade.maximum, grade.from_teacher = 60.0, 100.0, True
    row = world.score(learner, 90, comment="Appeal decided.")
    world.deliver()
    assert (world.row(row).state, world.row(row).reason) == ("blocked", "conflict")
    assert course.grade("u-1").score == 60
    assert "changed in the LMS" in world.sync(learner).words


def test_person_may_insist_on_our_grade(world: World) -> None:
    course = world.course(lms="canvas")
    learner = world.learner(course, "u-1")
    world.score(learner, 85)
    world.deliver()
    course.grade("u-1").score = 60.0
    row = world.score(learner, 90, comment="Appeal decided.")
    world.deliver()
    assert row is not None
    with world.database.writing() as session:
        assert retry(session, row, now=world.clock.now(), placement_id=course.placement_id)
    world.deliver()
    assert course.grade("u-1").score == 90
    assert world.sync(learner).words == "In the gradebook."


def test_disabled_registration_keeps_its_rows(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    row = world.score(learner, 85)
    with world.database.writing() as session:
        session.get_one(Registration, course.registration_id).state = "disabled"
    world.deliver()
    assert course.platform.log.count() == 0
    assert (world.row(row).state, world.row(row).reason) == ("waiting", "registration_inactive")
    assert "switched off" in world.sync(learner).words


def test_line_item_address_is_that_of_the_demo_platform(world: World) -> None:
    course = world.course()
    assert line_item_url(course.platform, course.column()).startswith(course.server.url)
