"""The coordinator's page of a course: grades sent, sent again, compared with the gradebook, exported."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

import demo_lms
import grade_passback
from demo_lms.claims import line_item_url
from grade_passback.wire import SCOPES
from lti_tool.models import Context, Launch
from microcred.credentials import definition_of
from microcred.credentials.models import Attempt, CredentialVersion, Pursuit
from microcred.outbox import OutboxRow
from microcred.placements import Placement
from tests.functional.web.course import INSTRUCTOR, START, Course, MovingClock, Visitor, build

ASSISTANT = ("read", "see_progress")


class Gradebook:
    """A course whose LMS really answers."""

    def __init__(self, course: Course, platform: demo_lms.Platform) -> None:
        self.course = course
        self.platform = platform
        self.item = next(iter(platform.line_items.values()))
        with course.assembly.database.reading() as session:
            self.placement_id = session.scalars(
                select(Placement.id).where(Placement.resource_link_id == course.link_ids["mc-shape-ideas"])
            ).one()

    def staff(self, rights: tuple[str, ...] = INSTRUCTOR) -> Visitor:
        return self.course.visitor(self.course.person("Demo Coordinator"), rights=rights)

    def learner(self, name: str, moment: str | None = "awarded") -> int:
        """Somebody who launched and was decided on."""
        who = self.course.person(name)
        self.course.visitor(who)
        now = self.course.clock.now()
        with self.course.assembly.database.writing() as session:
            launch = session.scalars(select(Launch).where(Launch.person_id == who[0])).one()
            launch.lineitem_url = line_item_url(self.platform, self.item)
            placement = session.get_one(Placement, self.placement_id)
            version = session.get_one(CredentialVersion, placement.version_id)
            pursuit = Pursuit(
                person_id=who[0],
                placement_id=placement.id,
                version_id=version.id,
                alias=f"Heron {who[0]}",
                created_at=now,
            )
            session.add(pursuit)
            session.flush()
            attempt = Attempt(
                pursuit_id=pursuit.id, number=1, state="draft", created_at=now, submitted_at=now
            )
            session.add(attempt)
            session.flush()
            definition = definition_of(session, version)
            ratings = {c.id: definition.levels(c)[0][0].key for _, c in definition.criteria()}
            if moment is not None:
                grade_passback.enqueue(
                    session,
                    placement=placement,
                    pursuit=pursuit,
                    attempt=attempt,
                    definition=definition,
                    moment=moment,
                    ratings=ratings,
                    now=now,
                )
        sub = f"sub-{who[0]}"
        self.platform.add_person(sub, name)
        self.platform.enrol("c-1", sub)
        return who[0]

    def deliver(self) -> None:
        self.course.assembly.make_worker().run_due()

    def posts(self) -> int:
        return self.platform.log.count("scores")

    def rows(self) -> list[OutboxRow]:
        with self.course.assembly.database.reading() as session:
            return list(session.scalars(select(OutboxRow).order_by(OutboxRow.id)))


@pytest.fixture
def gradebook(migrated_database_url: str, tmp_path: Path) -> Iterator[Gradebook]:
    clock = MovingClock()
    platform = demo_lms.Platform(clock=clock.now)
    with demo_lms.serve(platform, "127.0.0.1") as server:
        host = server.url.removeprefix("http://")
        course = build(migrated_database_url, tmp_path, clock, lms=platform.base_url, allow_hosts=(host,))
        platform.add_tool(
            "tool",
            "http://127.0.0.1:9/lti/login",
            ["http://127.0.0.1:9/lti/launch"],
            jwks=course.assembly.lti.keys.jwks(),
            scopes=list(SCOPES),
        )
        platform.add_course("c-1", "Demo course")
        platform.add_link("c-1", "Shape ideas", link_id="rl-1", score_maximum=100)
        with course.assembly.database.writing() as session:
            session.get_one(Context, course.context_id).ags_scopes = list(SCOPES)
        yield Gradebook(course, platform)
        course.assembly.close()


def test_page_says_what_was_sent_and_what_the_lms_answered(gradebook: Gradebook) -> None:
    gradebook.learner("Ada Demo")
    staff = gradebook.staff()
    before = staff.get("course").text
    assert "0 of 1 grade is in the gradebook, 1 on the way" in before
    assert "On its way to the LMS" in before
    gradebook.deliver()
    after = staff.get("course").text
    assert "1 of 1 grade is in the gradebook." in after
    assert "Sent: 100 of 100" in after
    assert "data-again" not in after, "nothing is on its way, so nothing is looked at again"


def test_everything_that_stopped_is_sent_again_at_once(gradebook: Gradebook) -> None:
    for name in ("Ada Demo", "Bo Demo", "Cy Demo"):
        gradebook.learner(name)
    gradebook.platform.script.on("scores", demo_lms.Reply(404), times=2)
    gradebook.platform.script.on("lineitems", demo_lms.Reply(200, body="[]"), times=9)
    gradebook.deliver()
    staff = gradebook.staff()
    assert "2 grades stopped" in staff.get("course").text
    answer = staff.post("course/send-stopped")
    assert answer.status_code == 303
    gradebook.deliver()
    assert "3 of 3 grades are in the gradebook." in staff.get("course").text


def test_what_a_teacher_changed_is_shown_and_sent_only_when_somebody_says_so(gradebook: Gradebook) -> None:
    person_id = gradebook.learner("Ada Demo")
    gradebook.deliver()
    staff = gradebook.staff()
    assert "The gradebook shows what we sent" in staff.post("course/compare").text
    gradebook.item.grades[f"sub-{person_id}"].score = 40.0
    page = staff.post("course/compare").text
    assert "Changed in the LMS" in page
    assert "It shows 40 of 100" in page
    assert "Send ours" in page
    assert gradebook.posts() == 1, "looking sends nothing"
    (row,) = gradebook.rows()
    gradebook.course.clock.move(seconds=5)
    for _ in range(3):
        staff.post(f"course/send-again/{row.id}", {"ours": "yes"})
    gradebook.deliver()
    assert gradebook.item.grades[f"sub-{person_id}"].score == 100
    assert gradebook.posts() == 2, "pressed three times, sent once"


def test_delivered_grade_is_not_sent_again_by_an_old_page(gradebook: Gradebook) -> None:
    gradebook.learner("Ada Demo")
    gradebook.deliver()
    (row,) = gradebook.rows()
    answer = gradebook.staff().post(f"course/send-again/{row.id}")
    assert answer.status_code == 404
    assert len(gradebook.rows()) == 1


def test_all_is_sent_again_but_what_stands_there_and_what_a_teacher_changed_stay(
    gradebook: Gradebook,
) -> None:
    people = [gradebook.learner(f"Demo {n}") for n in range(3)]
    gradebook.deliver()
    grades = gradebook.item.grades
    del grades[f"sub-{people[0]}"]  # the LMS lost it
    grades[f"sub-{people[1]}"].score = 12.0  # a teacher changed it
    gradebook.course.clock.move(seconds=5)
    staff = gradebook.staff()
    staff.post("course/send-all")
    staff.post("course/send-all")
    gradebook.deliver()
    assert grades[f"sub-{people[0]}"].score == 100
    assert grades[f"sub-{people[1]}"].score == 12
    assert grades[f"sub-{people[2]}"].score == 100
    assert gradebook.posts() == 4, "only the one that was lost went out"
    page = staff.get("course").text
    assert "1 grade was changed in the LMS. We leave it as it is." in page
    assert "Send ours" in page


def test_long_push_goes_in_batches_each_with_its_own_row(
    gradebook: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("microcred.operations.syncing._AT_ONCE", 2)
    for n in range(5):
        gradebook.learner(f"Demo {n}")
    gradebook.deliver()
    gradebook.course.clock.move(seconds=5)
    gradebook.staff().post("course/send-all")
    gradebook.deliver()
    rows = gradebook.rows()
    batches = [row.payload["after"] for row in rows if row.kind == "grades_again"]
    assert len(batches) == 3
    assert batches == sorted(batches)
    assert {row.state for row in rows} == {"delivered"}


def test_ended_course_keeps_awards_and_gives_the_results_as_a_table(gradebook: Gradebook) -> None:
    gradebook.learner("=HYPERLINK(1) Demo")
    gradebook.learner("Bo Demo", None)
    gradebook.platform.script.on("scores", demo_lms.Reply(403, body="The course has ended"))
    gradebook.deliver()
    staff = gradebook.staff()
    assert "The course has ended" in staff.get("course").text
    answer = staff.get("course/results.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["Name"] for row in rows] == ["'=HYPERLINK(1) Demo", "Bo Demo"]
    assert rows[0]["Grade sent"] == "100 of 100"
    assert rows[0]["In the gradebook"] == "The course is closed, so the LMS takes no more grades."
    assert rows[1]["State"] == "Working on it"
    assert rows[0]["Submitted"] == START.date().isoformat()


def test_assistants_look_and_send_one_but_do_not_send_all(gradebook: Gradebook) -> None:
    gradebook.learner("Ada Demo")
    staff = gradebook.staff(ASSISTANT)
    page = staff.get("course").text
    assert "Send all again" not in page
    assert staff.post("course/send-all").status_code == 403
    assert staff.post("course/send-stopped").status_code == 403


@pytest.mark.parametrize("path", ["course/results.csv", "course/progress"])
def test_learners_see_none_of_it(gradebook: Gradebook, path: str) -> None:
    visitor = gradebook.course.visitor()
    assert visitor.get(path).status_code == 403
    assert visitor.post("course/compare").status_code == 403


def test_gradebook_that_cannot_be_read_is_said_in_words(gradebook: Gradebook) -> None:
    gradebook.learner("Ada Demo")
    gradebook.deliver()
    gradebook.platform.script.on("results", demo_lms.Reply(500), times=3)
    assert "did not show us its gradebook" in gradebook.staff().post("course/compare").text
