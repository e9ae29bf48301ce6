"""Grade delivery: what is sent, and that it is sent once (AGS 2.0, section 3.4)."""

import json
from collections.abc import Iterator

import pytest

from demo_lms import Reply
from demo_lms.claims import line_item_url
from grade_passback.comments import CommentFacts, comment_for, plain_text
from grade_passback.scores import Score
from grade_passback.wire import SCORE_SCOPE, number, service_url
from tests.support.grading import SCORE_TYPE, World, world_on


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with world_on(migrated_sqlite_url) as made:
        yield made


@pytest.mark.case("AG-01")
def test_award_is_one_post_with_the_score(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    row = world.score(learner, 85, 100)

    world.deliver()

    (post,) = course.scores()
    assert post.path.endswith("/scores")
    assert post.headers["Content-Type"] == SCORE_TYPE
    assert post.json == {
        "userId": "u-1",
        "timestamp": "2026-03-02T09:00:00.000Z",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "scoreGiven": 85,
        "scoreMaximum": 100,
        "comment": "Earned.",
    }
    assert world.row(row).state == "delivered"
    assert course.grade("u-1").score == 85


@pytest.mark.case("AG-02")
@pytest.mark.parametrize(("status", "body"), [(200, ""), (200, "{}"), (201, ""), (204, None)])
def test_every_success_counts_as_delivered(world: World, status: int, body: str | None) -> None:
    course = world.course()
    row = world.score(world.learner(course, "u-1"), 85)
    course.platform.script.on("scores", Reply(status, body=body))
    world.deliver()
    assert world.row(row).state == "delivered"
    assert len(course.scores()) == 1


def test_accepted_for_later_is_shown_as_such(world: World) -> None:
    course = world.course()
    row = world.score(world.learner(course, "u-1"), 85)
    course.platform.script.on("scores", Reply(202))
    world.deliver()
    assert world.row(row).state == "accepted"


@pytest.mark.case("AG-04")
@pytest.mark.case("AG-05")
@pytest.mark.parametrize(
    ("lineitem", "scores"),
    [
        ("https://lms.test/li/7?type_id=5", "https://lms.test/li/7/scores?type_id=5"),
        ("https://lms.test/li/7/", "https://lms.test/li/7/scores"),
        ("https://lms.test/li/a%2Fb", "https://lms.test/li/a%2Fb/scores"),
        ("https://lms.test:8443/li/7/?a=%2F&b=", "https://lms.test:8443/li/7/scores?a=%2F&b="),
    ],
)
def test_scores_goes_into_the_path(lineitem: str, scores: str) -> None:
    assert service_url(lineitem, "scores") == scores


@pytest.mark.case("AG-04")
def test_query_of_a_line_item_is_kept_on_the_wire(world: World) -> None:
    course = world.course()
    url = line_item_url(course.platform, course.column()) + "?type_id=5"
    world.score(world.learner(course, "u-1", lineitem_url=url), 85)
    world.deliver()
    (post,) = course.scores()
    assert (post.path.rsplit("/", 1)[1], post.query) == ("scores", "type_id=5")


@pytest.mark.case("AG-06")
def test_zero_is_sent(world: World) -> None:
    course = world.course()
    world.score(world.learner(course, "u-1"), 0, 10)
    world.deliver()
    assert course.scores()[0].json["scoreGiven"] == 0
    assert course.grade("u-1").score == 0


@pytest.mark.case("AG-07")
def test_hand_in_has_no_number(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    world.moment(learner, "submitted", {})
    world.deliver()
    body = course.scores()[0].json
    assert (body["activityProgress"], body["gradingProgress"]) == ("Submitted", "PendingManual")
    assert "scoreGiven" not in body
    assert "scoreMaximum" not in body


@pytest.mark.case("AG-09")
def test_numbers_are_finite_and_have_one_spelling(world: World) -> None:
    assert [number(v) for v in (0.1 + 0.2, 1 / 3, 100 / 100, 2 / 3 * 100)] == [0.3, 0.3333, 1, 66.6667]
    assert json.dumps(number(100.0)) == "100"
    for wrong in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ValueError):
            Score(wrong, 1)
        with pytest.raises(ValueError):
            Score(0, wrong)

    course = world.course()
    course.platform.script.on("scores", Reply(503), times=2)
    world.score(world.learner(course, "u-1"), 1 / 3, 1)
    world.deliver_for(minutes=2)
    bodies = [post.body for post in course.scores()]
    assert len(bodies) == 3
    assert set(bodies) == {bodies[0]}
    assert b'"scoreGiven":0.3333,"scoreMaximum":1' in bodies[0]


@pytest.mark.case("AG-10", choice="sent unchanged")
def test_bonus_is_sent_unchanged(world: World) -> None:
    course = world.course()
    world.score(world.learner(course, "u-1"), 110, 100)
    world.deliver()
    body = course.scores()[0].json
    assert (body["scoreGiven"], body["scoreMaximum"]) == (110, 100)


@pytest.mark.case("AG-11", choice="cut at 2,000 characters")
def test_comment_is_short_plain_text(world: World) -> None:
    assert plain_text("<p>Well <b>done</b> &amp; earned</p><script>alert(1)</script>") == "Well done & earned"
    assert plain_text("3 < 4 & 5 > 4") == "3 < 4 & 5 > 4"
    long = plain_text("\N{OWL}" * 50_000)
    assert len(long) == 2000
    assert long.startswith("\N{OWL}")
    long.encode()
    # Reviewers' notes have no way into a comment: its facts hold dates, part numbers and the verification
    # link alone.
    assert "note" not in CommentFacts.__dataclass_fields__
    comment = comment_for("incomplete", CommentFacts(missing="Part 2 is missing <i>one</i> item"))
    assert comment == "Part 2 is missing one item"


@pytest.mark.case("AG-12", choice="no outbox row; the coordinator reads that there is no grade column here")
def test_link_without_ags_has_no_rows_and_says_so(world: World) -> None:
    course = world.course(column=False, lineitems=False)
    learner = world.learner(course, "u-1")
    assert world.moment(learner, "awarded") == []
    world.deliver()
    assert world.rows() == []
    assert world.sync(learner).words == "There is no grade column here."
    assert course.scores() == []


@pytest.mark.case("AG-14")
def test_score_scope_alone_is_enough_with_a_line_item(world: World) -> None:
    course = world.course(scopes=(SCORE_SCOPE,))
    world.score(world.learner(course, "u-1"), 85)
    world.deliver()
    assert course.grade("u-1").score == 85
    assert course.platform.log.count("lineitems") == 0
    assert course.platform.log.last("token").form["scope"] == SCORE_SCOPE


@pytest.mark.case("AG-15", choice="no update until the new decision")
def test_handing_in_again_keeps_the_grade(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    world.score(learner, 80)
    world.deliver()
    for moment in ("submitted", "revisions_requested", "incomplete", "withdrawn", "opened"):
        world.clock.pass_(minutes=1)
        assert world.moment(learner, moment, world.ratings(learner, "worst")) == []
    world.deliver()
    assert len(course.scores()) == 1
    assert course.grade("u-1").score == 80


@pytest.mark.case("AG-15")
def test_hand_in_does_not_push_aside_a_score_that_waits(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    course.platform.script.on("scores", Reply(503), times=1)
    world.score(learner, 80)
    world.deliver()
    assert world.moment(learner, "submitted") == []
    world.deliver_for(minutes=2)
    assert course.grade("u-1").score == 80


@pytest.mark.case("AG-16")
def test_comment_is_sent_with_every_correction(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    world.score(learner, 80, comment="Earned March 2, 2026.")
    world.deliver()
    world.score(learner, 85, comment="Earned March 2, 2026.")
    world.deliver()
    assert [post.json["comment"] for post in course.scores()] == ["Earned March 2, 2026."] * 2
    assert course.grade("u-1").comment == "Earned March 2, 2026."


@pytest.mark.case("GI-04")
def test_changed_maximum_is_left_to_the_teacher(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    course.column().score_maximum = 10.0
    world.score(learner, 85, 100)
    world.deliver()
    assert course.scores()[0].json["scoreMaximum"] == 100
    assert course.column().score_maximum == 10.0
    assert course.platform.log.count("lineitem") == 0


@pytest.mark.case("GI-10")
def test_each_score_goes_to_the_line_item_of_the_learners_own_launch(world: World) -> None:
    course = world.course()
    other = course.platform.add_line_item("c-1", "Section B", 100)
    first = world.learner(course, "u-1")
    second = world.learner(course, "u-2", lineitem_url=line_item_url(course.platform, other))
    world.score(first, 70)
    world.score(second, 90)
    world.deliver()
    assert course.column().grades["u-1"].score == 70
    assert other.grades["u-2"].score == 90
    assert "u-2" not in course.column().grades


@pytest.mark.case("RE-03", choice="not sent")
def test_nothing_is_sent_for_a_test_user(world: World) -> None:
    course = world.course()
    assert world.moment(world.learner(course, "u-9", test=True), "awarded") == []
    world.deliver()
    assert course.scores() == []
