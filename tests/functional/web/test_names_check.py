"""Looking through a try for names before it is sent, with a roster and real documents; blurring."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from reportlab.pdfgen import canvas
from sqlalchemy import select, update
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from lti_tool.models import Context
from lti_tool.roster import MEDIA_TYPE
from microcred.credentials.models import EvidenceItem, NamesCheck
from microcred.media import words_of
from tests.functional.web.course import Course, MovingClock, Visitor, build
from tests.functional.web.work import complete, picture, submit, upload, write

MEMBERS = [
    {"user_id": "1", "roles": [], "name": "Maria Lopez", "given_name": "Maria", "family_name": "Lopez"},
    {"user_id": "2", "roles": [], "name": "Kofi Mensah", "email": "kofi@school.example"},
]


class _Lms(BaseHTTPRequestHandler):
    """Gives a token to anybody, and the roster to whoever has it."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"access_token": "t", "token_type": "Bearer", "expires_in": 3600}, "application/json")

    def do_GET(self) -> None:
        self._answer({"id": "x", "context": {"id": "course"}, "members": MEMBERS}, MEDIA_TYPE)

    def _answer(self, document: object, media_type: str) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture(scope="module")
def lms() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Lms)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def course(migrated_sqlite_url: str, tmp_path: Path, lms: str) -> Iterator[Course]:
    made = build(migrated_sqlite_url, tmp_path, MovingClock(), lms=f"http://{lms}", allow_hosts=(lms,))
    with made.assembly.database.writing() as session:
        session.execute(update(Context).values(memberships_url=f"http://{lms}/members"))
    yield made
    made.assembly.close()


def work(course: Course) -> None:
    for _ in range(3):
        course.assembly.make_worker().run_due()


def check(visitor: Visitor, course: Course) -> str:
    """Open the last page, let the worker look, open it again."""
    assert "Looking through your texts" in visitor.get("submit").text
    work(course)
    return visitor.get("submit").text


def document(kind: str, text: str) -> bytes:
    """A small file of a kind that says `text`."""
    file = io.BytesIO()
    if kind == "pdf":
        page = canvas.Canvas(file)
        page.drawString(72, 720, text)
        page.save()
        return file.getvalue()
    first, rest = text[:3], text[3:]
    member = {
        "docx": (
            "word/document.xml",
            f"<w:p><w:r><w:t>{first}</w:t></w:r><w:r><w:t>{rest}</w:t></w:r></w:p>",
        ),
        "pptx": (
            "ppt/slides/slide1.xml",
            f"<a:p><a:r><a:t>{first}</a:t></a:r><a:r><a:t>{rest}</a:t></a:r></a:p>",
        ),
        "xlsx": ("xl/sharedStrings.xml", f"<sst><si><t>{text}</t></si><si><t>&amp; more</t></si></sst>"),
        "odt": ("content.xml", f"<text:p>{first}<text:span>{rest}</text:span></text:p>"),
    }[kind]
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(*member)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["pdf", "docx", "pptx", "xlsx", "odt"])
def test_what_a_document_says_is_read(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(document(kind, "Maria Lopez counted"))
    words = words_of(file, kind)
    assert words is not None
    assert "Maria Lopez counted" in words


def test_a_broken_document_is_said_to_be_unread(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"%PDF-1.4 nothing follows")
    assert words_of(file, "pdf") is None


def test_names_of_the_course_and_addresses_are_found_wherever_they_stand(
    teacher: Visitor, course: Course
) -> None:
    complete(teacher, course)
    write(teacher, "p1", "p1-q1", "Kofi Mensah asked; write to parent@home.example.", revision=1)
    part = course.definition().part("p2")
    requirement = part.artefact_requirements[0]
    item = items(course, teacher)[0]
    teacher.post(f"evidence/{item.public_id}/remove")
    assert upload(teacher, picture(240), "maria_lopez.png", requirement=requirement.id).status_code == 303
    page = check(teacher, course)
    assert "Kofi Mensah" in page
    assert "parent@home.example" in page
    assert "maria lopez" in page
    assert f"{teacher.url('parts/p1')}#p1-q1" in page
    assert "This check can miss" in page
    assert "Look at every picture and video yourself" in page
    assert submit(teacher).status_code == 303


def test_the_text_of_documents_is_looked_through(course: Course) -> None:
    visitor = course.visitor(credential="mc-safe-tools")
    visitor.get()
    complete(visitor, course, "mc-safe-tools")
    item = next(one for one in items(course, visitor) if one.type_group in ("pdf", "document"))
    visitor.post(f"evidence/{item.public_id}/remove")
    added = upload(
        visitor,
        document("pdf", "Kofi Mensah chose this tool"),
        "plan.pdf",
        part_id=item.part_id,
        requirement=item.requirement_id,
    )
    assert added.status_code == 303, added.text
    page = check(visitor, course)
    assert "Kofi Mensah" in page
    assert "a document" in page


def test_the_teachers_own_name_is_looked_for(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    write(teacher, "p4", "p4-q1", "By Demo Teacher 1, fifth grade.", revision=1)
    assert "Demo Teacher" in check(teacher, course)


def test_another_state_of_the_work_is_looked_through_anew(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    assert "No name and no mail address was found." in check(teacher, course)
    assert "Looking through" not in teacher.get("submit").text
    write(teacher, "p4", "p4-q1", "Maria helped.", revision=1)
    assert "Perhaps a name" in check(teacher, course)


def test_a_course_without_a_roster_says_so(teacher: Visitor, course: Course) -> None:
    with course.assembly.database.writing() as session:
        session.execute(update(Context).values(memberships_url=None))
    complete(teacher, course)
    assert "does not tell us who is in it" in check(teacher, course)


def test_a_result_for_work_that_changed_meanwhile_is_not_kept(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    teacher.get("submit")
    with course.assembly.database.writing() as session:
        session.execute(update(NamesCheck).values(fingerprint="0" * 64))
    work(course)
    with course.assembly.database.reading() as session:
        assert session.scalars(select(NamesCheck.checked_at)).one() is None


def items(course: Course, visitor: Visitor) -> list[EvidenceItem]:
    with course.assembly.database.reading() as session:
        query = select(EvidenceItem).where(
            EvidenceItem.attempt_id == course.attempt(visitor.person_id).id, EvidenceItem.removed_at.is_(None)
        )
        return list(session.scalars(query.order_by(EvidenceItem.id)))


def change(visitor: Visitor, public_id: str, content: bytes, name: str = "picture.jpg") -> TestResponse:
    file = FileStorage(io.BytesIO(content), filename=name)
    boundary, body = encode_multipart({"form_token": visitor.form_token, "file": file})
    return visitor.client.post(
        visitor.url(f"evidence/{public_id}/blur"),
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Sec-Fetch-Site": "same-origin"},
    )


def test_a_changed_picture_takes_the_place_of_the_old_one_and_the_old_file_is_gone(
    teacher: Visitor, course: Course
) -> None:
    upload(teacher, picture(1), caption="The board")
    (before,) = items(course, teacher)
    assert "Crop or blur" in teacher.get("parts/p2").text
    assert teacher.get(f"evidence/{before.public_id}/blur").status_code == 200
    assert change(teacher, before.public_id, picture(2)).status_code == 303
    (after,) = items(course, teacher)
    assert (after.caption, after.requirement_id) == ("The board", before.requirement_id)
    assert after.storage_key != before.storage_key
    assert teacher.get(f"evidence/{before.public_id}").status_code == 404
    assert before.storage_key is not None
    assert not (course.assembly.settings.data_dir / "files" / before.storage_key).exists()


def test_only_a_picture_takes_the_place_of_a_picture(teacher: Visitor, course: Course) -> None:
    upload(teacher, picture(1))
    (before,) = items(course, teacher)
    answer = change(teacher, before.public_id, b"%PDF-1.4\n1\n%%EOF\n", "x.pdf")
    assert answer.status_code == 409
    assert [one.public_id for one in items(course, teacher)] == [before.public_id]
    other = course.visitor()
    other.get()
    assert other.get(f"evidence/{before.public_id}/blur").status_code == 404
    assert change(other, before.public_id, picture(3)).status_code == 404
