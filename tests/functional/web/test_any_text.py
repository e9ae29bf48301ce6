"""Whatever stands in a form of our pages: kept as text or refused in words, never an error of ours."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from microcred.app import schema
from microcred.database import Database
from tests.functional.web.course import Course, MovingClock, Visitor, build
from tests.functional.web.work import upload
from tests.support import engines

WORDS = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\ud800",
        "\u202e",
        "9" * 400,
        "-1",
        str(2**63),
        "1e999",
        "NaN",
        "Ⅷ",
        "٣",
        "p1-q1",
        "p2-a1",
    ),
    *(
        "https://[::1",
        "https://x.invalid\0/",
        "javascript:alert(1)",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "//x",
    ),
    *("<b>", "%00", "../..", "=1+1", "A", "award", "deny", "return", "strong", "1", "x" * 70_000),
)
texts = st.one_of(st.sampled_from(WORDS), st.text(st.characters(), max_size=60))
TEACHER = {
    "parts/p1/responses": ("text-p1-q1", "revision-p1-q1", "text-p1-q2"),
    "parts/p2/evidence": ("requirement", "text-url", "text-caption", "anyway"),
    "permissions": ("student_code", "kind", "given", "part", "requirement"),
    "submit": ("confirm",),
    "badge/choices": ("name", "shown", "hidden"),
    "open": ("place",),
}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def course(postgres_port: int, worker_id: str) -> Iterator[Course]:
    """On PostgreSQL, which is the stricter about text and numbers."""
    name = f"any_text_{worker_id}_{next(_numbers)}"
    with engines.postgres_database(postgres_port, name) as url, TemporaryDirectory() as folder:
        database = Database(url)
        schema.upgrade(database)
        database.dispose()
        made = build(url, Path(folder), MovingClock())
        yield made
        made.assembly.close()


@pytest.fixture(scope="module")
def teacher(course: Course) -> Visitor:
    visitor = course.visitor()
    visitor.get()
    return visitor


def is_told(answer: TestResponse) -> None:
    """An answer in words, or a way on."""
    assert answer.status_code < 500, (answer.status_code, answer.text[:400])


@given(data=st.data())
def test_forms_of_a_teacher(teacher: Visitor, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(TEACHER)))
    given_ = data.draw(st.dictionaries(st.one_of(st.sampled_from(TEACHER[path]), texts), texts, max_size=4))
    fields = {_bytes(name): _bytes(text) for name, text in given_.items()}

    is_told(teacher.post(path, fields, fragment=data.draw(st.booleans())))
    is_told(teacher.get(path.removesuffix("/responses").removesuffix("/evidence")))


@given(
    content=st.binary(max_size=200),
    name=texts,
    caption=texts,
    requirement=st.sampled_from(["p2-a1", "x", "\0"]),
)
def test_files(teacher: Visitor, content: bytes, name: str, caption: str, requirement: str) -> None:
    is_told(upload(teacher, content, _bytes(name), requirement=requirement, caption=_bytes(caption)))


@pytest.mark.long
@given(path=texts, query=texts)
def test_addresses(teacher: Visitor, path: str, query: str) -> None:
    part = quote(_bytes(path)[:300], safe="")
    for place in ("parts/{}", "evidence/{}", "review/{}", "approve/{}", "{}"):
        is_told(teacher.get(place.format(part), query_string={"ok": _bytes(query), "part": _bytes(path)}))
    for asked in ("feedback", "open", "submit"):
        is_told(teacher.get(asked, query_string={"h": _bytes(query), "to": _bytes(path)}))


def _bytes(text: str) -> str:
    """As a browser can send it: half a surrogate pair arrives as the sign for what cannot be shown."""
    return text.encode("utf-8", "replace").decode()
