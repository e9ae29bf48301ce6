"""A credential in one course: the staff's page, copies of courses, links that open nothing yet."""

import re
import threading

import pytest
from sqlalchemy import func, select

from demo_lms import Reply
from lti_tool.models import ResourceLink
from microcred.credentials.models import Attempt, Pursuit, Response
from microcred.operations import coordinating
from microcred.people import ensure_organization
from microcred.people.models import AuditEvent
from microcred.placements import Place, Placement, settle
from tests.support.campus import COURSE, Campus

NOTHING_HERE = "Then this link opens it"
PRIVATE = "What only reviewer and teacher read"


def test_the_course_page_shows_states_and_deliveries_and_nothing_of_the_work(here: Campus) -> None:
    (link,) = here.add().links
    for person in ("terry", "amal"):
        here.at_link(person, link.id)
    _answer(here, PRIVATE)
    here.earn("terry", comment=PRIVATE)
    staff = here.at_link("dana", link.id)
    page = staff.get("course").text
    assert "2 teachers opened it, 1 submitted, 1 earned it." in page
    for shown in (
        "Terry Demo-Person",
        "Amal Demo-Person",
        "Earned",
        "Working on it",
        "100 points when earned",
    ):
        assert shown in page
    here.work()
    after = staff.get("course").text
    assert after != page
    for hidden in (PRIVATE, "demo.invalid", "rating", "Demo Reviewer"):
        assert hidden not in after
    assert here.at_link("terry", link.id).get("course").status_code == 403


def test_a_grade_that_stopped_is_sent_again_from_the_course(here: Campus) -> None:
    (link,) = here.add().links
    here.at_link("terry", link.id)
    here.earn("terry")
    here.platform.script.on("scores", Reply(422, {}, {"errors": ["no"]}))
    here.work()
    staff = here.at_link("dana", link.id)
    page = staff.get("course").text
    assert "The LMS refused the grade" in page
    (row,) = set(_numbers(page))
    assert staff.post(f"course/send-again/{row}").status_code == 303
    here.work()
    (column,) = here.platform.line_items_in(COURSE)
    grade = here.platform.grade(column.id, "terry")
    assert grade.score == 100
    assert "course/send-again" not in staff.get("course").text
    # Nothing is left to send: the button of a page that stayed open says so.
    assert staff.post(f"course/send-again/{row}").status_code == 404
    with here.assembly.database.reading() as session:
        assert session.scalar(select(func.count()).where(AuditEvent.action == "delivery_retried")) == 1


def test_deliveries_of_other_courses_cannot_be_touched(here: Campus) -> None:
    (link,) = here.add().links
    here.at_link("terry", link.id)
    here.earn("terry")
    here.platform.script.on("scores", Reply(422, {}, {}))
    here.work()
    (row,) = set(_numbers(here.at_link("dana", link.id).get("course").text))
    here.platform.add_course("c-2", "Another course")
    here.platform.enrol("c-2", "dana", "Instructor")
    (other,) = here.deliver(
        here.picker(course="c-2").post("choose", {"credential": here.version(), "scheme": "hundred"})
    ).links
    staff = here.at_link("dana", other.id)
    staff.get("course")
    assert staff.post(f"course/send-again/{row}").status_code == 404
    assert "Terry" not in staff.get("course").text


def test_a_test_user_works_but_nothing_leaves(here: Campus) -> None:
    here.platform.add_person("trial", "Demo Test-User")
    here.platform.enrol(COURSE, "trial", "TestUser")
    (link,) = here.add().links
    here.at_link("trial", link.id)
    award = here.earn("trial")
    here.work()
    assert here.platform.log.count("scores") == 0
    page = here.app.test_client().get(f"/badges/{award}", base_url="https://tool.test")
    assert page.status_code == 200
    assert here.app.test_client().get(f"/ob/3.0/credentials/{award}").status_code == 404


def test_a_link_that_names_nothing_is_chosen_for_by_staff_and_waited_for_by_learners(here: Campus) -> None:
    link = here.platform.add_link(COURSE, "Our credential", score_maximum=100)
    waiting = here.at_link("terry", link.id)
    assert NOTHING_HERE in waiting.page
    assert waiting.get("choose").status_code == 403
    staff = here.at_link("dana", link.id)
    assert "Choose a micro-credential" in staff.page
    answer = staff.post("choose", {"credential": here.version(), "scheme": "hundred"})
    assert (answer.status_code, answer.headers["Location"].endswith("/course")) == (303, True)
    (placement,) = here.placements()
    assert "Idea" in here.at_link("terry", link.id).page
    here.earn("terry")
    here.work()
    # The link had a column of its own: that one is used, none is made.
    (column,) = here.platform.line_items_in(COURSE)
    assert here.platform.grade(column.id, "terry").score == 100
    # Another member of the staff, or the same one later, does not replace what people work on.
    again = here.at_link("dana", link.id)
    again.get("choose")
    refused = again.post("choose", {"credential": here.version("mc-discussion"), "scheme": "complete"})
    assert refused.status_code == 409
    assert "This link opens a credential already." in refused.text
    assert [p.id for p in here.placements()] == [placement.id]


def test_a_forged_or_foreign_placement_opens_nothing(here: Campus) -> None:
    (link,) = here.add().links
    (placement,) = here.placements()
    with here.assembly.database.writing() as session:
        other = session.get_one(Placement, placement.id)
        other.organization_id = ensure_organization(
            session, code="elsewhere", name="Elsewhere", kind="district", now=here.clock.now()
        ).id
    assert NOTHING_HERE in here.at_link("terry", link.id).page
    forged = here.platform.add_link(COURSE, "Forged", custom={"placement": "' OR 1=1"})
    assert NOTHING_HERE in here.at_link("terry", forged.id).page


def test_a_copied_course_starts_afresh_with_the_same_settings(anywhere: Campus) -> None:
    (link,) = anywhere.add(scheme="complete").links
    anywhere.at_link("terry", link.id)
    anywhere.earn("terry")
    copy = anywhere.platform.copy_course(COURSE, "c-2")
    for person, role in (("terry", "Learner"), ("dana", "Instructor")):
        anywhere.platform.enrol(copy.id, person, role)
    (twin,) = anywhere.platform.links_in(copy.id)
    assert twin.custom == link.custom
    page = anywhere.at_link("terry", twin.id).page
    assert "You earned" not in page
    first, second = anywhere.placements()
    assert (second.copied_from_id, second.grade_scheme, second.version_id) == (
        first.id,
        "complete",
        first.version_id,
    )
    assert second.context_id != first.context_id
    assert second.resource_link_id != first.resource_link_id
    with anywhere.assembly.database.reading() as session:
        counts = session.execute(
            select(Pursuit.placement_id, func.count(Attempt.id)).join(Attempt).group_by(Pursuit.placement_id)
        ).all()
    assert sorted((placement, count) for placement, count in counts) == [(first.id, 1), (second.id, 1)]
    assert "1 teacher opened it, 0 submitted" in anywhere.at_link("dana", twin.id).get("course").text
    # The first course goes on as before.
    assert "You earned" in anywhere.at_link("terry", link.id).page


def test_two_first_launches_of_a_copied_link_make_one_placement(anywhere: Campus) -> None:
    (link,) = anywhere.add().links
    anywhere.at_link("terry", link.id)
    copy = anywhere.platform.copy_course(COURSE, "c-2")
    for person in ("terry", "amal"):
        anywhere.platform.enrol(copy.id, person, "Learner")
    (twin,) = anywhere.platform.links_in(copy.id)
    gate = threading.Barrier(2)
    pages = []

    def visit(person: str) -> None:
        gate.wait()
        pages.append(anywhere.at_link(person, twin.id).page)

    threads = [threading.Thread(target=visit, args=(person,)) for person in ("terry", "amal")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pages) == 2
    assert len(anywhere.placements()) == 2


def test_the_slower_of_two_first_launches_takes_what_the_quicker_made(anywhere: Campus) -> None:
    (link,) = anywhere.add().links
    anywhere.at_link("terry", link.id)
    (original,) = anywhere.placements()
    twin = anywhere.platform.add_link(COURSE, "Twin", custom=dict(link.custom))
    with anywhere.assembly.database.writing() as session:
        row = ResourceLink(
            deployment_id=original.deployment_id,
            context_id=original.context_id,
            resource_link_id=twin.id,
            origin_ids=[],
            created_at=anywhere.clock.now(),
        )
        session.add(row)
        session.flush()
        place = Place(original.deployment_id, original.organization_id, original.context_id, row.id)
    database, custom, made = anywhere.assembly.database, dict(link.custom), []
    under_way = threading.Event()

    def second() -> None:
        under_way.wait()
        with database.writing() as session:
            found = settle(session, custom=custom, place=place, lineitem_url=None, now=anywhere.clock.now())
            assert found is not None
            made.append(found.id)

    other = threading.Thread(target=second)
    other.start()
    with database.writing() as session:
        found = settle(session, custom=custom, place=place, lineitem_url=None, now=anywhere.clock.now())
        assert found is not None
        made.append(found.id)
        under_way.set()
        other.join(0.3)
        assert other.is_alive()
    other.join()
    assert made[0] == made[1] != original.id


def test_the_course_page_is_paged(here: Campus, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 3
    monkeypatch.setattr(coordinating, "PAGE_SIZE", 2)
    (link,) = here.add().links
    for number in range(count):
        here.platform.add_person(f"p-{number}", f"Person Number-{number}")
        here.platform.enrol(COURSE, f"p-{number}", "Learner")
        here.at_link(f"p-{number}", link.id)
    staff = here.at_link("dana", link.id)
    first = staff.get("course").text
    assert [f"Number-{n}" in first for n in range(count)] == [True, True, False]
    assert "More teachers" in first
    with here.assembly.database.reading() as session:
        key = session.scalars(select(Pursuit.id).order_by(Pursuit.id)).all()[1]
    rest = staff.get("course", query_string={"after": str(key)}).text
    assert [f"Number-{n}" in rest for n in range(count)] == [False, False, True]
    assert "More teachers" not in rest
    assert staff.get("course", query_string={"after": "x' OR 1=1"}).status_code == 200


def _answer(here: Campus, text: str) -> None:
    with here.assembly.database.writing() as session:
        query = select(Attempt).join(Pursuit).where(Pursuit.person_id == here.person_id("terry"))
        attempt = session.scalars(query).one()
        session.add(
            Response(
                attempt_id=attempt.id,
                part_id="p1",
                prompt_id="p1-q1",
                student_code="",
                body=text,
                words=6,
                revision=1,
                saved_at=here.clock.now(),
            )
        )


def _numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"course/send-again/(\d+)", page)]
