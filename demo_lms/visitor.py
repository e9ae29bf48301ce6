"""Who is looking at the LMS's pages, and what they may do there."""

from __future__ import annotations

from flask import abort, current_app, session

from .model import Course, Person
from .platform import Platform

STAFF = {"Instructor", "Administrator", "ContentDeveloper"}
GRADERS = {"Instructor", "Administrator", "TeachingAssistant"}


def platform() -> Platform:
    found: Platform = current_app.config["PLATFORM"]
    return found


def visitor() -> Person | None:
    """The person who is signed in, if any."""
    return platform().people.get(session.get("person", ""))


def roles_in(course: Course, person: Person) -> set[str]:
    enrolment = course.enrolments.get(person.id)
    return set(enrolment.roles) if enrolment and enrolment.active else set()


def require(course_id: str, roles: set[str] | None = None) -> tuple[Person, Course]:
    """The visitor and the course, if they are in it with one of the roles; otherwise 401, 403 or 404."""
    person = visitor()
    if person is None:
        abort(401)
    course = platform().courses.get(course_id)
    if course is None:
        abort(404)
    held = roles_in(course, person)
    if not held or (roles is not None and not held & roles):
        abort(403)
    return person, course
