"""Doing a teacher's work through the pages."""

import io
from collections.abc import Collection, Iterable

from PIL import Image
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from microcred.credentials.codes import permissions_needed, repeat_codes
from microcred.credentials.completeness import prompt_place
from microcred.credentials.definition import Definition
from microcred.people.models import AuditEvent
from tests.functional.web.course import Course, Visitor

ANSWER = "We listed ideas alone first. Then the notes went from 41 to 97."


def picture(shade: int = 0) -> bytes:
    """A small PNG; another for every shade."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 120, 40)).save(file, "PNG")
    return file.getvalue()


def write(visitor: Visitor, part_id: str, place: str, text: str, revision: int = 0) -> TestResponse:
    """Save one box as the plain button does."""
    return visitor.post(
        f"parts/{part_id}/responses", {f"text-{place}": text, f"revision-{place}": str(revision)}
    )


def upload(
    visitor: Visitor,
    content: bytes,
    name: str = "board.png",
    *,
    part_id: str = "p2",
    requirement: str = "p2-a1",
    caption: str = "",
) -> TestResponse:
    """Add a file as the form does."""
    file = FileStorage(io.BytesIO(content), filename=name)
    form = {
        "form_token": visitor.form_token,
        "requirement": requirement,
        "text-caption": caption,
        "file": file,
    }
    boundary, body = encode_multipart(form)
    return visitor.client.post(
        visitor.url(f"parts/{part_id}/evidence"),
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Sec-Fetch-Site": "same-origin"},
    )


def link(visitor: Visitor, url: str, *, requirement: str = "p2-a1", anyway: bool = False) -> TestResponse:
    """Add a link as the form does."""
    data = {"requirement": requirement, "text-url": url, "text-caption": ""}
    return visitor.post("parts/p2/evidence", data | ({"anyway": "1"} if anyway else {}))


def _piece(accepted: Collection[str], number: int) -> tuple[bytes, str]:
    if "image" in accepted:
        return picture(number), "board.png"
    if "pdf" in accepted:
        return f"%PDF-1.4\n%{number}\n%%EOF\n".encode(), "plan.pdf"
    return f"Notes of conversation {number}, as we remember them.\n".encode(), "notes.txt"


def permit(visitor: Visitor, definition: Definition) -> None:
    """Say that every permission is on file."""
    for needed in permissions_needed(definition):
        form = {"student_code": needed.student_code, "kind": needed.kind, "given": "1", "part": "p2"}
        assert visitor.post("permissions", form).status_code == 303


def complete(
    visitor: Visitor, course: Course, credential: str = "mc-shape-ideas", *, missing: Collection[str] = ()
) -> None:
    """Write and add everything that is asked for but the evidence of these requirements."""
    definition = course.definition(credential)
    shades = iter(range(1, 250))
    for part in definition.parts:
        for prompt in part.prompts:
            for code in repeat_codes(part, prompt):
                assert write(visitor, part.id, prompt_place(prompt.id, code), ANSWER).status_code == 303
        for requirement in part.artefact_requirements:
            for _ in range(0 if requirement.id in missing else requirement.min_count):
                content, name = _piece(requirement.accepted_types, next(shades))
                answer = upload(visitor, content, name, part_id=part.id, requirement=requirement.id)
                assert answer.status_code == 303, answer.text
    permit(visitor, definition)


def submit(
    visitor: Visitor, statements: Iterable[str] = ("own_work", "own_words", "no_names")
) -> TestResponse:
    """Press Submit."""
    return visitor.post("submit", {"confirm": list(statements)})


def events(course: Course, action: str) -> int:
    """How often something was put on record."""
    with course.assembly.database.reading() as session:
        query = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == action)
        return session.scalar(query) or 0
