"""What somebody outside needs to know of a platform, as plain JSON."""

from __future__ import annotations

from typing import Any

from .state import State


def platform_facts(state: State) -> dict[str, Any]:
    """Registration facts and the ids of people, courses and links.

    ``{url, issuer, auth_url, token_url, jwks_url, openid_configuration_url, dialect,
    tools: [{client_id, deployment_ids, login_url, redirect_uris, jwks_url, deep_link_url, launch_url}],
    people: [{id, name}], courses: [{id, title, people: {id: [role]}}],
    links: [{id, course, title, line_items}]}``
    """
    return {
        "url": state.base_url,
        "issuer": state.issuer,
        "auth_url": state.auth_url,
        "token_url": state.token_url,
        "jwks_url": state.jwks_url,
        "openid_configuration_url": state.configuration_url,
        "dialect": state.dialect.name,
        "tools": [
            {
                "client_id": tool.client_id,
                "deployment_ids": tool.deployments,
                "login_url": tool.login_url,
                "redirect_uris": tool.redirect_uris,
                "jwks_url": tool.jwks_url,
                "deep_link_url": tool.deep_link_url,
                "launch_url": tool.launch_url,
            }
            for tool in state.tools.values()
        ],
        "people": [{"id": person.id, "name": person.name} for person in state.people.values()],
        "courses": [
            {
                "id": course.id,
                "title": course.title,
                "people": {pid: enrolment.roles for pid, enrolment in course.enrolments.items()},
            }
            for course in state.courses.values()
        ],
        "links": [
            {
                "id": link.id,
                "course": link.course_id,
                "title": link.title,
                "line_items": [item.id for item in state.line_items_of(link.id)],
            }
            for link in state.links.values()
        ],
    }
