"""The ledger of permissions: given, replaced, withdrawn, expired; and a reviewer's privacy flag."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from microcred.credentials.models import EvidenceItem, EvidencePermission
from microcred.operations import exporting, privacy_flagging, reading_review, review
from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from tests.functional.web.course import Course, Visitor
from tests.functional.web.work import complete, picture, submit, upload, write

PDF = b"%PDF-1.4\n1\n%%EOF\n"


def give(visitor: Visitor, code: str = "A", *, form: bytes | None = None, **fields: str) -> TestResponse:
    data: dict[str, Any] = {"form_token": visitor.form_token, "student_code": code, "kind": "student_family"}
    data |= fields
    if form is not None:
        data["file"] = FileStorage(io.BytesIO(form), filename="form.pdf")
    boundary, body = encode_multipart(data)
    return visitor.client.post(
        visitor.url("permissions/give"),
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Sec-Fetch-Site": "same-origin"},
    )


def withdraw(visitor: Visitor, code: str = "A") -> TestResponse:
    return visitor.post("permissions/withdraw", {"student_code": code, "kind": "student_family"})


def lines(course: Course, code: str = "A") -> list[tuple[str, str | None]]:
    with course.assembly.database.reading() as session:
        query = select(EvidencePermission).where(EvidencePermission.student_code == code)
        rows = session.scalars(query.order_by(EvidencePermission.id))
        return [(row.basis, row.ended_because) for row in rows]


def hidden(course: Course, attempt_id: int) -> list[str]:
    with course.assembly.database.reading() as session:
        rows = session.scalars(
            select(EvidenceItem).where(
                EvidenceItem.attempt_id == attempt_id, EvidenceItem.hidden_at.is_not(None)
            )
        )
        return sorted(row.requirement_id for row in rows)


@pytest.fixture
def submitted(teacher: Visitor, course: Course) -> Visitor:
    complete(teacher, course)
    assert submit(teacher).status_code == 303
    return teacher


def begin_review(course: Course, visitor: Visitor) -> tuple[Actor, str]:
    reviewer, public_id = course.officer("reviewer"), course.attempt(visitor.person_id).public_id
    with course.assembly.database.writing() as session:
        review.start(session, reviewer, public_id, course.clock.now())
    return reviewer, public_id


def test_without_permission_nothing_is_submitted_and_the_page_leads_to_the_place(
    teacher: Visitor, course: Course
) -> None:
    complete(teacher, course)
    withdraw(teacher)
    page = teacher.get("submit").text
    assert "Confirm that you have permission for Student A." in page
    assert "#permission-student_family-A" in page
    assert submit(teacher).status_code == 409


def test_a_form_is_kept_for_its_teacher_alone(teacher: Visitor, course: Course) -> None:
    assert give(teacher, form=PDF, expires_on="2027-06-30").status_code == 303
    page = teacher.get("permissions").text
    assert "form.pdf" in page
    assert "June 30, 2027" in page
    with course.assembly.database.reading() as session:
        public_id = session.scalars(select(EvidencePermission.public_id)).one()
    assert teacher.get(f"permissions/forms/{public_id}").data == PDF
    with course.assembly.database.reading() as session:
        made = exporting.export(session, teacher.person_id, by=None, now=course.clock.now())
    archive = zipfile.ZipFile(io.BytesIO(b"".join(exporting.archive(made, course.assembly.storage))))
    assert archive.read(f"permissions/{public_id}-form.pdf") == PDF
    (told,) = made.document["credentials"][0]["permissions"]
    assert told["form"] == f"permissions/{public_id}-form.pdf"
    assert course.visitor().get(f"permissions/forms/{public_id}").status_code == 404


def test_what_stood_before_stays_on_record(teacher: Visitor, course: Course) -> None:
    give(teacher, attest="1")
    give(teacher, attest="1")
    give(teacher, form=PDF)
    withdraw(teacher)
    withdraw(teacher)
    assert lines(course) == [("attested", "replaced"), ("form", "withdrawn")]
    assert "replaced" in teacher.get("permissions").text


@pytest.mark.parametrize("day", ["2026-09-27", "9999-01-01", "tomorrow"])
def test_a_last_day_that_cannot_be_is_refused_in_words(teacher: Visitor, course: Course, day: str) -> None:
    answer = give(teacher, attest="1", expires_on=day)
    assert answer.status_code == 409
    assert "Nothing was saved" in answer.text
    assert lines(course) == []


def test_neither_form_nor_word_is_no_permission(teacher: Visitor, course: Course) -> None:
    assert give(teacher).status_code == 409
    assert give(teacher, form=b"MZ\x90\x00 not a form").status_code == 409
    assert lines(course) == []
    folder = course.assembly.settings.data_dir / "files" / "permissions"
    assert not folder.exists() or list(folder.iterdir()) == []


def test_withdrawn_after_submitting_the_pieces_are_hidden_and_the_work_comes_back(
    submitted: Visitor, course: Course
) -> None:
    reviewer, public_id = begin_review(course, submitted)
    assert withdraw(submitted).status_code == 303
    attempt = course.attempt(submitted.person_id)
    assert (attempt.state, attempt.number) == ("draft", 1)
    assert set(hidden(course, attempt.id)) == {"p2-a1"}
    with course.assembly.database.reading() as session, pytest.raises((NotFound, NotAllowed)):
        reading_review.desk(session, reviewer, public_id)
    assert "came back: a permission has ended" in submitted.get("notices").text
    page = submitted.get("submit").text
    assert "are hidden" in page
    assert "Confirm that you have permission for Student A." in page
    give(submitted, attest="1")
    assert hidden(course, attempt.id) == []
    assert submit(submitted).status_code == 303
    with course.assembly.database.writing() as session:
        review.start(session, reviewer, public_id, course.clock.now())


def test_withdrawn_after_the_decision_hides_and_changes_nothing_else(
    submitted: Visitor, course: Course
) -> None:
    course.judge(
        submitted.person_id,
        {"p1-c1": "passing", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "strong", "p4-c1": "passing"},
    )
    withdraw(submitted)
    attempt = course.attempt(submitted.person_id)
    assert attempt.state == "awarded"
    assert set(hidden(course, attempt.id)) == {"p2-a1"}


def test_a_permission_ends_after_its_last_day_in_the_organizations_time(
    teacher: Visitor, course: Course
) -> None:
    complete(teacher, course)
    give(teacher, attest="1", expires_on="2026-09-28")
    assert submit(teacher).status_code == 303
    course.clock.move(hours=13)  # 3:42 UTC, 23:42 in New York: it still holds
    course.assembly.make_worker().run_due()
    assert course.attempt(teacher.person_id).state == "submitted"
    course.clock.move(hours=1)
    course.assembly.make_worker().run_due()
    assert course.attempt(teacher.person_id).state == "draft"
    assert lines(course)[-1] == ("attested", "expired")


def test_an_expired_permission_blocks_even_before_the_worker_looked(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    give(teacher, attest="1", expires_on="2026-09-28")
    course.clock.at += timedelta(hours=11)
    teacher = course.same(teacher)
    course.clock.at += timedelta(hours=2, minutes=59)
    teacher.get()  # keeps the launch alive
    course.clock.at += timedelta(minutes=30)
    answer = submit(teacher)
    assert answer.status_code in (401, 409)
    assert course.attempt(teacher.person_id).state == "draft"


def test_a_reviewers_flag_hides_the_piece_and_gives_the_work_back(submitted: Visitor, course: Course) -> None:
    reviewer, public_id = begin_review(course, submitted)
    attempt = course.attempt(submitted.person_id)
    with course.assembly.database.reading() as session:
        item = session.scalars(
            select(EvidenceItem).where(EvidenceItem.attempt_id == attempt.id).order_by(EvidenceItem.id)
        ).first()
    assert item is not None
    with course.assembly.database.writing() as session:
        privacy_flagging.flag(
            session, reviewer, public_id, because="face", item_id=item.public_id, now=course.clock.now()
        )
    attempt = course.attempt(submitted.person_id)
    assert (attempt.state, attempt.number, attempt.decision_due_at) == ("draft", 1, None)
    with course.assembly.database.reading() as session, pytest.raises((NotFound, NotAllowed)):
        reading_review.piece(session, reviewer, public_id, item.public_id)
    assert "A piece of" in submitted.get("submit").text
    assert "Hidden from everybody but you" in submitted.get("parts/p2").text
    assert submit(submitted).status_code == 409
    assert submitted.post(f"evidence/{item.public_id}/remove").status_code == 303
    answer = upload(submitted, picture(251), part_id=item.part_id, requirement=item.requirement_id)
    assert answer.status_code == 303
    assert submit(submitted).status_code == 303


def test_a_flagged_answer_has_to_be_changed(submitted: Visitor, course: Course) -> None:
    reviewer, public_id = begin_review(course, submitted)
    course.clock.move(minutes=1)
    with course.assembly.database.writing() as session:
        privacy_flagging.flag(
            session, reviewer, public_id, because="name", answer=("p4-q1", ""), now=course.clock.now()
        )
    assert "A reviewer saw a name in" in submitted.get("submit").text
    course.clock.move(minutes=1)
    assert write(submitted, "p4", "p4-q1", "Student A said so.", revision=1).status_code == 303
    assert "A reviewer saw a name in" not in submitted.get("submit").text
    assert submit(submitted).status_code == 303


def test_a_flag_is_for_whoever_reviews_and_says_what_is_wrong(submitted: Visitor, course: Course) -> None:
    reviewer, public_id = begin_review(course, submitted)
    now, another = course.clock.now(), course.officer("reviewer")
    with course.assembly.database.writing() as session, pytest.raises(NotAllowed):
        privacy_flagging.flag(session, another, public_id, because="name", answer=("p4-q1", ""), now=now)
    with course.assembly.database.writing() as session, pytest.raises(OperationRefused):
        privacy_flagging.flag(session, reviewer, public_id, because="taste", item_id="x", now=now)
    with course.assembly.database.writing() as session, pytest.raises(NotFound):
        privacy_flagging.flag(session, reviewer, public_id, because="name", item_id="x", now=now)
    assert course.attempt(submitted.person_id).state == "in_review"
