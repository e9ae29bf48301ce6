"""Reading a course's roster (Names and Role Provisioning 2.0), page by page, within limits.

Whatever goes wrong, a partial roster says so: nobody may be taken for gone because a page was missing.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lti_tool.protocol.connector import ServiceClient, next_page
from lti_tool.protocol.names import SCOPE_MEMBERS

MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
MOST_PAGES = 200
MOST_MEMBERS = 20_000
PAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Member:
    """One person in a course; names and mail are None where the platform keeps them to itself."""

    user_id: str
    roles: tuple[str, ...]
    is_active: bool
    name: str | None
    given_name: str | None
    family_name: str | None
    email: str | None


@dataclass(frozen=True)
class Roster:
    """Members read so far. `problem` is None when the roster is whole, else why it is not."""

    members: tuple[Member, ...] = field(default_factory=tuple)
    problem: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every page was read: only then does absence mean anything."""
        return self.problem is None


def read_roster(client: ServiceClient, memberships_url: str) -> Roster:
    """All members of a context. Never raises for what the platform does.

    Problems: a `ServiceAnswer` code, `http_<status>`, `unreadable`, `loop`, `too_many`, `url_not_allowed` (a
    next page elsewhere).
    """
    decoded = html.unescape if client.facts.dialect.escapes_members else str
    members: dict[str, Member] = {}
    seen: set[str] = set()
    url: str | None = memberships_url
    while url is not None:
        if url in seen:
            return _partial(members, "loop")
        if len(seen) >= MOST_PAGES or len(members) > MOST_MEMBERS:
            return _partial(members, "too_many")
        seen.add(url)
        answer = client.request("GET", url, scopes=[SCOPE_MEMBERS], accept=MEDIA_TYPE, max_bytes=PAGE_BYTES)
        if not answer.ok:
            return _partial(members, answer.code or f"http_{answer.status}")
        try:
            page = _members(answer.json(), decoded)
        except (ValueError, RecursionError):
            return _partial(members, "unreadable")
        members |= {member.user_id: member for member in page}
        # A next page elsewhere gets no token: the client itself refuses it as `url_not_allowed`.
        url = next_page(answer.headers, url)
    return Roster(tuple(members.values()))


def _partial(members: dict[str, Member], problem: str) -> Roster:
    return Roster(tuple(members.values()), problem)


def _members(document: Any, decoded: Callable[[str], str]) -> list[Member]:
    """The members of one page, their texts `decoded`. Raises ValueError."""
    entries = document.get("members") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no membership container")
    return [member for entry in entries if (member := _member(entry, decoded)) is not None]


def _member(entry: Any, decoded: Callable[[str], str]) -> Member | None:
    if not isinstance(entry, dict):
        return None
    user_id, roles = entry.get("user_id"), entry.get("roles")
    if not isinstance(user_id, str) or not 0 < len(user_id) <= 255:
        return None
    return Member(
        user_id=user_id,
        roles=tuple(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else (),
        is_active=entry.get("status", "Active") == "Active",
        name=_text(entry, "name", decoded),
        given_name=_text(entry, "given_name", decoded),
        family_name=_text(entry, "family_name", decoded),
        email=_text(entry, "email", decoded),
    )


def _text(entry: dict[str, Any], name: str, decoded: Callable[[str], str]) -> str | None:
    value = entry.get(name)
    return decoded(value).strip()[:300] or None if isinstance(value, str) else None
