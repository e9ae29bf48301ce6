"""Erasing a person: what goes, what stays, and that nothing is lost half-way."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from lti_tool.models import Launch
from microcred.app.tables import metadata
from microcred.badges.models import Badge
from microcred.credentials.models import Attempt, Award, Decision, EvidenceItem, Rating
from microcred.operations import exporting, privacy
from microcred.operations.errors import OperationRefused
from microcred.operations.privacy import Grades
from microcred.outbox import OutboxRow
from microcred.people import standing
from microcred.people.models import ContactAddress, EraseRequest, LmsIdentity, Person, RoleGrant
from tests.functional.people.places import at_desk, dump, officer
from tests.functional.people.test_linking import link, submit
from tests.functional.web.course import Course, Visitor
from tests.functional.web.work import picture, upload, write
from tests.support.lti import assert_refused, is_accepted, lti_world

Both = tuple[Course, Course]
PASSED = {"p1-c1": "strong", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "passing", "p4-c1": "passing"}
REVISE = PASSED | {"p1-c2": "revisions_needed"}
COMMENT = "A comment about this very work."
PERSONAL = (
    "Terry",
    "Tryout",
    "terry@demo.invalid",
    "sub-terry-42",
    "my own words",
    "terrys-board",
    COMMENT,
)


@pytest.fixture
def terry(systems: Both) -> Visitor:
    return worker_with_everything(systems[0])


def worker_with_everything(here: Course) -> Visitor:
    """Somebody with work, evidence, feedback, an award, grades on their way, an address, a desk."""
    who = here.person("Terry Tryout")
    visitor = here.visitor(who)
    with here.assembly.database.writing() as session:
        person = session.get_one(Person, who[0])
        person.email, person.family_name, person.locale = "terry@demo.invalid", "Tryout", "en"
        session.get_one(LmsIdentity, who[1]).sub = "sub-terry-42"
        session.execute(
            update(Launch)
            .where(Launch.person_id == who[0])
            .values(
                custom={"name": "Terry Tryout"}, locale="en", lineitem_url="http://localhost:8000/lineitems/1"
            )
        )
        session.add(
            ContactAddress(person_id=who[0], address="terry@demo.invalid", created_at=here.clock.now())
        )
    visitor.get()
    write(visitor, "p1", "p1-q1", "These are my own words.")
    assert upload(visitor, picture(), "terrys-board.png").status_code == 303
    submit(here, who[0])
    here.judge(who[0], REVISE, COMMENT)
    submit(here, who[0])
    here.judge(who[0], {"p1-c1": "strong", "p1-c2": "passing"}, COMMENT)
    return visitor


def erase(course: Course, person_id: int, grades: Grades = Grades.CANCEL, *, keep: bool = False) -> bool:
    with course.assembly.database.writing() as session:
        return privacy.erase(
            session, person_id, grades=grades, keep_badges=keep, by=None, now=course.clock.now()
        ).done


def work(course: Course) -> None:
    """Let the worker do what is due."""
    course.assembly.make_worker().run_due()


def award_page(course: Course) -> tuple[str, int]:
    with course.assembly.database.reading() as session:
        public_id = session.scalars(select(Award.public_id)).one()
    return public_id, course.app.test_client().get(f"/badges/{public_id}").status_code


def test_nothing_personal_is_left_anywhere(systems_anywhere: Both) -> None:
    here, _ = systems_anywhere
    visitor = worker_with_everything(here)
    desk = at_desk(here, visitor.person_id)
    with here.assembly.database.reading() as session:
        keys = [key for key in session.scalars(select(EvidenceItem.storage_key).distinct()) if key]
    before = str(dump(here.assembly.database))
    assert [text for text in PERSONAL if text not in before] == []
    assert erase(here, visitor.person_id)
    after = str(dump(here.assembly.database))
    assert [text for text in PERSONAL if text in after] == []
    assert visitor.get().status_code == 401
    assert desk.get().status_code == 401
    assert keys
    for key in keys:
        assert here.assembly.storage.size(key) > 0, "files go by the worker, after the rows"
    work(here)
    for key in keys:
        with pytest.raises(FileNotFoundError):
            here.assembly.storage.size(key)


def test_what_was_decided_stays_without_a_name(systems: Both, terry: Visitor) -> None:
    here, _ = systems
    erase(here, terry.person_id)
    with here.assembly.database.reading() as session:
        award = session.scalars(select(Award)).one()
        assert award.person_id == terry.person_id
        assert award.awarded_at is not None
        assert session.get_one(Decision, award.decision_id).kind == "award"
        person = session.get_one(Person, terry.person_id)
        assert (person.state, person.name, person.email) == ("erased", None, None)
        ratings = session.scalars(select(Rating)).all()
        assert {row.level for row in ratings} >= {"strong", "passing", "yes"}
        assert {row.comment for row in ratings} == {""}


def test_the_badge_page_says_that_it_was_withdrawn(systems: Both, terry: Visitor) -> None:
    here, _ = systems
    work(here)
    client = here.app.test_client()
    public_id, status = award_page(here)
    assert status == 200
    with here.assembly.database.reading() as session:
        badge_id = session.scalars(select(Badge.public_id)).one()
    erase(here, terry.person_id)
    work(here)
    page = client.get(f"/badges/{public_id}")
    assert page.status_code == 410
    assert "withdrawn" in page.text.lower()
    for path in (
        f"/ob/2.0/assertions/{badge_id}",
        f"/ob/3.0/credentials/{badge_id}",
        f"/ob/badges/{badge_id}.png",
    ):
        assert client.get(path).status_code == 410, path


def test_a_badge_that_the_holder_keeps_stays_without_a_name(systems: Both, terry: Visitor) -> None:
    here, _ = systems
    with here.assembly.database.writing() as session:
        session.scalars(select(Award)).one().shows_name = True
    work(here)
    public_id, _ = award_page(here)
    assert "Terry" in here.app.test_client().get(f"/badges/{public_id}").text
    erase(here, terry.person_id, keep=True)
    page = here.app.test_client().get(f"/badges/{public_id}")
    assert page.status_code == 200
    assert "Terry" not in page.text


def test_open_work_leaves_every_queue(systems: Both) -> None:
    here, _ = systems
    teacher, reviewer = here.visitor(), officer(here, "reviewer", "Robin Reviewer")
    teacher.get()
    submit(here, teacher.person_id)
    public_id = here.attempt(teacher.person_id).public_id
    reviewer.post(f"review/{public_id}/start")
    assert reviewer.get(f"review/{public_id}").status_code == 200
    erase(here, teacher.person_id)
    with here.assembly.database.reading() as session:
        assert session.scalars(select(Attempt.state)).one() == "withdrawn"
    assert public_id not in reviewer.get("review/").text


def unsent(course: Course) -> list[OutboxRow]:
    with course.assembly.database.reading() as session:
        return list(
            session.scalars(
                select(OutboxRow).where(OutboxRow.kind == "score", OutboxRow.state.in_(("waiting", "held")))
            )
        )


def test_queued_grades_are_sent_first(systems_anywhere: Both) -> None:
    here, _ = systems_anywhere
    terry = worker_with_everything(here)
    assert unsent(here), "an award makes a grade"
    assert not erase(here, terry.person_id, Grades.SEND)
    assert terry.get().status_code == 401, "shut out meanwhile"
    work(here)
    with here.assembly.database.reading() as session:
        assert session.get_one(Person, terry.person_id).state == "suspended"
    with here.assembly.database.writing() as session:
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.kind == "score", OutboxRow.state.in_(("waiting", "held")))
            .values(state="delivered", finished_at=here.clock.now(), leased_until=None)
        )
    here.clock.move(minutes=1)
    work(here)
    with here.assembly.database.reading() as session:
        assert session.get_one(Person, terry.person_id).state == "erased"
    assert [text for text in PERSONAL if text in str(dump(here.assembly.database))] == []


def test_grades_that_cannot_be_sent_do_not_keep_a_person_for_ever(systems: Both, terry: Visitor) -> None:
    here, _ = systems
    erase(here, terry.person_id, Grades.SEND)
    work(here)
    here.clock.move(hours=71, minutes=1)
    work(here)
    with here.assembly.database.reading() as session:
        assert session.get_one(Person, terry.person_id).state == "erased"
    assert unsent(here) == []


def test_grades_are_cancelled_where_the_operator_says_so(systems: Both, terry: Visitor) -> None:
    here, _ = systems
    assert erase(here, terry.person_id, Grades.CANCEL)
    with here.assembly.database.reading() as session:
        rows = session.scalars(select(OutboxRow).where(OutboxRow.kind == "score")).all()
        assert {row.state for row in rows} <= {"cancelled", "superseded"}
        assert all(row.payload == {} and row.order_key is None for row in rows)


def test_a_second_erasing_is_refused_and_changes_nothing(systems: Both, terry: Visitor) -> None:
    here, _ = systems
    erase(here, terry.person_id)
    before = dump(here.assembly.database)
    with pytest.raises(OperationRefused, match="already_erased"):
        erase(here, terry.person_id)
    assert dump(here.assembly.database) == before


def test_linked_accounts_are_erased_together_and_nobody_else(systems: Both) -> None:
    here, there = systems
    one, two, stranger = here.visitor(), there.visitor(), there.visitor()
    for visitor in (one, two, stranger):
        visitor.get()
        write(visitor, "p1", "p1-q1", f"words of {visitor.person_id}")
    link(one, two)
    erase(here, two.person_id)
    text = str(dump(here.assembly.database))
    assert f"words of {one.person_id}" not in text
    assert f"words of {two.person_id}" not in text
    assert f"words of {stranger.person_id}" in text
    assert stranger.get().status_code == 200


def test_offices_end_and_reviews_given_stay(systems: Both) -> None:
    here, _ = systems
    teacher, reviewer = here.visitor(), officer(here, "reviewer", "Robin Reviewer")
    teacher.get()
    submit(here, teacher.person_id)
    here.judge(teacher.person_id, REVISE, "Say what you counted.")
    here.clock.move(hours=1)
    erase(here, reviewer.person_id)
    with here.assembly.database.reading() as session:
        held = session.scalars(select(RoleGrant).where(RoleGrant.person_id == reviewer.person_id)).all()
        assert all(row.valid_to == here.clock.now() for row in held)
        assert "Say what you counted." in {row.comment for row in session.scalars(select(Rating))}


OF_A_PERSON = (
    *("person", "lms_identity", "launch", "contact_address"),
    *("pursuit", "attempt", "review", "award"),
)


def test_every_reference_to_a_person_is_thought_of() -> None:
    """Whoever adds a table that points to a person's rows says here what erasing does with it."""
    kept_without_a_name = {
        "person.merged_into_id",
        "role_grant.granted_by_id",
        "audit_event.actor_id",
        "placement.created_by_id",
        "pursuit.person_id",
        "review.reviewer_id",
        "review_conflict.reviewer_id",
        "review_conflict.pursuit_id",
        "review_flag.attempt_id",
        "review_flag.raised_by_id",
        "review_flag.settled_by_id",
        "anchor.attempt_id",
        "anchor.marked_by_id",
        "calibration_round.reviewer_id",
        "teacher_request.answered_by_id",
        "decision.decided_by_id",
        "award.person_id",
        "award.approved_by_id",
        "erase_request.person_id",
        "role_grant.person_id",
        "attempt.pursuit_id",
        "award.pursuit_id",
        "badge.award_id",
        "decision.attempt_id",
        "decision.review_id",
        "kept_badge.award_id",
        "credential_draft.written_by_id",
        "credential_draft.signed_by_id",
        "notice.attempt_id",  # reviewers' notices name the credential alone
        "rating.review_id",
        "review.attempt_id",
    }
    removed = {
        "appeal.attempt_id",
        "reviewer_pool_member.person_id",
        "saved_comment.reviewer_id",
        "teacher_request.pursuit_id",
        "lms_identity.person_id",
        "contact_address.person_id",
        "one_time_link.person_id",
        "desk_session.person_id",
        "link_code.person_id",
        "notice.person_id",
        "notice_choice.person_id",
        "launch.person_id",
        "launch.identity_id",
        "score_line.identity_id",
        "placement.made_in_launch_id",
        "evidence_item.attempt_id",
        "course_staff.identity_id",
        "evidence_upload.attempt_id",
        "evidence_upload.person_id",
        "evidence_permission.pursuit_id",
        "names_check.attempt_id",
        "privacy_flag.attempt_id",
        "privacy_flag.raised_by_id",
        "response.attempt_id",
        "backpack.person_id",
        "backpack_sign_in.person_id",
        "backpack_sign_in.award_id",
        "backpack_push.award_id",
        "imported_badge.person_id",
        "wallet_offer.award_id",
        "holders_choice.award_id",
        "holders_choice.shown_address_id",
    }
    found = {
        f"{table.name}.{key.parent.name}"
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in OF_A_PERSON
    }
    assert found == kept_without_a_name | removed


def test_asking_is_put_on_record_and_can_be_taken_back(systems: Both, terry: Visitor) -> None:
    here, _ = systems
    assert "Ask to be erased" in terry.get("privacy").text
    assert terry.post("privacy/erase", {"badges": "keep"}).status_code == 303
    assert "You asked for this" in terry.get("privacy").text
    with here.assembly.database.reading() as session:
        assert session.scalars(select(EraseRequest)).one().keeps_badges
    assert terry.post("privacy/erase/undo").status_code == 303
    with here.assembly.database.reading() as session:
        assert session.scalars(select(EraseRequest)).one().outcome == "taken_back"
    assert "Ask to be erased" in terry.get("privacy").text


def packed(data: bytes) -> tuple[dict[str, object], dict[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        contents = {name: file.read(name) for name in file.namelist()}
    return json.loads(contents.pop(exporting.DOCUMENT)), contents


def test_a_copy_holds_everything_of_this_person_and_nobody_else(systems: Both, terry: Visitor) -> None:
    here, _ = systems
    other = here.visitor()
    other.get()
    write(other, "p1", "p1-q1", "words of another")
    answer = terry.post("privacy/download")
    assert answer.mimetype == "application/zip"
    document, files = packed(answer.data)
    text = json.dumps(document, ensure_ascii=False)
    for part in ("Terry Tryout", "terry@demo.invalid", "sub-terry-42", "my own words", COMMENT):
        assert part in text
    assert "words of another" not in text
    assert "Demo Reviewer" not in text, "reviewers have no name"
    assert picture() in files.values()
    assert here.assembly.storage is not None
    with here.assembly.database.reading() as session:
        key = session.scalars(select(EvidenceItem.storage_key)).first()
    here.assembly.storage.delete(str(key))
    _, files = packed(terry.post("privacy/download").data)
    assert "terrys-board.png" in files["missing.txt"].decode()


def test_the_page_says_what_is_stored(systems: Both, terry: Visitor) -> None:
    page = terry.get("privacy")
    assert page.status_code == 200
    for part in ("Terry Tryout", "terry@demo.invalid", "Demo LMS", "1 badge", "Shape Ideas"):
        assert part in page.text
    assert "privacy" in terry.get("help").text


def test_a_data_privacy_launch_opens_that_page(systems: Both) -> None:
    here, _ = systems
    visitor = here.visitor(rights=("read",))
    with here.assembly.database.writing() as session:
        session.execute(
            update(Launch)
            .where(Launch.public_id == visitor.launch)
            .values(
                message_type="DataPrivacyLaunchRequest",
                context_id=None,
                resource_link_id=None,
                for_user_sub="somebody else",
            )
        )
    assert visitor.get().headers["Location"].endswith("/privacy")
    page = visitor.get("privacy")
    assert page.status_code == 200
    assert "Your course system asked about somebody else" in page.text


@pytest.fixture
def world(migrated_sqlite_url: str) -> "Iterator[object]":
    with lti_world(migrated_sqlite_url) as made:
        yield made


def test_a_suspended_person_is_refused_and_a_restored_one_is_not(world) -> None:  # type: ignore[no-untyped-def]
    browser = world.browser()
    first = browser.launch()
    assert is_accepted(first)
    person_id = world.people()[0].id
    with world.database.writing() as session:
        standing.suspend(session, person_id, now=world.clock.now(), by=None)
    assert browser.get(first.headers["Location"].removeprefix("https://tool.test")).status_code == 401
    assert_refused(world.browser().launch(), "user_blocked", 403)
    with world.database.writing() as session:
        standing.restore(session, person_id, now=world.clock.now(), by=None)
    assert is_accepted(world.browser().launch())
    assert len(world.people()) == 1


def test_a_launch_after_erasing_starts_empty(world) -> None:  # type: ignore[no-untyped-def]
    browser = world.browser()
    assert is_accepted(browser.launch())
    old = world.people()[0].id
    with world.database.writing() as session:
        privacy.erase(session, old, grades=Grades.CANCEL, keep_badges=False, by=None, now=world.clock.now())
    world.clock.pass_(**{"seconds": timedelta(minutes=1).total_seconds()})
    again = browser.launch()
    assert is_accepted(again)
    people = world.people()
    assert [one.state for one in people] == ["erased", "active"]
    assert browser.page(again)["person_id"] == people[1].id
    with world.database.reading() as session:
        assert session.scalars(select(LmsIdentity.person_id)).all() == [people[1].id]
