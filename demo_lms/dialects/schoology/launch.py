"""Login and id_token of Schoology: captures of 2024 and 2025, and its developers' page on LTI apps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...model import Course, LineItem, Link, Person
from ...names import CLAIMS, MEMBERSHIP
from ...values import number_of, opaque, plain_number, uuid_of, zoned_time
from ..parts import MessageFacts
from ..spec import enrolled_roles, role_uris, spec_roles

if TYPE_CHECKING:
    from ...state import State

_TARGETS = {"accept_presentation_document_targets": ["iframe", "window"]}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "course_materials": {"accept_types": ["ltiResourceLink", "link"], "accept_multiple": True, **_TARGETS},
    # Links from here carry no line item.
    "rich_text_editor": {"accept_types": ["ltiResourceLink"], "accept_multiple": False, **_TARGETS},
}
"""The exact types and whether several are taken are not known: a tool must read them from the request."""


def new_id(state: State, kind: str) -> str:
    """A deployment is ``<client id>-<number>``: half of it is not enough."""
    number = state.next_number(kind) if kind != "deployment" else str(number_of(state.token()))
    return f"{next(iter(state.tools), '0')}-{number}" if kind == "deployment" else number


def section_id(course: Course) -> str:
    """A context is a section, and its id that of the course's own address."""
    return str(number_of(course.id))


def subject(person: Person, course: Course | None) -> str:
    return f"{number_of(person.id)}::{opaque(person.id)[:32]}"


def login_hint(person: Person) -> str:
    return f"{number_of('login')}-{number_of(person.id)}"


def hint(facts: MessageFacts, token: str) -> str:
    return uuid_of(token)


def login_fields(facts: MessageFacts) -> dict[str, str]:
    """No client_id, no deployment, no storage target."""
    return {"client_id": facts.tool.client_id} if facts.state.switch("login_client_id") else {}


def roles(state: State, person: Person, course: Course | None) -> list[str]:
    """An administrator was seen with both roles of the context's own vocabulary."""
    found = spec_roles(state, person, course)
    if f"{MEMBERSHIP}#Administrator" in found and f"{MEMBERSHIP}#Instructor" not in found:
        found.append(f"{MEMBERSHIP}#Instructor")
    return found


def member_roles(state: State, person: Person, course: Course) -> list[str]:
    return role_uris(enrolled_roles(person, course))


_MINIMAL = {
    "iss", "aud", "sub", "iat", "exp", "nonce", CLAIMS["message_type"], CLAIMS["version"],
    CLAIMS["deployment_id"], CLAIMS["target_link_uri"], CLAIMS["roles"],
}  # fmt: skip


def section_title(course: Course) -> str:
    """ "Course: Section"."""
    return f"{course.title}: {course.label}" if course.label else course.title


def claimed_item(link: Link, items: list[LineItem]) -> LineItem | None:
    """Only what deep linking made carries a line item."""
    return next((item for item in items if not item.made_by_tool), None)


def finish_claims(claims: dict[str, object], facts: MessageFacts) -> dict[str, object]:
    state, done = facts.state, dict(claims)
    if facts.message.placement and facts.message.return_id is None:
        # An app in a menu: a resource link request with no resource link, no context, no names.
        return {k: v for k, v in claims.items() if k in _MINIMAL}
    omitted = state.switch("relaunch_omits")
    if facts.course is not None:
        context: dict[str, object] = {
            "id": section_id(facts.course),
            "label": None,
            "title": section_title(facts.course),
            "type": list(state.dialect.context_type),
        }
        done[CLAIMS["context"]] = {k: v for k, v in context.items() if k != omitted}
    if omitted == "context":
        done.pop(CLAIMS["context"], None)
    return done


# -- custom ------------------------------------------------------------------------------------


def custom(facts: MessageFacts, variables: Mapping[str, object]) -> dict[str, object]:
    """Keys lose their capitals; what the app itself was given is not sent with deep-linked links."""
    own = facts.link.custom if facts.link else {}
    items = facts.state.line_items_of(facts.link.id) if facts.link else []
    deep_linked = facts.link is not None and (facts.link.deep_linked or bool(items))
    of_app = {} if deep_linked else facts.tool.custom
    known = {k: v for k, v in variables.items() if v != ""} | _more_variables(facts)
    merged = {key.lower(): str(value) for key, value in {**of_app, **own}.items()}
    return {key: str(known.get(value, value)) for key, value in merged.items()}


def _more_variables(facts: MessageFacts) -> dict[str, object]:
    state, course, link = facts.state, facts.course, facts.link
    known: dict[str, object] = {
        "$com.schoology.Launch.domain": state.base_url.partition("://")[2],
        "$com.schoology.School.id": number_of(course.organization if course else "district"),
        "$com.schoology.Primary.Building.id": number_of(f"building of {facts.person.id}"),
        "$com.schoology.User.timezone": "UTC",
        "$User.id": number_of(facts.person.id),
    }
    if facts.tool.privacy != "anonymous":
        more = {
            "$User.username": facts.person.username,
            "$com.schoology.User.preferredName": facts.person.given_name,
            "$com.schoology.User.uniqueId": facts.person.sourced_id,
        }
        known |= {k: v for k, v in more.items() if v}
    if course is not None:
        known |= {
            "$CourseSection.title": section_title(course),
            "$com.schoology.CourseSection.id": section_id(course),
            "$com.schoology.Context.Building.id": number_of(f"building of {course.id}"),
        }
        if course.label:
            known["$CourseSection.sourceSectionId"] = course.label
        if course.history:
            known["$Context.id.history"] = ",".join(course.history[:5])
    items = state.line_items_of(link.id) if link else []
    if link is not None and link.history:
        known["$ResourceLink.id.history"] = ",".join(link.history[:5])
    if items:
        known["$com.schoology.Assignment.id"] = items[0].id
        enrolled = course.enrolments.items() if course else ()
        teachers = (person_id for person_id, enrolment in enrolled if "Instructor" in enrolment.roles)
        if teacher := next(teachers, None):
            known["$com.schoology.Assignment.teacherId"] = number_of(teacher)
        known["$com.schoology.Assignment.scoreMaximum"] = plain_number(items[0].score_maximum)
    due = zoned_time(link.submission.get("endDateTime", "")) if link else None
    if link is not None and due is not None:
        known["$com.schoology.Assignment.dueDate"] = int(due.timestamp())
        known["$com.schoology.Assignment.dueDateIso"] = due.isoformat()
    return known
