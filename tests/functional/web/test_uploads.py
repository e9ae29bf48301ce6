"""Resumable uploads (tus 1.0): pieces, going on, being turned away, and what becomes of a whole file."""

import hashlib
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from microcred.credentials.file_models import EvidenceUpload, EvidenceUploadPiece
from microcred.operations import uploading
from tests.functional.web import tus
from tests.functional.web.course import Course, MovingClock, Visitor, build
from tests.functional.web.test_evidence import items, stored
from tests.functional.web.work import complete, picture, submit, upload

MIB = 1024 * 1024
FILM = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\0\x08free"


def film(size: int, seed: int = 1) -> bytes:
    """Bytes that begin as an MP4 does and go on at random."""
    return FILM + random.Random(seed).randbytes(size - len(FILM))


@pytest.fixture(params=["folder", "s3"])
def roomy(
    request: pytest.FixtureRequest, migrated_sqlite_url: str, tmp_path: Path
) -> Iterator[tuple[Course, Visitor]]:
    """The course with room for larger files, on a folder and on S3, and a teacher in it."""
    storage_url = str(tmp_path / "files") if request.param == "folder" else request.getfixturevalue("s3_url")
    made = build(migrated_sqlite_url, tmp_path, MovingClock(), storage_url=storage_url, max_upload_mb=64)
    visitor = made.visitor()
    assert visitor.get().status_code == 200
    yield made, visitor
    made.assembly.close()


def rows(course: Course) -> list[EvidenceUpload]:
    """Uploads that are not evidence yet."""
    with course.assembly.database.reading() as session:
        return list(session.scalars(select(EvidenceUpload)))


def test_a_file_arrives_in_pieces_whole_and_with_its_hash(roomy: tuple[Course, Visitor]) -> None:
    course, teacher = roomy
    content = film(10 * MIB + 77)
    begun = tus.begin(teacher, len(content))
    assert begun.status_code == 201
    address = begun.headers["Location"]
    at = 0
    # Pieces of any size, the longest longer than what is kept as one object.
    for size in (70_000, 1, 8 * MIB + 5, MIB, len(content)):
        answer = tus.send(teacher, address, at, content[at : at + size])
        assert answer.status_code == 204, answer.text
        at = int(answer.headers["Upload-Offset"])
        if at < len(content):
            assert tus.ask(teacher, "HEAD", address).headers["Upload-Offset"] == str(at)
    assert at == len(content)
    assert "It is being added" in teacher.get("parts/p2").text
    tus.work_off(course)
    [item] = items(course)
    assert (item.size, item.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (item.file_name, item.media_type, item.type_group) == ("talk.mp4", "video/mp4", "video")
    assert teacher.get(f"evidence/{item.public_id}").data == content
    assert rows(course) == []
    with course.assembly.database.reading() as session:
        assert session.scalars(select(EvidenceUploadPiece)).all() == []
    if course.assembly.settings.storage_url and "s3:" not in course.assembly.settings.storage_url:
        assert [path.parent.name for path in stored(course)] == ["evidence"]


def test_bytes_that_do_not_follow_are_turned_away(teacher: Visitor, course: Course) -> None:
    content = film(300_000)
    address = tus.begin(teacher, len(content)).headers["Location"]
    assert tus.send(teacher, address, 5, content[5:]).status_code == 409
    assert tus.send(teacher, address, 0, content[:200_000]).status_code == 204
    assert tus.send(teacher, address, 0, content[:200_000]).status_code == 409
    assert tus.send(teacher, address, 200_000, content[200_000:] + b"more").status_code == 413
    assert tus.ask(teacher, "HEAD", address).headers["Upload-Offset"] == "200000"
    assert len(stored(course)) == 1


def test_what_arrived_before_the_connection_broke_is_kept(teacher: Visitor, course: Course) -> None:
    content = film(300_000)
    address = tus.begin(teacher, len(content)).headers["Location"]
    # The header promises more than comes.
    tus.send(teacher, address, 0, content[:120_000], **{"Content-Length": str(len(content))})
    found = tus.ask(teacher, "HEAD", address)
    assert found.headers["Upload-Offset"] == "120000"
    assert found.headers["Upload-Length"] == str(len(content))
    assert tus.send(teacher, address, 120_000, content[120_000:]).status_code == 204
    tus.work_off(course)
    [item] = items(course)
    assert item.sha256 == hashlib.sha256(content).hexdigest()


def test_the_same_file_chosen_again_goes_on_where_it_was_also_in_a_later_launch(course: Course) -> None:
    person = course.person("Demo Returner")
    before = course.visitor(person)
    before.get()
    content = film(400_000)
    address = tus.begin(before, len(content)).headers["Location"]
    tus.send(before, address, 0, content[:150_000])
    assert "To go on, choose the same file again" in before.get("parts/p2").text
    course.clock.move(hours=13)
    ended = tus.send(before, address, 150_000, content[150_000:])
    assert ended.status_code == 401
    after = course.visitor(person)
    again = tus.begin(after, len(content))
    assert again.headers["Upload-Offset"] == "150000"
    assert again.headers["Location"].split("/")[-1] == address.split("/")[-1]
    assert tus.send(after, again.headers["Location"], 150_000, content[150_000:]).status_code == 204
    tus.work_off(course)
    assert items(course)[0].sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"MZ" + bytes(100_000), "talk.mp4", "is a program"),
        (b"PK\x03\x04" + bytes(100_000), "all.zip", "is an archive"),
        (b"#!/bin/sh\n", "short.txt", "is a program"),
    ],
)
def test_a_kind_that_is_no_evidence_ends_with_its_first_bytes(
    teacher: Visitor, course: Course, content: bytes, name: str, words: str
) -> None:
    address = tus.begin(teacher, len(content), name=name).headers["Location"]
    answer = tus.send(teacher, address, 0, content[:90_000])
    assert (answer.status_code, words in answer.text) == (422, True)
    assert stored(course) == []
    assert words in teacher.get("parts/p2").text
    assert tus.ask(teacher, "HEAD", address).status_code == 410
    assert tus.begin(teacher, len(content), name=name).headers["Upload-Offset"] == "0"


def test_what_cannot_become_evidence_is_not_begun(teacher: Visitor, course: Course) -> None:
    limit = course.assembly.services().settings.max_upload_bytes
    assert "the limit is" in tus.begin(teacher, limit + 1).text
    assert tus.begin(teacher, 0).status_code == 422
    assert tus.begin(teacher, 10, requirement="p9-a9").status_code == 404
    for number in range(6):
        assert tus.begin(teacher, 1000, fingerprint=str(number)).status_code == 201
    full = tus.begin(teacher, 1000, fingerprint="one too many")
    assert (full.status_code, "at most 6" in full.text) == (422, True)
    assert len(rows(course)) == 6


def test_a_file_that_is_there_already_is_said_to_be(teacher: Visitor, course: Course) -> None:
    content = picture() + bytes(1)
    upload(teacher, content)
    address = tus.begin(teacher, len(content), name="again.png").headers["Location"]
    tus.send(teacher, address, 0, content)
    tus.work_off(course)
    assert "You added this file already, under “Student A”" in teacher.get("parts/p2").text
    assert len(items(course)) == 1
    assert len(stored(course)) == 1
    [row] = rows(course)
    assert teacher.post(f"uploads/{row.public_id}/stop").status_code == 303
    assert rows(course) == []


def test_nothing_is_handed_in_while_a_file_is_on_its_way_and_nothing_comes_after(
    teacher: Visitor, course: Course
) -> None:
    content = film(100_000)
    complete(teacher, course)
    address = tus.begin(teacher, len(content)).headers["Location"]
    tus.send(teacher, address, 0, content[:70_000])
    assert "has not arrived whole yet" in submit(teacher).text
    tus.send(teacher, address, 70_000, content[70_000:])
    assert "is being added" in submit(teacher).text
    tus.work_off(course)
    assert submit(teacher).status_code == 303
    late = tus.begin(teacher, len(content), fingerprint="late")
    assert (late.status_code, len(rows(course))) == (422, 0)


def test_it_is_nobody_elses_and_needs_the_token_of_the_page(teacher: Visitor, course: Course) -> None:
    address = tus.begin(teacher, 1000).headers["Location"]
    other = course.visitor()
    other.get()
    theirs = other.url(f"uploads/{address.split('/')[-1]}")
    assert tus.ask(other, "HEAD", theirs).status_code == 404
    assert tus.send(other, theirs, 0, b"x").status_code == 404
    assert tus.ask(other, "DELETE", theirs).status_code == 404
    assert tus.send(teacher, address, 0, b"x", **{"X-Form-Token": "another"}).status_code == 403
    assert tus.send(teacher, address, 0, b"x", **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert tus.begin(teacher, 1000, **{"Tus-Resumable": "0.2.2"}).status_code == 412
    assert tus.ask(teacher, "HEAD", address).headers["Upload-Offset"] == "0"


def test_a_stopped_upload_leaves_nothing(teacher: Visitor, course: Course) -> None:
    content = film(200_000)
    address = tus.begin(teacher, len(content)).headers["Location"]
    tus.send(teacher, address, 0, content[:150_000])
    assert tus.ask(teacher, "DELETE", address).status_code == 204
    assert tus.ask(teacher, "HEAD", address).status_code == 404
    tus.work_off(course)
    assert stored(course) == []


def test_a_whole_file_that_does_not_get_on_can_be_stopped_in_the_end(
    teacher: Visitor, course: Course
) -> None:
    content = film(70_000)
    address = tus.begin(teacher, len(content)).headers["Location"]
    tus.send(teacher, address, 0, content)
    stop = f"uploads/{address.split('/')[-1]}/stop"
    assert stop not in teacher.get("parts/p2").text
    assert teacher.post(stop).status_code == 409
    course.clock.move(minutes=31)
    assert stop in teacher.get("parts/p2").text
    assert teacher.post(stop).status_code == 303
    tus.work_off(course)
    assert (rows(course), items(course), stored(course)) == ([], [], [])


def test_an_upload_that_nobody_goes_on_with_is_swept_after_a_week(teacher: Visitor, course: Course) -> None:
    content = film(200_000)
    begun = tus.begin(teacher, len(content))
    tus.send(teacher, begun.headers["Location"], 0, content[:150_000])
    assert "GMT" in begun.headers["Upload-Expires"]
    for days, left in ((6, 1), (2, 0)):
        course.clock.move(days=days)
        with course.assembly.database.writing() as session:
            uploading.sweep(session, course.clock.now())
        assert len(rows(course)) == left
    assert timedelta(days=7) == uploading.KEPT
    tus.work_off(course)
    assert stored(course) == []


def test_what_the_server_can_do_is_told(teacher: Visitor) -> None:
    answer = tus.ask(teacher, "OPTIONS", teacher.url("uploads"))
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,termination,expiration"
    assert int(answer.headers["Tus-Max-Size"]) > 0
