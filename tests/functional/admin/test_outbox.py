"""The outbox at the operator's desk: looking, sending again, stopping, starting; and what shutting a platform
out does to its grades."""

import pytest
from sqlalchemy import select

import grade_passback
from microcred import outbox
from microcred.outbox.models import OutboxDestination, OutboxRow
from microcred.placements import GradeColumn
from tests.functional.admin.test_operating import organization_operator, platform_of
from tests.functional.people.places import Desk, officer
from tests.functional.web.course import Course

Both = tuple[Course, Course]


def stuck(course: Course, *, reason: str = "course_closed", state: str = "blocked") -> int:
    """A grade of a course that stopped."""
    now = course.clock.now()
    with course.assembly.database.writing() as session:
        row = outbox.add(
            session,
            kind="score",
            destination=grade_passback.destination_of(course.registration_id),
            order_key=None,
            subject=("test", "1"),
            payload={},
            now=now,
        )
        row.state, row.reason = state, reason
        row.finished_at, row.last_tried_at, row.attempts = now, now, 1
        row.last_answer = {"status": 403, "body": "<b>The course has ended</b>"}
        return row.id


def state_of(course: Course, row_id: int) -> str:
    with course.assembly.database.reading() as session:
        return session.get_one(OutboxRow, row_id).state


def is_stopped(course: Course) -> bool:
    name = grade_passback.destination_of(course.registration_id)
    with course.assembly.database.reading() as session:
        query = select(OutboxDestination.stopped).where(OutboxDestination.name == name)
        return bool(session.scalar(query))


@pytest.mark.parametrize("path", ["outbox", "outbox?state=waiting", "outbox?after=x"])
def test_nobody_else_sees_it(systems: Both, path: str) -> None:
    here, _ = systems
    assert officer(here, "approver", "Avery").get(path).status_code == 403
    assert here.app.test_client().get(f"/desk/{path}").status_code == 401


def test_what_stopped_is_shown_in_words_and_sent_again(systems: Both, operator: Desk) -> None:
    here, _ = systems
    row_id = stuck(here)
    page = operator.get("outbox").text
    assert "The course is closed, so the LMS takes no more grades." in page
    assert "&lt;b&gt;The course has ended" in page, "what came from outside is text"
    assert operator.post(f"outbox/{row_id}/again").status_code == 303
    assert state_of(here, row_id) == "waiting"
    assert operator.post(f"outbox/{row_id}/again").status_code == 303, "pressed twice, nothing more happens"


def test_a_grade_is_shown_with_its_learner_column_and_value(systems: Both, operator: Desk) -> None:
    here, _ = systems
    person_id, identity_id = here.person("Terry <i>Demo</i>")
    row_id = stuck(here)
    with here.assembly.database.writing() as session:
        row = session.get_one(OutboxRow, row_id)
        column = session.scalars(select(GradeColumn).order_by(GradeColumn.id)).first()
        assert column is not None
        row.subject_type, row.subject_id = "lms_identity", str(identity_id)
        row.payload = {"content": {"scoreGiven": 85, "scoreMaximum": 100}, "column": column.id}
        label = column.label
    page = operator.get("outbox").text
    assert f"Terry &lt;i&gt;Demo&lt;/i&gt;, {label}" in page
    assert "Sent: 85 of 100" in page
    with here.assembly.database.reading() as session:
        assert grade_passback.cells(session, [row_id])[row_id].person_id == person_id


def test_everything_of_one_destination_is_sent_again(systems: Both, operator: Desk) -> None:
    here, there = systems
    mine, theirs = stuck(here), stuck(there, state="dead")
    name = grade_passback.destination_of(here.registration_id)
    operator.post("outbox/again", {"destination": name})
    assert (state_of(here, mine), state_of(there, theirs)) == ("waiting", "dead")
    operator.post("outbox/again")
    assert state_of(there, theirs) == "waiting"


def test_operator_of_an_organization_sees_and_touches_only_its_own(systems: Both) -> None:
    here, there = systems
    mine, theirs = stuck(here), stuck(there)
    desk = organization_operator(here)
    page = desk.get("outbox").text
    assert "Demo LMS" in page
    assert "Second Demo LMS" not in page
    assert "own work" not in page
    assert f"outbox/{mine}/again" in page
    assert f"outbox/{theirs}/again" not in page
    other = {"destination": grade_passback.destination_of(there.registration_id)}
    assert desk.post(f"outbox/{theirs}/again").status_code == 404
    for path in ("outbox/again", "outbox/stop", "outbox/start"):
        assert desk.post(path, other).status_code == 404
    desk.post("outbox/again")
    assert (state_of(here, mine), state_of(there, theirs)) == ("waiting", "blocked")


def test_destination_is_stopped_and_started(systems: Both, operator: Desk) -> None:
    here, _ = systems
    stuck(here)
    name = {"destination": grade_passback.destination_of(here.registration_id)}
    operator.post("outbox/stop", name)
    assert is_stopped(here)
    assert "Stopped" in operator.get("outbox").text
    operator.post("outbox/start", name)
    assert not is_stopped(here)


def test_platform_that_is_shut_out_keeps_its_grades_until_it_is_let_in(systems: Both, operator: Desk) -> None:
    here, _ = systems
    row_id = stuck(here)
    public_id = platform_of(here)
    operator.post(f"platforms/{public_id}/disable")
    assert is_stopped(here)
    operator.post(f"outbox/{row_id}/again")
    assert here.assembly.make_worker().run_due() == 0
    assert state_of(here, row_id) == "waiting"
    name = {"destination": grade_passback.destination_of(here.registration_id)}
    refused = operator.post("outbox/start", name)
    assert refused.status_code == 409
    assert "Let it in under Platforms" in refused.text
    operator.post(f"platforms/{public_id}/approve")
    assert not is_stopped(here)


def test_desk_says_how_many_stopped(systems: Both, operator: Desk) -> None:
    here, _ = systems
    stuck(here)
    assert "1 delivery stopped" in operator.get("").text
