"""The self-test: a tick or a sentence for each step, and no trace in a gradebook."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from demo_lms import Reply
from grade_passback.self_test import Subject, Tried, try_all
from grade_passback.wire import SCOPES
from lti_tool.facts import RegistrationFacts
from lti_tool.models import Context, Registration
from lti_tool.protocol.names import SCOPE_MEMBERS
from tests.functional.grade_passback.conftest import MakeCourse
from tests.support.grading import Course, World

LMS = ["canvas", "moodle", "schoology"]
ALL = (*SCOPES, SCOPE_MEMBERS)


def subject_of(world: World, course: Course, **changes: Any) -> Subject:
    with world.database.reading() as session:
        row = session.get_one(Registration, course.registration_id)
        context = session.get_one(Context, course.context_id)
        row.jwks_url = course.platform.jwks_url
        facts = RegistrationFacts.of(row)
        session.expunge(row)
        lineitems, scopes = context.lineitems_url, tuple(context.ags_scopes)
    tool, place = course.platform.tools["tool-a"], course.platform.courses["c-1"]
    made = Subject(
        facts,
        datetime(2026, 3, 1, tzinfo=UTC),
        "Active Classrooms",
        lineitems,
        scopes,
        course.platform.service_url("memberships", tool, place),
    )
    return replace(made, **changes)


def run(world: World, subject: Subject) -> dict[str, Tried]:
    return {one.step: one for one in try_all(world.callers, subject, "today", world.clock.now())}


def course_of(course_in: MakeCourse, lms: str, **more: Any) -> Course:
    return course_in(lms, **{"scopes": ALL, **more})


@pytest.mark.parametrize("lms", LMS)
def test_all_is_well_and_the_gradebook_is_as_before(world: World, course_in: MakeCourse, lms: str) -> None:
    course = course_of(course_in, lms)
    course.platform.add_person("u-1", "Terry Demo-Teacher")
    course.platform.enrol("c-1", "u-1", "Learner")
    before = dict(course.platform.line_items)

    found = run(world, subject_of(world, course))

    assert list(found) == ["launch", "key", "token", "line item", "score", "roster"]
    assert [one.ok for one in found.values()] == [True] * 6, found
    assert course.platform.line_items == before
    assert all(not item.grades for item in course.platform.line_items.values())
    assert "1 person" in found["roster"].says


@pytest.mark.parametrize("lms", LMS)
def test_a_signature_that_is_not_known_says_where_to_look(
    world: World, course_in: MakeCourse, lms: str
) -> None:
    course = course_of(course_in, lms)
    subject = subject_of(world, course)
    course.platform.tools["tool-a"].jwks = {"keys": []}

    found = run(world, subject)

    assert found["token"].ok is False
    assert found["token"].says == subject.facts.dialect.mending["token"]
    assert [found[step].ok for step in ("line item", "score", "roster")] == [None] * 3


@pytest.mark.parametrize("lms", LMS)
def test_each_service_that_was_not_allowed_is_named(world: World, course_in: MakeCourse, lms: str) -> None:
    course = course_of(course_in, lms, lineitems=False)
    mending = subject_of(world, course).facts.dialect.mending
    found = run(world, subject_of(world, course, lineitems_url=None, memberships_url=None))
    assert found["line item"].says == mending["no_gradebook"]
    assert found["roster"].says == mending["no_roster"]
    assert found["line item"].ok is found["roster"].ok is False

    read_only = tuple(scope for scope in ALL if not scope.endswith("/lineitem"))
    other = subject_of(world, course, lineitems_url="https://x.test/items", scopes=read_only)
    found = run(world, other)
    assert found["line item"].says == mending["column"]
    assert not course.platform.line_items or len(course.platform.line_items) == 1


def test_nothing_was_opened_yet_is_no_fault(world: World, course_in: MakeCourse) -> None:
    course = course_of(course_in, "moodle")
    bare = subject_of(world, course, launched_at=None, lineitems_url=None, memberships_url=None, scopes=())
    found = run(world, bare)
    assert found["token"].ok
    assert [found[step].ok for step in ("launch", "line item", "score", "roster")] == [None] * 4


def test_keys_that_cannot_be_read(world: World, course_in: MakeCourse) -> None:
    course = course_of(course_in, "canvas")
    course.platform.script.on("jwks", Reply(500), times=9)
    found = run(world, subject_of(world, course))
    assert found["key"].ok is False
    assert "key set" in found["key"].says


def test_a_column_that_stays_is_named(world: World, course_in: MakeCourse) -> None:
    course = course_of(course_in, "canvas")
    course.platform.script.on("lineitem", Reply(401), times=9)
    found = run(world, subject_of(world, course))
    assert found["line item"].ok is False
    assert "Connection check (removed at once)" in found["line item"].says


def test_an_lms_that_is_away_is_said_to_be_away(world: World, course_in: MakeCourse) -> None:
    course = course_of(course_in, "schoology")
    course.platform.script.on("token", Reply(503), times=9)
    found = run(world, subject_of(world, course))
    assert found["token"].says == subject_of(world, course).facts.dialect.mending["away"]
