"""Grade delivery: finding a column's line item, and making it once (AGS 2.0, section 3.2)."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import select

import demo_lms
import grade_passback
from demo_lms import Reply, Request
from demo_lms.claims import line_item_url
from grade_passback.wire import LINE_ITEM_READ_SCOPE, RESULT_SCOPE, SCORE_SCOPE
from microcred.database import SystemClock
from microcred.outbox import Worker
from microcred.placements import GradeColumn, Placement
from tests.support.grading import Course, World, running, world_on


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with world_on(migrated_sqlite_url) as made:
        yield made


@pytest.fixture
def either_world(migrated_database_url: str) -> Iterator[World]:
    """On SQLite and on PostgreSQL, where the database itself takes part."""
    with world_on(migrated_database_url) as made:
        yield made


def made_columns(course: Course) -> list[Request]:
    """The requests that asked the platform for a new column."""
    return [request for request in course.platform.log.all("lineitems") if request.method == "POST"]


@pytest.mark.case("GI-01")
@pytest.mark.parametrize(("lms", "bound"), [("other", True), ("canvas", False), ("moodle", False)])
def test_missing_column_is_searched_then_made_once(migrated_sqlite_url: str, lms: str, bound: bool) -> None:
    with world_on(migrated_sqlite_url) as world:
        course = world.course(column=False, lms=lms)
        world.score(world.learner(course, "u-1"), 85)
        world.deliver()

        first, *_ = course.platform.log.all("lineitems")
        assert first.method == "GET"
        (made,) = made_columns(course)
        assert made.json["label"] == "Helping Students Generate and Shape Ideas"
        assert made.json["scoreMaximum"] == 100
        assert made.json["tag"] == "main"
        assert made.json["resourceId"]
        assert ("resourceLinkId" in made.json) is bound
        assert course.grade("u-1").score == 85

        world.score(world.learner(course, "u-2"), 70)
        requests = course.platform.log.count("lineitems")
        world.deliver()
        assert course.platform.log.count("lineitems") == requests, "its address was kept"
        assert course.grade("u-2").score == 70


def test_many_scores_at_once_make_one_column(either_world: World) -> None:
    course = either_world.course(column=False)
    for n in range(10):
        either_world.score(either_world.learner(course, f"u-{n}"), n)
    with running(either_world.worker(clock=SystemClock())):
        course.platform.log.wait_for("scores", 10, 30)
    assert len(made_columns(course)) == 1
    assert len(course.column().grades) == 10


@pytest.mark.case("GI-02")
def test_column_whose_creation_got_no_answer_is_adopted(either_world: World) -> None:
    course = either_world.course(column=False)
    course.platform.script.on("lineitems", Reply(drop="after"), match=lambda r: r.method == "POST")
    row = either_world.score(either_world.learner(course, "u-1"), 85)
    either_world.deliver()
    assert either_world.row(row).state == "waiting"
    either_world.deliver_for(minutes=5)
    assert either_world.row(row).state == "delivered"
    assert len(course.platform.line_items) == 1
    assert len(made_columns(course)) == 1
    assert course.grade("u-1").score == 85


@pytest.mark.case("GI-03")
def test_platform_that_ignores_filters_is_filtered_here(world: World) -> None:
    course = world.course()
    item = course.column()
    course.platform.add_line_item("c-1", "Quiz", 10, resource_id="another", tag="main")
    everything = [
        {"id": line_item_url(course.platform, each), "label": each.label, "scoreMaximum": each.score_maximum}
        | {"resourceId": each.resource_id, "tag": each.tag}
        for each in course.platform.line_items.values()
    ]
    course.platform.script.on(
        "lineitems", Reply(200, body=everything), times=None, match=lambda r: r.method == "GET"
    )
    world.score(world.learner(course, "u-1", lineitem_url=None), 85)
    world.deliver()
    assert item.grades["u-1"].score == 85
    assert made_columns(course) == []


def test_column_found_twice_is_shown_to_a_person(world: World) -> None:
    course = world.course()
    item = course.column()
    course.platform.add_line_item("c-1", "Copy", 100, resource_id=item.resource_id, tag=item.tag)
    row = world.score(world.learner(course, "u-1", lineitem_url=None), 85)
    world.deliver()
    assert (world.row(row).state, world.row(row).reason) == ("blocked", "line_item_ambiguous")


@pytest.mark.case("GI-06")
def test_three_pages_are_all_read(world: World) -> None:
    course = world.course()
    item = course.column()
    course.platform.page_size = 1
    course.platform.add_line_item("c-1", "Two", 10, resource_id=item.resource_id, tag="x")
    course.platform.line_items = dict(reversed(course.platform.line_items.items()))
    url = f"{course.platform.base_url}/api/lti/courses/c-1/lineitems"

    def ignoring_filters(request: Request) -> Reply:
        page = 1 if "page=" not in request.query else int(request.query.split("page=")[1])
        items = [{"id": f"{url}/{n}", "label": "x", "scoreMaximum": 1} for n in (1, 2)]
        items.append(
            {"id": line_item_url(course.platform, item), "resourceId": item.resource_id, "tag": item.tag}
        )
        link = {"Link": f'<{url}?page={page + 1}>; rel="next"'} if page < 3 else {}
        return Reply(200, link, json.dumps([items[page - 1]]))

    course.platform.script.on("lineitems", ignoring_filters, times=None)
    world.score(world.learner(course, "u-1", lineitem_url=None), 85)
    world.deliver()
    assert item.grades["u-1"].score == 85
    assert course.platform.log.count("lineitems") == 3


@pytest.mark.case("GI-06")
def test_pages_in_a_circle_end_in_an_error(world: World) -> None:
    course = world.course()

    def itself(request: Request) -> Reply:
        return Reply(
            200, {"Link": f'<{course.platform.base_url}{request.path}?{request.query}>; rel="next"'}, []
        )

    course.platform.script.on("lineitems", itself, times=None)
    row = world.score(world.learner(course, "u-1", lineitem_url=None), 85)
    world.deliver()
    assert (world.row(row).state, world.row(row).reason) == ("waiting", "bad_answer")
    assert course.platform.log.count("lineitems") <= 2
    assert len(course.platform.line_items) == 1


@pytest.mark.case("GI-08")
@pytest.mark.parametrize(
    "body", ["{}", "null", "<html>", '[{"id": "https://', "[{}]", '[{"id": 7}]', "[null]", "", "7"]
)
def test_unreadable_container_makes_no_column(migrated_sqlite_url: str, body: str) -> None:
    with world_on(migrated_sqlite_url) as world:
        course = world.course(column=False)
        row = world.score(world.learner(course, "u-1"), 85)
        course.platform.script.on(
            "lineitems", Reply(200, body=body), times=None, match=lambda r: r.method == "GET"
        )
        world.deliver_for(minutes=2)
        assert (world.row(row).state, world.row(row).reason) == ("waiting", "bad_answer")
        assert made_columns(course) == []


@pytest.mark.case("GI-08")
@pytest.mark.parametrize("body", ["{}", "null", "<html>", "[null]", '[{"userId":"u-1","resultScore":"85"}]'])
def test_unreadable_results_are_no_success(migrated_sqlite_url: str, body: str) -> None:
    with world_on(migrated_sqlite_url) as world:
        course = world.course()
        row = world.score(world.learner(course, "u-1"), 85)
        course.platform.script.on("scores", Reply(409), times=None)
        course.platform.script.on("results", Reply(200, body=body), times=None)
        world.deliver()
        assert world.row(row).state != "delivered"


@pytest.mark.case("GI-08")
def test_creation_without_an_id_does_not_make_a_second_column(world: World) -> None:
    course = world.course(column=False)
    course.platform.script.on(
        "lineitems", Reply(201, body={"label": "x"}, apply=True), match=lambda r: r.method == "POST"
    )
    world.score(world.learner(course, "u-1"), 85)
    world.deliver_for(minutes=5)
    assert len(course.platform.line_items) == 1
    assert course.grade("u-1").score == 85


def test_without_the_right_to_make_a_column_the_row_is_blocked(world: World) -> None:
    course = world.course(column=False, scopes=(SCORE_SCOPE, LINE_ITEM_READ_SCOPE, RESULT_SCOPE))
    row = world.score(world.learner(course, "u-1"), 85)
    world.deliver()
    assert (world.row(row).state, world.row(row).reason) == ("blocked", "line_item_missing")
    assert made_columns(course) == []


def test_every_part_has_a_column_of_its_own(world: World) -> None:
    course = world.course(scheme="per_part")
    learner = world.learner(course, "u-1")
    world.moment(learner, "awarded")
    world.deliver_for(minutes=1)
    items = {item.tag: item for item in course.platform.line_items.values()}
    assert sorted(items) == ["p1", "p2", "p3", "p4"]
    assert {tag: item.grades["u-1"].score for tag, item in items.items()} == dict.fromkeys(items, 1)
    assert [tag for tag, item in items.items() if item.resource_link_id] == ["p1"], (
        "the link's own is the first part's"
    )


# -- naming a column that was there before


def adopt(world: World, course: Course) -> None:
    """The link, whose column the LMS made by itself, opens a credential now."""
    with world.database.writing() as session:
        placement = session.get_one(Placement, course.placement_id)
        column = session.scalars(select(GradeColumn).where(GradeColumn.placement_id == placement.id)).one()
        column.lineitem_url = line_item_url(course.platform, course.column())
        assert grade_passback.adopt(session, placement, column, world.clock.now()) is not None
    handler = grade_passback.make_adopter(world.database, world.clock, world.callers)
    Worker(world.database, world.clock, handlers={"column": handler}).run_due()


def unnamed(world: World, lms: str = "other") -> Course:
    platform = demo_lms.Platform(clock=world.clock.now, dialect=demo_lms.DIALECTS.get(lms, demo_lms.PLAIN))
    course = world.course(lms=lms, platform=platform)
    course.platform.edit_line_item(course.column().id, resource_id="", tag="", label="My column")
    return course


def writes(course: Course) -> list[Request]:
    return [request for request in course.platform.log.all("lineitem") if request.method == "PUT"]


@pytest.mark.parametrize("lms", ["other", "canvas", "moodle", "schoology"])
def test_column_that_was_there_gets_our_name_and_keeps_everything_else(world: World, lms: str) -> None:
    course = unnamed(world, lms)
    adopt(world, course)
    item = course.column()
    assert (item.tag, item.label, item.score_maximum) == ("main", "My column", 100)
    assert item.resource_id
    assert world.states() == ["delivered"]


@pytest.mark.case("SC-412")
def test_column_that_somebody_changed_meanwhile_is_read_and_written_once_more(world: World) -> None:
    course = unnamed(world)
    course.platform.script.on("lineitem", Reply(412), match=lambda r: r.method == "PUT")
    adopt(world, course)
    assert course.column().tag == "main"
    reads = [request.method for request in course.platform.log.all("lineitem")]
    assert reads == ["GET", "PUT", "GET", "PUT"]
    first, second = (request.json for request in writes(course))
    assert {name: first[name] for name in first if name not in ("resourceId", "tag")} == {
        name: second[name] for name in second if name not in ("resourceId", "tag")
    }, "only our two members were changed"


@pytest.mark.case("SC-412")
def test_column_that_is_changed_again_and_again_is_left_to_a_person(world: World) -> None:
    course = unnamed(world)
    course.platform.script.on("lineitem", Reply(412), times=9, match=lambda r: r.method == "PUT")
    adopt(world, course)
    assert world.states() == ["blocked"]
    assert len(writes(course)) == 2


def test_column_that_has_a_name_of_its_own_keeps_it(world: World) -> None:
    course = unnamed(world)
    course.platform.edit_line_item(course.column("").id, resource_id="theirs", tag="theirs")
    adopt(world, course)
    assert course.column("theirs").resource_id == "theirs"
    assert writes(course) == []
