"""Login, authorization and id_token of Moodle (``mod/lti/auth.php``, ``locallib.php``)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ...model import Course, Person
from ...names import CLAIMS, MEMBERSHIP, SPEC
from ...values import number_of, opaque
from ..parts import MessageFacts, Problem
from ..spec import enrolled_roles

if TYPE_CHECKING:
    from ...state import State

_INVALID = Problem("page", "invalid_request", "Invalid request", 404)
PROBLEMS: Mapping[str, Problem] = {
    "missing": _INVALID,
    "scope": _INVALID,
    "response_type": _INVALID,
    "hint_unknown": _INVALID,
    "hint_used": _INVALID,
    "hint_expired": _INVALID,
    "redirect_uri_of_hint": _INVALID,
    "no_session": Problem("page", "login_required", "You are not logged in", 401),
    "hint_client": Problem("post", "unauthorized_client", ""),
    "inactive": Problem("post", "unauthorized_client", ""),
    "login_hint": Problem("post", "access_denied", ""),
    "response_mode": Problem("post", "invalid_request", "Invalid response_mode"),
    "prompt": Problem("post", "invalid_request", "Invalid prompt"),
}
CHECKS = (
    "missing", "scope", "response_type", "no_session", "hint_unknown", "hint_used", "hint_expired",
    "redirect_uri_of_hint", "hint_client", "inactive", "login_hint", "response_mode", "prompt",
)  # fmt: skip
ADMINISTRATOR = "person#Administrator"
_ADMIN_ROLES = (
    f"http://purl.imsglobal.org/vocab/lis/v2/institution/{ADMINISTRATOR}",
    f"http://purl.imsglobal.org/vocab/lis/v2/system/{ADMINISTRATOR}",
)
SITE_HOME = 1
"""The course that is the site's front page."""
TEACHING = {"Instructor", "TeachingAssistant", "Administrator", "ContentDeveloper"}


def new_kid(state: State, number: int) -> str:
    return opaque(f"{state.token()} {number}")[:20]


def clean(text: str) -> str:
    """Parameters pass Moodle's text cleaning, which takes away what looks like HTML."""
    return re.sub(r"<[^>]*>?", "", text)


def hint(facts: MessageFacts, token: str) -> str:
    """JSON with a key of the user's session; quotes and braces must survive the tool."""
    launch: dict[str, object] = {"launchid": f"ltilaunch{facts.tool.deployments[0]}_{opaque(token)[:12]}"}
    cmid = {"cmid": number_of(facts.link.id)} if facts.link else {}
    return json.dumps(cmid | launch, separators=(",", ":"))


def sesskey(state: State, person: Person) -> str:
    """The secret of a person's session that forms must bring back."""
    return opaque(f"{state.session_secret} {person.id}")[:10]


def is_admin(person: Person) -> bool:
    return any(role.endswith(ADMINISTRATOR) for role in person.extra_roles)


def roles(state: State, person: Person, course: Course | None) -> list[str]:
    """Instructor is who may manage the activity, so non-editing teachers too; everybody else is a learner."""
    teaches = is_admin(person) or bool(TEACHING & set(enrolled_roles(person, course)))
    found = [f"{MEMBERSHIP}#{'Instructor' if teaches else 'Learner'}"]
    return sorted([*found, *(_ADMIN_ROLES if is_admin(person) else ())])


# -- claims ------------------------------------------------------------------------------------


def finish_claims(claims: dict[str, object], facts: MessageFacts) -> dict[str, object]:
    state, tool, person, course = facts.state, facts.tool, facts.person, facts.course
    done = dict(claims)
    presentation: dict[str, object] = {"locale": person.locale}
    if facts.link is not None and course is not None:
        query = urlencode({"course": number_of(course.id), "sesskey": sesskey(state, person)})
        address = state.url(f"/courses/{course.id}/return?{query}")
        presentation |= {"document_target": facts.message.document_target, "return_url": address}
        if facts.link.text:
            title = {"id": facts.link.id, "title": facts.link.title}
            done[CLAIMS["resource_link"]] = title | {"description": clean(facts.link.text)}
    done[CLAIMS["launch_presentation"]] = presentation
    done[CLAIMS["lis"]] = {"person_sourcedid": person.sourced_id, "course_section_sourcedid": ""}
    done[CLAIMS["tool_platform"]] = {
        "guid": opaque(state.issuer)[:32],
        "name": state.name,
        "description": state.name,
        "product_family_code": "moodle",
        "version": state.dialect.version,
    }
    shares_name = tool.privacy in ("public", "name_only")
    username = {"user_username": person.username} if shares_name and person.username else {}
    done[f"{SPEC}/lti/claim/ext"] = {"lms": "moodle-2", **username}
    if course is not None and number_of(course.id) == SITE_HOME:
        context = done[CLAIMS["context"]]
        assert isinstance(context, dict)
        done[CLAIMS["context"]] = context | {"type": ["Group"]}
    if facts.message.for_user_id is not None:
        for_user = state.people[facts.message.for_user_id]
        done[CLAIMS["for_user"]] = {"user_id": state.dialect.subject(for_user, course)}
    if facts.link is not None and state.line_items_of(facts.link.id):
        outcome = {"lis_outcome_service_url": state.url("/mod/lti/service.php"), "lis_result_sourcedid": "{}"}
        done[f"{SPEC}/lti-bo/claim/basicoutcome"] = outcome
    _shape_members(done, facts)
    return done


def _shape_members(done: dict[str, object], facts: MessageFacts) -> None:
    """The members claim comes only once the tool is in the course; its address leaks into custom."""
    nrps, course = done.get(CLAIMS["nrps"]), facts.course
    if not isinstance(nrps, dict) or course is None:
        return
    if not any(link.client_id == facts.tool.client_id for link in facts.state.links_in(course.id)):
        del done[CLAIMS["nrps"]]
        return
    done[CLAIMS["nrps"]] = nrps | {"service_versions": ["1.0", "2.0"]}
    custom = done[CLAIMS["custom"]]
    assert isinstance(custom, dict)
    done[CLAIMS["custom"]] = custom | {"context_memberships_url": nrps["context_memberships_url"]}


# -- custom ------------------------------------------------------------------------------------

_UNKNOWN = re.compile(r"^\$ResourceLink\.(id\.history|available\..*|submission\..*)$")
_PLAIN_KEY = re.compile(r"^[a-z0-9_]+$")
_EMPTY = tuple(
    f"${name}"
    for name in (
        "Context.sourcedId", "Context.longDescription", "Context.timeFrame.begin", "CourseSection.sourcedId",
        "CourseSection.longDescription", "CourseSection.timeFrame.begin", "Person.webaddress",
        "Person.phone.primary", "Person.phone.mobile", "Person.address.street1", "Person.address.locality",
        "Person.address.country", "Person.address.timezone", "Moodle.Person.userGroupIds",
        "Result.sourcedId",
    )
)  # fmt: skip
"""Variables that Moodle knows, and that have no value on this site."""
VARIABLES = (
    "Context.id", "Context.title", "Context.label", "Context.id.history",
    "CourseSection.title", "CourseSection.label", "ResourceLink.id", "ResourceLink.title",
    "ResourceLink.description", "User.id", "User.username", "Person.name.full", "Person.name.given",
    "Person.name.family", "Person.email.primary", "Person.sourcedId", "Membership.role",
    *(name[1:] for name in _EMPTY),
)  # fmt: skip
"""What its configuration says that it knows; those of the services are not named there."""


def custom(facts: MessageFacts, variables: Mapping[str, object]) -> dict[str, object]:
    """The administrator's lines win over the activity's; odd keys arrive twice; values are strings."""
    known = {k: v for k, v in variables.items() if not _UNKNOWN.match(k)} | _more_variables(facts)
    merged = {**(facts.link.custom if facts.link else {}), **facts.tool.custom}
    done: dict[str, object] = {}
    for key, value in merged.items():
        text = str(value)
        replaced = text[1:] if text.startswith("\\$") else str(known.get(text, text))
        done[key] = replaced
        if not _PLAIN_KEY.match(key):
            done[re.sub(r"[^a-z0-9]", "_", key.lower())] = replaced
    return done


def _more_variables(facts: MessageFacts) -> dict[str, object]:
    state, course, tool = facts.state, facts.course, facts.tool
    known: dict[str, object] = {
        **dict.fromkeys(_EMPTY, ""),
        "$Membership.role": ",".join(roles(state, facts.person, course)),
    }
    if tool.privacy in ("public", "name_only"):
        known |= {
            "$User.username": facts.person.username,
            "$Person.name.given": facts.person.given_name,
            "$Person.name.family": facts.person.family_name,
        }
    if course is not None:
        known |= {
            "$CourseSection.title": course.title,
            "$CourseSection.label": course.label,
            "$LineItems.url": state.service_url("lineitems", tool, course),
            "$ToolProxyBinding.memberships.url": state.service_url("memberships", tool, course),
        }
    if facts.link is not None:
        known["$ResourceLink.description"] = clean(facts.link.text)
    items = state.line_items_of(facts.link.id) if facts.link else []
    if course is not None and len(items) == 1:
        for name, endpoint in (("LineItem", "lineitem"), ("Scores", "scores"), ("Results", "results")):
            known[f"${name}.url"] = state.service_url(endpoint, tool, course, item_id=items[0].id)
    return known
