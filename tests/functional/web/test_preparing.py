"""From a file as it came to what others see: the copy that plays, location data, the malware scan."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from microcred.credentials.file_models import EvidenceFile, EvidenceUpload, EvidenceUploadPiece
from microcred.credentials.models import EvidencePermission
from microcred.operations import exporting, preparing, privacy, review
from microcred.people import links
from microcred.storage import FileMissing
from tests.functional.web import tus
from tests.functional.web.course import Course, MovingClock, Visitor, build
from tests.functional.web.test_evidence import items, stored
from tests.functional.web.test_permissions import PDF, give, lines
from tests.functional.web.work import complete, events, picture, submit, upload
from tests.support import clamd
from tests.unit.media import samples


def file_of(course: Course) -> EvidenceFile:
    """The only file there is."""
    with course.assembly.database.reading() as session:
        return session.scalars(select(EvidenceFile)).one()


def test_a_photo_of_an_iphone_is_prepared_and_seen_by_everybody(teacher: Visitor, course: Course) -> None:
    content = samples.picture("HEIF")
    upload(teacher, content, "IMG_0042.HEIC")
    [item] = items(course)
    assert item.media_type == "image/heic"
    assert "Being prepared for your reviewer" in teacher.get("parts/p2").text
    assert teacher.get(f"evidence/{item.public_id}").data == content
    assert tus.work_off(course) == 1
    page = teacher.get("parts/p2").text
    assert "a copy that opens in every browser" in page
    assert "is taken out" in page
    seen = teacher.get(f"evidence/{item.public_id}")
    assert (seen.mimetype, seen.headers["Content-Disposition"]) == (
        "image/jpeg",
        "inline; filename=IMG_0042.jpg",
    )
    with Image.open(io.BytesIO(seen.data)) as drawn:
        assert drawn.size == (64, 48)
    original = teacher.get(f"evidence/{item.public_id}?original=1")
    assert original.mimetype == "image/heic"
    assert original.headers["Content-Disposition"].startswith("attachment")
    assert len(original.data) == len(content)
    assert b"GPSLatitude" not in original.data
    teacher.post(f"evidence/{item.public_id}/remove")
    assert stored(course) == []


def test_a_photo_loses_its_place_and_a_file_that_cannot_says_so(teacher: Visitor, course: Course) -> None:
    upload(teacher, samples.picture("JPEG"), "board.jpg")
    tus.work_off(course)
    assert (file_of(course).location, file_of(course).state) == ("removed", "ready")
    [item] = items(course)
    with Image.open(io.BytesIO(teacher.get(f"evidence/{item.public_id}").data)) as drawn:
        assert dict(drawn.getexif()) == {}
    teacher.post(f"evidence/{item.public_id}/remove")
    upload(teacher, b"{\\rtf1 A plan}", "plan.rtf")
    tus.work_off(course)
    assert "We cannot look for location data in this file" in teacher.get("parts/p2").text


def test_a_file_removed_while_it_is_prepared_leaves_nothing(teacher: Visitor, course: Course) -> None:
    upload(teacher, samples.picture("HEIF"), "IMG_0042.HEIC")
    [item] = items(course)
    teacher.post(f"evidence/{item.public_id}/remove")
    tus.work_off(course)
    assert stored(course) == []


@pytest.mark.long
def test_an_original_goes_some_time_after_the_decision_and_its_copy_stays(course_anywhere: Course) -> None:
    course = course_anywhere
    teacher = course.visitor()
    teacher.get()
    complete(teacher, course)
    content = samples.picture("HEIF")
    address = tus.begin(teacher, len(content), name="IMG_0042.HEIC").headers["Location"]
    assert tus.send(teacher, address, 0, content[:300]).status_code == 204
    assert tus.send(teacher, address, 300, content[300:]).status_code == 204
    tus.work_off(course)
    submit(teacher)
    [item] = [one for one in items(course) if one.file_name == "IMG_0042.HEIC"]

    def after(days: int) -> int:
        course.clock.move(days=days)
        with course.assembly.database.writing() as session:
            return preparing.let_originals_go(session, course.clock.now())

    assert after(days=300) == 0
    ratings = {criterion.id: "passing" for _, criterion in course.definition().criteria()} | {"p2-c1": "yes"}
    course.judge(teacher.person_id, ratings)
    assert after(days=59) == 0
    before = len(stored(course))
    assert after(days=2) == 1
    tus.work_off(course)
    again = course.visitor((teacher.person_id, 1))
    assert again.get(f"evidence/{item.public_id}?original=1").mimetype == "image/jpeg"
    with pytest.raises(FileMissing):
        course.assembly.storage.size(str(item.storage_key))
    assert len(stored(course)) >= before - 1
    assert "is kept until the decision" not in again.get("parts/p2").text
    with course.assembly.database.reading() as session:
        made = exporting.export(session, teacher.person_id, by=None, now=course.clock.now())
    content = b"".join(exporting.archive(made, course.assembly.storage))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert "missing.txt" not in archive.namelist()
        assert len([name for name in archive.namelist() if name.startswith("evidence/")]) == len(
            items(course)
        )


def test_erasing_a_person_takes_files_copies_and_what_was_on_its_way(
    teacher: Visitor, course: Course
) -> None:
    upload(teacher, samples.picture("HEIF"), "IMG_0042.HEIC")
    tus.work_off(course)
    address = tus.begin(teacher, 200_000, name="talk.mp4").headers["Location"]
    tus.send(teacher, address, 0, b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100_000))
    folders = {path.parent.name for path in stored(course)}
    assert folders == {"evidence", "views", address.split("/")[-1]}
    with course.assembly.database.writing() as session:
        privacy.erase(
            session,
            teacher.person_id,
            grades=privacy.Grades.CANCEL,
            keep_badges=False,
            by=None,
            now=course.clock.now(),
        )
    tus.work_off(course)
    assert stored(course) == []
    with course.assembly.database.reading() as session:
        for table in (EvidenceFile, EvidenceUpload, EvidenceUploadPiece):
            assert session.scalars(select(table)).all() == []


def at_review(course: Course, person_id: int) -> Callable[[str], TestResponse]:
    """How a demo reviewer, come in by a one-time link, opens pages below `/desk/review/`."""
    reviewer, client = course.officer("reviewer"), course.app.test_client()
    with course.assembly.database.writing() as session:
        secret = links.invite(session, reviewer.person_id, course.clock.now())
    same = {"Sec-Fetch-Site": "same-origin"}
    entered = client.post("/desk/enter", data={"t": secret}, headers=same, base_url="https://127.0.0.1:5000")
    assert entered.status_code == 303
    with course.assembly.database.writing() as session:
        review.start(session, reviewer, course.attempt(person_id).public_id, course.clock.now())
    return lambda path: client.get(f"/desk/review/{path}", base_url="https://127.0.0.1:5000")


def test_a_reviewer_waits_for_what_is_prepared_and_then_hears_and_reads_it(
    teacher: Visitor, course: Course
) -> None:
    complete(teacher, course)
    tus.work_off(course)
    memo = ["-f", "amr", "-vn", "-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1", "-b:a", "12.2k"]
    with TemporaryDirectory() as folder:
        upload(teacher, samples.film(Path(folder) / "memo.amr", *memo).read_bytes(), "memo.amr")
    item = items(course)[-1]
    captions = "WEBVTT\n\n00:00.000 --> 00:01.000\nA: We could sort them <by colour>."
    teacher.post(f"evidence/{item.public_id}/transcript", {"text-transcript": captions})
    assert submit(teacher).status_code == 303
    open_page = at_review(course, teacher.person_id)
    place = course.attempt(teacher.person_id).public_id
    file = f"{place}/evidence/{item.public_id}/file"
    assert "Being prepared so that it plays" in open_page(f"{place}?part=p2").text
    assert "Being prepared so that it plays" in open_page(f"{place}/evidence/{item.public_id}").text
    assert open_page(file).status_code == 404
    tus.work_off(course)
    page = open_page(f"{place}?part=p2").text
    assert "Being prepared" not in page
    assert "<audio" in page
    assert "A: We could sort them &lt;by colour&gt;." in page
    assert open_page(file).mimetype == "audio/mp4"
    shown = open_page(f"{place}/evidence/{item.public_id}/captions.vtt")
    assert (shown.mimetype, shown.text.strip()) == ("text/vtt", captions)
    assert events(course, "evidence_opened") == 1


@pytest.fixture
def scanned(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Course, Visitor, clamd.Scanner]]:
    """The course with a malware scan, and a teacher in it."""
    with clamd.running(limit=500_000) as scanner:
        made = build(migrated_sqlite_url, tmp_path, MovingClock(), clamd_url=scanner.url)
        visitor = made.visitor()
        assert visitor.get().status_code == 200
        yield made, visitor, scanner
        made.assembly.close()


def test_a_file_stays_locked_away_until_it_was_found_clean(
    scanned: tuple[Course, Visitor, clamd.Scanner],
) -> None:
    course, teacher, scanner = scanned
    upload(teacher, picture())
    [item] = items(course)
    assert "Being checked for malware" in teacher.get("parts/p2").text
    closed = teacher.get(f"evidence/{item.public_id}")
    assert (closed.status_code, "being checked for malware" in closed.text) == (409, True)
    tus.work_off(course)
    assert scanner.scanned == [len(picture())]
    assert teacher.get(f"evidence/{item.public_id}").data == picture()
    assert "Being checked" not in teacher.get("parts/p2").text


def test_malware_is_deleted_and_said_in_words(scanned: tuple[Course, Visitor, clamd.Scanner]) -> None:
    course, teacher, _ = scanned
    # The test file behind the end of a picture: what hides malware is no picture's business.
    content = picture() + clamd.EICAR
    address = tus.begin(teacher, len(content), name="board.png").headers["Location"]
    tus.send(teacher, address, 0, content)
    tus.work_off(course)
    page = teacher.get("parts/p2").text
    assert "This file held malware and was deleted" in page
    assert stored(course) == []
    [item] = items(course)
    assert teacher.get(f"evidence/{item.public_id}").status_code == 409
    assert events(course, "evidence_infected") == 1
    assert teacher.post(f"evidence/{item.public_id}/remove").status_code == 303
    assert items(course) == []


def test_a_permission_form_is_locked_away_until_it_was_found_clean_and_ends_where_it_was_not(
    scanned: tuple[Course, Visitor, clamd.Scanner],
) -> None:
    course, teacher, scanner = scanned
    assert give(teacher, "A", form=PDF).status_code == 303
    with course.assembly.database.reading() as session:
        form = f"permissions/forms/{session.scalars(select(EvidencePermission.public_id)).one()}"
    page = teacher.get("permissions").text
    assert "It is being checked for malware" in page
    assert form not in page
    assert teacher.get(form).status_code == 409
    with course.assembly.database.reading() as session:
        made = exporting.export(session, teacher.person_id, by=None, now=course.clock.now())
    assert made.files == ()
    tus.work_off(course)
    assert scanner.scanned == [len(PDF)]
    assert form in teacher.get("permissions").text
    assert teacher.get(form).data == PDF  # as it was signed

    assert give(teacher, "B", form=PDF + clamd.EICAR).status_code == 303
    assert "Confirm that you have permission for Student B." not in teacher.get("submit").text
    tus.work_off(course)
    assert lines(course, "B") == [("form", "infected")]
    assert "the file held malware and was deleted" in teacher.get("permissions").text
    assert "Confirm that you have permission for Student B." in teacher.get("submit").text
    assert len(stored(course)) == 1
    with course.assembly.database.writing() as session:
        privacy.erase(
            session,
            teacher.person_id,
            grades=privacy.Grades.CANCEL,
            keep_badges=False,
            by=None,
            now=course.clock.now(),
        )
        assert session.scalars(select(EvidenceFile)).all() == []
    tus.work_off(course)
    assert stored(course) == []


def test_a_scanner_that_is_away_opens_nothing(migrated_sqlite_url: str, tmp_path: Path) -> None:
    course = build(migrated_sqlite_url, tmp_path, MovingClock(), clamd_url="unix:///nowhere/clamd.sock")
    teacher = course.visitor()
    teacher.get()
    upload(teacher, picture())
    tus.work_off(course)
    assert file_of(course).state == "scanning"
    [item] = items(course)
    assert teacher.get(f"evidence/{item.public_id}").status_code == 409
    course.assembly.close()


def test_a_file_past_the_scanners_limit_waits_for_the_operator(
    scanned: tuple[Course, Visitor, clamd.Scanner],
) -> None:
    course, teacher, _ = scanned
    upload(teacher, picture() + bytes(700_000))
    tus.work_off(course)
    assert file_of(course).state == "scanning"
