"""Evidence: what is taken, what is refused and in which words, who opens it, what removing removes."""

import io
from pathlib import Path

import pytest
from sqlalchemy import select

from microcred.credentials.models import EvidenceItem
from tests.functional.web.course import LIMIT, Course, Visitor
from tests.functional.web.work import complete, events, link, permit, picture, submit, upload


def items(course: Course) -> list[EvidenceItem]:
    """Every piece that stands."""
    with course.assembly.database.reading() as session:
        return list(session.scalars(select(EvidenceItem).where(EvidenceItem.removed_at.is_(None))))


def stored(course: Course) -> list[Path]:
    """Every file in the store."""
    folder = Path(course.assembly.settings.effective_storage_url)
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_picture_is_added_counted_and_opened_by_its_owner(teacher: Visitor, course: Course) -> None:
    answer = upload(teacher, picture(), "Board of ideas.png", caption="All ideas")
    assert answer.status_code == 303
    page = teacher.get("parts/p2").text
    assert "1 of 2 pieces" in page
    assert "All ideas" in page
    [item] = items(course)
    assert (item.media_type, item.type_group, item.student_code) == ("image/png", "image", "A")
    opened = teacher.get(f"evidence/{item.public_id}")
    assert opened.data == picture()
    assert opened.headers["Content-Type"] == "image/png"
    assert "sandbox" in opened.headers["Content-Security-Policy"]
    assert events(course, "evidence_opened") == 1


def test_a_range_of_a_file_is_given_and_not_counted_as_another_opening(
    teacher: Visitor, course: Course
) -> None:
    upload(teacher, picture())
    [item] = items(course)
    for _ in range(2):
        part = teacher.get(f"evidence/{item.public_id}", headers={"Range": "bytes=4-9"})
        assert part.status_code == 206
        assert part.data == picture()[4:10]
        assert part.headers["Content-Range"] == f"bytes 4-9/{len(picture())}"
        assert events(course, "evidence_opened") == 1  # of whoever never asks for the first byte, too
    teacher.get(f"evidence/{item.public_id}", headers={"Range": "bytes=0-"})
    assert events(course, "evidence_opened") == 2


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<!doctype html><html><script>alert(1)</script></html>", "page.html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "drawing.svg"),
    ],
)
def test_what_could_run_in_a_browser_is_only_downloaded(
    teacher: Visitor, course: Course, content: bytes, name: str
) -> None:
    if upload(teacher, content, name).status_code != 303:
        assert stored(course) == []
        return
    [item] = items(course)
    opened = teacher.get(f"evidence/{item.public_id}")
    assert opened.headers["Content-Disposition"].startswith("attachment")
    assert opened.headers["Content-Security-Policy"].startswith("sandbox")


def test_nobody_else_opens_it_here(teacher: Visitor, course: Course) -> None:
    upload(teacher, picture())
    [item] = items(course)
    other = course.visitor()
    other.get()
    assert other.get(f"evidence/{item.public_id}").status_code == 404
    assert other.post(f"evidence/{item.public_id}/remove").status_code == 404
    staff = course.visitor(rights=("place", "read", "see_progress"))
    assert staff.get(f"evidence/{item.public_id}").status_code == 404


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "empty.pdf", "is empty"),
        (b"MZ\x90\x00" + b"\x00" * 200, "homework.pdf", "homework.pdf"),
        (b"#!/bin/sh\nrm -rf /\n", "notes.txt", "notes.txt"),
        (b"PK\x03\x04" + b"\x00" * 60, "all.zip", "all.zip"),
    ],
)
def test_what_is_no_evidence_is_refused_in_words_and_not_stored(
    teacher: Visitor, course: Course, content: bytes, name: str, words: str
) -> None:
    answer = upload(teacher, content, name)
    assert answer.status_code == 409
    assert words in answer.text
    assert "Everything else is saved" in answer.text
    assert items(course) == []
    assert stored(course) == []


def test_a_file_over_the_limit_says_both_sizes(teacher: Visitor, course: Course) -> None:
    answer = upload(teacher, picture() + b"\x00" * (2 * LIMIT))
    assert answer.status_code == 413
    assert "It is 2.1 MB and the limit is 1.0 MB" in answer.text
    assert "Work from two students" in answer.text
    assert stored(course) == []


def test_a_file_just_over_the_limit_is_refused_too(teacher: Visitor, course: Course) -> None:
    answer = upload(teacher, picture() + b"\x00" * (LIMIT - len(picture()) + 1))
    assert answer.status_code == 409
    assert "the limit is 1.0 MB" in answer.text
    assert stored(course) == []


def test_the_same_file_twice_is_there_once(teacher: Visitor, course: Course) -> None:
    upload(teacher, picture())
    again = upload(teacher, picture(), "other name.png", requirement="p2-a2")
    assert again.status_code == 409
    assert "You added this file already, under “Student A”" in again.text
    assert len(items(course)) == 1
    assert len(stored(course)) == 1


def test_a_kind_that_is_not_asked_for_is_refused(course: Course) -> None:
    visitor = course.visitor(credential="mc-discussion")
    visitor.get()
    answer = upload(visitor, picture(), requirement="p2-a1")
    assert answer.status_code == 409
    assert "takes" in answer.text
    assert stored(course) == []


def test_no_more_pieces_than_asked_for(teacher: Visitor, course: Course) -> None:
    for shade in range(6):
        assert upload(teacher, picture(shade)).status_code == 303
    answer = upload(teacher, picture(7))
    assert answer.status_code == 409
    assert "at most 6" in answer.text
    assert len(stored(course)) == 6


def test_no_file_chosen_says_so(teacher: Visitor) -> None:
    data = {"requirement": "p2-a1", "file": (io.BytesIO(b""), "")}
    answer = teacher.post("parts/p2/evidence", data, content_type="multipart/form-data")
    assert answer.status_code == 400
    assert "No file was chosen" in answer.text


def test_a_file_name_is_only_text(teacher: Visitor, course: Course) -> None:
    upload(teacher, picture(), "<img src=x onerror=alert(1)>.png")
    assert "<img src=x" not in teacher.get("parts/p2").text
    [item] = items(course)
    opened = teacher.get(f"evidence/{item.public_id}")
    assert opened.status_code == 200


def test_htmx_gets_the_part_alone(teacher: Visitor) -> None:
    data = {
        "form_token": teacher.form_token,
        "requirement": "p2-a1",
        "file": (io.BytesIO(picture()), "a.png"),
    }
    headers = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}
    answer = teacher.client.post(
        teacher.url("parts/p2/evidence"), data=data, headers=headers, content_type="multipart/form-data"
    )
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="part"')
    assert "Added." in answer.text


# links


def test_a_link_that_opens_is_added(teacher: Visitor, course: Course, web_host: str) -> None:
    assert link(teacher, f"http://{web_host}/board").status_code == 303
    [item] = items(course)
    assert item.url == f"http://{web_host}/board"
    opened = teacher.get(f"evidence/{item.public_id}")
    assert opened.status_code == 303
    assert opened.headers["Location"] == item.url


@pytest.mark.parametrize(
    "address", ["", "a board", "javascript:alert(1)", "ftp://x/y", "https://", "http://[", "/x"]
)
def test_what_is_no_link_is_refused(teacher: Visitor, course: Course, address: str) -> None:
    answer = link(teacher, address)
    assert answer.status_code == 409
    assert "does not look like a link" in answer.text
    assert items(course) == []


def test_a_link_to_nothing_is_not_added_unless_the_teacher_is_sure(
    teacher: Visitor, course: Course, web_host: str
) -> None:
    answer = link(teacher, f"http://{web_host}/404")
    assert answer.status_code == 409
    assert "could not find a page behind this link" in answer.text
    assert f"http://{web_host}/404" in answer.text
    assert items(course) == []
    assert link(teacher, f"http://{web_host}/404", anyway=True).status_code == 303
    assert len(items(course)) == 1


def test_a_site_that_does_not_exist_leads_to_nothing(teacher: Visitor) -> None:
    assert "could not find a page" in link(teacher, "https://no-such-host.invalid/x").text


@pytest.mark.parametrize("status", ["403", "500"])
def test_a_link_we_cannot_look_at_is_kept_with_a_warning(
    teacher: Visitor, course: Course, web_host: str, status: str
) -> None:
    answer = link(teacher, f"http://{web_host}/{status}")
    assert answer.status_code == 303
    assert "link_unclear" in answer.headers["Location"]
    assert "check that a reviewer can open it" in teacher.get("parts/p2?ok=link_unclear").text
    assert len(items(course)) == 1


def test_a_link_that_redirects_leads_somewhere(teacher: Visitor, web_host: str) -> None:
    assert "ok=added" in link(teacher, f"http://{web_host}/302").headers["Location"]


def test_a_private_address_is_no_evidence(teacher: Visitor, course: Course) -> None:
    answer = link(teacher, "https://192.168.1.1/grades", anyway=True)
    assert answer.status_code == 409
    assert "not on the public internet" in answer.text
    assert items(course) == []


def test_the_same_link_twice_is_there_once(teacher: Visitor, course: Course, web_host: str) -> None:
    link(teacher, f"http://{web_host}/board")
    assert "added this link already" in link(teacher, f"http://{web_host}/board").text
    assert len(items(course)) == 1


# naming, removing, permission


def test_a_piece_gets_a_title(teacher: Visitor, course: Course) -> None:
    upload(teacher, picture())
    [item] = items(course)
    answer = teacher.post(f"evidence/{item.public_id}/caption", {"text-caption": " Votes  with reasons "})
    assert answer.status_code == 303
    assert items(course)[0].caption == "Votes with reasons"


def test_a_removed_piece_takes_its_file_along(teacher: Visitor, course: Course) -> None:
    upload(teacher, picture())
    [item] = items(course)
    assert teacher.post(f"evidence/{item.public_id}/remove").status_code == 303
    assert items(course) == []
    assert stored(course) == []
    assert teacher.get(f"evidence/{item.public_id}").status_code == 404
    assert teacher.post(f"evidence/{item.public_id}/remove").status_code == 404


def test_a_file_that_an_earlier_try_needs_stays(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    submit(teacher)
    ratings = {"p1-c1": "passing", "p1-c2": "passing", "p2-c1": "no", "p3-c1": "passing", "p4-c1": "passing"}
    course.judge(teacher.person_id, ratings)
    before = len(stored(course))
    newest = course.attempt(teacher.person_id)
    mine = next(item for item in items(course) if item.attempt_id == newest.id)
    assert teacher.post(f"evidence/{mine.public_id}/remove").status_code == 303
    assert len(stored(course)) == before


def test_permission_is_put_on_record_and_taken_back(teacher: Visitor, course: Course) -> None:
    permit(teacher, course.definition())
    assert "Permission for Student A on file" in teacher.get("parts/p2").text
    form = {"student_code": "A", "kind": "student_family", "given": "0", "part": "p2", "requirement": "p2-a1"}
    assert teacher.post("permissions", form).status_code == 303
    assert "Permission for Student A needed" in teacher.get("parts/p2").text
    assert events(course, "permission_given") == 2
    assert events(course, "permission_withdrawn") == 1


def test_a_permission_nobody_asks_for_is_refused(teacher: Visitor) -> None:
    form = {"student_code": "Z", "kind": "student_family", "given": "1", "part": "p2"}
    assert teacher.post("permissions", form).status_code == 404
