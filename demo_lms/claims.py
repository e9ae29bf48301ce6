"""The claims of a message: who, where, what, and which services (LTI Core 5, DL 4.4, AGS 3.1, NRPS 2.1)."""

from __future__ import annotations

from .dialects import MessageFacts
from .model import Course, LineItem, Link, Message, Person, Tool
from .names import CLAIMS, MEMBERSHIP, SCOPE_MEMBERS, by_uri, with_overrides
from .state import State


def message_facts(state: State, message: Message) -> MessageFacts:
    return MessageFacts(
        state,
        message,
        state.people[message.person_id],
        state.tools[message.client_id],
        state.courses.get(message.course_id or ""),
        state.links.get(message.link_id or ""),
    )


def message_claims(state: State, facts: MessageFacts, nonce: str) -> dict[str, object]:
    """All claims of the id_token for this message, with the message's own overrides applied."""
    message, person, tool, course = facts.message, facts.person, facts.tool, facts.course
    now = int(state.clock().timestamp())
    claims: dict[str, object] = {
        "iss": state.issuer,
        "aud": [tool.client_id] if state.dialect.aud_as_list else tool.client_id,
        "sub": state.dialect.subject(person, course),
        "iat": now,
        "exp": now + state.dialect.token_seconds,
        "nonce": nonce,
        **identity(person, tool),
        "locale": person.locale,
        CLAIMS["message_type"]: message.type,
        CLAIMS["version"]: "1.3.0",
        CLAIMS["deployment_id"]: message.deployment_id,
        CLAIMS["target_link_uri"]: message.target_link_uri,
        CLAIMS["roles"]: state.dialect.roles(state, person, course),
        CLAIMS["tool_platform"]: {
            "guid": state.issuer.split("://")[-1],
            "name": state.name,
            "product_family_code": state.dialect.product_family_code,
            "version": state.dialect.version,
        },
        CLAIMS["launch_presentation"]: _presentation(state, facts),
        CLAIMS["custom"]: state.dialect.custom(facts, _variables(state, facts)),
    }
    if person.sourced_id and tool.privacy in ("public", "name_only"):
        claims[CLAIMS["lis"]] = {"person_sourcedid": person.sourced_id}
    if course is not None:
        claims |= _course_claims(state, facts, course)
    if facts.link is not None:
        claims[CLAIMS["resource_link"]] = _resource_link(facts.link)
    elif message.placement and message.return_id is None and course is not None:
        claims[CLAIMS["resource_link"]] = {"id": state.dialect.context_id(course), "title": course.title}
    if message.for_user_id is not None:
        claims[CLAIMS["for_user"]] = _for_user(state, message.for_user_id, course, tool)
    if message.return_id is not None:
        claims[CLAIMS["deep_linking_settings"]] = state.visits[message.return_id].settings
    claims = state.dialect.finish_claims(claims, facts)
    return with_overrides(claims, by_uri(message.claims))


def identity(person: Person, tool: Tool) -> dict[str, object]:
    """Name and e-mail as the tool's privacy setting allows; empty ones left out."""
    result: dict[str, object] = {}
    if tool.privacy in ("public", "name_only"):
        result |= {
            "name": person.name,
            "given_name": person.given_name,
            "family_name": person.family_name,
        }
    if tool.privacy in ("public", "email_only"):
        result["email"] = person.email
    return {key: value for key, value in result.items() if value}


def _resource_link(link: Link) -> dict[str, str]:
    return {"id": link.id, "title": link.title} | ({"description": link.text} if link.text else {})


def _presentation(state: State, facts: MessageFacts) -> dict[str, object]:
    result: dict[str, object] = {
        "document_target": facts.message.document_target,
        "locale": facts.person.locale,
    }
    if facts.course is not None:
        result["return_url"] = state.url(f"/courses/{facts.course.id}/return?from=tool")
    return result


def _course_claims(state: State, facts: MessageFacts, course: Course) -> dict[str, object]:
    claims: dict[str, object] = {
        CLAIMS["context"]: {
            "id": state.dialect.context_id(course),
            "label": course.label or course.id,
            "title": course.title,
            "type": list(state.dialect.context_type),
        }
    }
    tool = facts.tool
    offered = tool.scopes if tool.claimed_scopes is None else tool.claimed_scopes
    ags_scopes = [scope for scope in offered if scope in state.dialect.ags_scopes]
    if ags_scopes:
        ags: dict[str, object] = {
            "scope": ags_scopes,
            "lineitems": state.service_url("lineitems", tool, course),
        }
        item = _launched_line_item(state, facts)
        if item is not None:
            ags["lineitem"] = line_item_url(state, item)
        claims[CLAIMS["ags"]] = ags
    if SCOPE_MEMBERS in offered:
        claims[CLAIMS["nrps"]] = {
            "context_memberships_url": state.service_url("memberships", tool, course),
            "service_versions": ["2.0"],
        }
    enrolment = course.enrolments.get(facts.person.id)
    roles = state.dialect.roles(state, facts.person, course)
    if enrolment and enrolment.mentees and f"{MEMBERSHIP}#Mentor" in roles:
        claims[CLAIMS["role_scope_mentor"]] = [
            state.dialect.subject(state.people[mentee], course) for mentee in enrolment.mentees
        ]
    return claims


def _launched_line_item(state: State, facts: MessageFacts) -> LineItem | None:
    """The column that the claim names: the reviewed one, or what the dialect says of the link's columns."""
    if facts.message.line_item_id is not None:
        return state.line_items[facts.message.line_item_id]
    if facts.link is None:
        return None
    if facts.link.line_item_elsewhere:
        return state.line_items.get(facts.link.line_item_elsewhere)
    return state.dialect.claimed_item(facts.link, state.line_items_of(facts.link.id))


def line_item_url(state: State, item: LineItem) -> str:
    """The address of a line item, as claims and services name it."""
    tool, course = state.tools[item.client_id], state.courses[item.course_id]
    return state.service_url("lineitem", tool, course, item_id=item.id)


def _for_user(state: State, user_id: str, course: Course | None, tool: Tool) -> dict[str, object]:
    person = state.people[user_id]
    roles = state.dialect.roles(state, person, course)
    return {"user_id": state.dialect.subject(person, course), **identity(person, tool), "roles": roles}


def _variables(state: State, facts: MessageFacts) -> dict[str, object]:
    """The substitution variables of the specification that have a value here (Core, appendix B)."""
    person, course, link = facts.person, facts.course, facts.link
    values: dict[str, object] = {
        "$User.id": state.dialect.subject(person, course),
        "$Message.locale": person.locale,
    }
    if facts.tool.privacy in ("public", "name_only"):
        values |= {"$Person.name.full": person.name, "$Person.sourcedId": person.sourced_id}
    if facts.tool.privacy in ("public", "email_only"):
        values["$Person.email.primary"] = person.email
    if course is not None:
        values |= {
            "$Context.id": state.dialect.context_id(course),
            "$Context.title": course.title,
            "$Context.label": course.label,
            "$Context.id.history": ",".join(course.history),
        }
    if link is not None:
        values |= {
            "$ResourceLink.id": link.id,
            "$ResourceLink.title": link.title,
            "$ResourceLink.id.history": ",".join(link.history),
        }
        windows = {"available": link.available, "submission": link.submission}
        values |= {f"$ResourceLink.{w}.{k}": v for w, window in windows.items() for k, v in window.items()}
    return values
