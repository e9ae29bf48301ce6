"""Names and Role Provisioning Services 2.0: who is in a course, as a tool may know them."""

from __future__ import annotations

from typing import Any

from .claims import identity
from .errors import ServiceError
from .model import Course, Enrolment, Link, Person, Tool
from .names import CLAIMS
from .state import State


def find_members(
    state: State, tool: Tool, course: Course, role: str, link_id: str | None
) -> list[dict[str, Any]]:
    """The members of a course; with ``rlid`` each with the messages that this link would send them."""
    dialect = state.dialect
    link: Link | None = None
    if link_id is not None:
        link = (dialect.find_rlid or find_rlid)(state, tool, course, link_id)
    found = []
    for person_id, enrolment in course.enrolments.items():
        person = state.people[person_id]
        member = dialect.member(_member(state, course, tool, person, enrolment), person, enrolment)
        if member is None or (role and not dialect.has_role(member["roles"], role)):
            continue
        if link is not None and not dialect.lists_member(state, link, enrolment):
            continue
        if link_id is not None:
            member["message"] = (dialect.member_message or member_message)(state, link, tool, person)
        found.append(member)
    return found


def _member(state: State, course: Course, tool: Tool, person: Person, enrolment: Enrolment) -> dict[str, Any]:
    member: dict[str, Any] = {
        "status": "Active" if enrolment.active else "Inactive",
        "user_id": state.dialect.subject(person, course),
        "roles": state.dialect.member_roles(state, person, course),
        **identity(person, tool),
    }
    if person.sourced_id and tool.privacy in ("public", "name_only"):
        member["lis_person_sourcedid"] = person.sourced_id
    return member


def find_rlid(state: State, tool: Tool, course: Course, link_id: str) -> Link:
    link = state.links.get(link_id)
    if link is None or link.course_id != course.id or link.client_id != tool.client_id:
        raise ServiceError(400, "rlid names no link of this tool in this context.")
    return link


def member_message(state: State, link: Link | None, tool: Tool, person: Person) -> list[dict[str, Any]]:
    custom = {k: v for k, v in link.custom.items() if isinstance(v, str)} if link else {}
    return [{CLAIMS["message_type"]: "LtiResourceLinkRequest", CLAIMS["custom"]: custom}]
