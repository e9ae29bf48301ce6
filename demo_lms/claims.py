"""The claims of a message: who, where, what, and which services (LTI Core 5, DL 4.4, AGS 3.1, NRPS 2.1)."""

from __future__ import annotations

from .dialects import MessageFacts
from .model import Course, LineItem, Link, Person, Tool
from .names import AGS_SCOPES, CLAIMS, MEMBERSHIP, SCOPE_MEMBERS, by_uri, with_overrides
from .state import State


def message_facts(state: State, message_id: str) -> MessageFacts:
    message = state.messages[message_id]
    return MessageFacts(
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
        CLAIMS["roles"]: roles_of(state, person, course),
        CLAIMS["tool_platform"]: {
            "guid": state.issuer.split("://")[-1],
            "name": state.name,
            "product_family_code": state.dialect.product_family_code,
            "version": state.dialect.version,
        },
        CLAIMS["launch_presentation"]: _presentation(state, facts),
        CLAIMS["custom"]: _custom(state, facts),
    }
    if person.sourced_id and tool.privacy in ("public", "name_only"):
        claims[CLAIMS["lis"]] = {"person_sourcedid": person.sourced_id}
    if course is not None:
        claims |= _course_claims(state, facts, course)
    if facts.link is not None:
        claims[CLAIMS["resource_link"]] = _resource_link(facts.link)
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


def roles_of(state: State, person: Person, course: Course | None) -> list[str]:
    enrolment = course.enrolments.get(person.id) if course else None
    return state.dialect.roles(enrolment.roles if enrolment else []) + person.extra_roles


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
            "id": course.id,
            "label": course.label or course.id,
            "title": course.title,
            "type": list(state.dialect.context_type),
        }
    }
    tool = facts.tool
    offered = tool.scopes if tool.claimed_scopes is None else tool.claimed_scopes
    ags_scopes = [scope for scope in offered if scope in AGS_SCOPES]
    if ags_scopes:
        ags: dict[str, object] = {
            "scope": ags_scopes,
            "lineitems": state.url(f"/api/lti/courses/{course.id}/lineitems", tool),
        }
        item = _launched_line_item(state, facts)
        if item is not None:
            ags["lineitem"] = line_item_url(state, item)
        claims[CLAIMS["ags"]] = ags
    if SCOPE_MEMBERS in offered:
        claims[CLAIMS["nrps"]] = {
            "context_memberships_url": state.url(f"/api/lti/courses/{course.id}/memberships", tool),
            "service_versions": ["2.0"],
        }
    enrolment = course.enrolments.get(facts.person.id)
    if enrolment and enrolment.mentees and f"{MEMBERSHIP}#Mentor" in roles_of(state, facts.person, course):
        claims[CLAIMS["role_scope_mentor"]] = enrolment.mentees
    return claims


def _launched_line_item(state: State, facts: MessageFacts) -> LineItem | None:
    """The one column of the launched link; None where there is none or more than one (AGS 3.1)."""
    if facts.message.line_item_id is not None:
        return state.line_items[facts.message.line_item_id]
    items = state.line_items_of(facts.link.id) if facts.link else []
    return items[0] if len(items) == 1 else None


def line_item_url(state: State, item: LineItem) -> str:
    return state.url(f"/api/lti/courses/{item.course_id}/lineitems/{item.id}", state.tools[item.client_id])


def _for_user(state: State, user_id: str, course: Course | None, tool: Tool) -> dict[str, object]:
    person = state.people[user_id]
    roles = roles_of(state, person, course)
    return {"user_id": state.dialect.subject(person, course), **identity(person, tool), "roles": roles}


def _custom(state: State, facts: MessageFacts) -> dict[str, object]:
    """Tool-wide parameters under the link's own; known variables replaced, others left as written."""
    merged: dict[str, object] = {**facts.tool.custom, **(facts.link.custom if facts.link else {})}
    variables = _variables(state, facts)
    return {k: variables.get(v, v) if isinstance(v, str) else v for k, v in merged.items()}


def _variables(state: State, facts: MessageFacts) -> dict[str, str]:
    person, course, link = facts.person, facts.course, facts.link
    values = {"$User.id": state.dialect.subject(person, course), "$Message.locale": person.locale}
    if facts.tool.privacy in ("public", "name_only"):
        values |= {"$Person.name.full": person.name, "$Person.sourcedId": person.sourced_id}
    if facts.tool.privacy in ("public", "email_only"):
        values["$Person.email.primary"] = person.email
    if course is not None:
        values |= {
            "$Context.id": course.id,
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
