"""The credential's home: what it says, whom it starts a try for."""

from sqlalchemy import func, select

from microcred.credentials.models import Attempt, Pursuit
from tests.functional.web.course import INSTRUCTOR, Course, Visitor


def test_the_first_visit_of_a_learner_starts_one_try(course: Course) -> None:
    visitor = course.visitor()
    assert visitor.get().status_code == 200
    page = visitor.get()
    assert "Helping Students Generate and Shape Ideas" in page.text
    assert "Start with Part 1" in page.text
    assert "10 hours (1.0 CEU)" in page.text
    with course.assembly.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Attempt)) == 1
        assert session.scalars(select(Pursuit.alias)).one() != ""


def test_every_sample_credential_has_a_home(course: Course) -> None:
    for key in course.link_ids:
        page = course.visitor(credential=key).get()
        assert page.status_code == 200, key
        assert course.definition(key).document.title in page.text.replace("&#39;", "'")


def test_an_instructor_reads_the_credential_and_starts_nothing(course: Course) -> None:
    page = course.visitor(rights=INSTRUCTOR).get()
    assert page.status_code == 200
    assert "What reviewers look for" in page.text
    assert "Continue" not in page.text
    with course.assembly.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Pursuit)) == 0


def test_a_role_without_reading_is_told_so(course: Course) -> None:
    page = course.visitor(rights=()).get()
    assert page.status_code == 403
    assert "Your role in this course" in page.text


def test_pages_carry_the_headers_that_keep_them_safe(teacher: Visitor) -> None:
    headers = teacher.get().headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Request-Id"]
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors http://localhost:8000" in policy
    assert "unsafe" not in policy
