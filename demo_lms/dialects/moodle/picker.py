"""Deep linking of Moodle (``mod/lti/contentitem_return.php``): a form that the teacher saves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ...errors import DeepLinkError
from ...model import DeepLinkVisit, PlannedItem, Tool
from ...names import CLAIMS
from ...tool_jwt import ToolJwtError, unverified, verified_claims
from ...values import is_number, number_of
from ..parts import DeepLinkPlan
from .launch import sesskey

if TYPE_CHECKING:
    from ...state import State

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "course": {
        "accept_types": ["ltiResourceLink"],
        "accept_multiple": True,
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "auto_create": False,
    }
}


def finish_settings(settings: dict[str, object], visit: DeepLinkVisit) -> dict[str, object]:
    return settings | {"title": visit.name, "text": ""}


def return_url(state: State, visit: DeepLinkVisit) -> str:
    tool, course = state.tools[visit.client_id], state.courses[visit.course_id]
    query = {
        "course": number_of(course.id),
        "id": tool.deployments[0],
        "sesskey": sesskey(state, state.people[visit.person_id]),
    }
    return f"{state.endpoint_url('deep_link_return')}?{urlencode(query)}"


def find_visit(state: State, ids: Mapping[str, str], query: Mapping[str, str]) -> str:
    """The last visit of this session to this tool from this course; the address serves them all."""
    for visit in reversed(state.visits.values()):
        course, person = state.courses.get(visit.course_id), state.people[visit.person_id]
        if course is None or query.get("course") != str(number_of(course.id)):
            continue
        tool = state.tools[visit.client_id]
        if query.get("id") == tool.deployments[0] and query.get("sesskey") == sesskey(state, person):
            return visit.id
    raise DeepLinkError("the session key is not good")


def check_response(state: State, visit: DeepLinkVisit, token: str) -> dict[str, Any]:
    """Only the signature, ``iss`` and the times that are there, without leeway."""
    tool = state.tools[visit.client_id]
    try:
        if unverified(token) != tool.client_id:
            raise DeepLinkError("Consumer key is incorrect")
        claims = verified_claims(state, tool, token)
    except ToolJwtError as error:
        raise DeepLinkError(str(error)) from error
    wrong = wrong_times(state, claims)
    if wrong:
        raise DeepLinkError(wrong)
    return claims


def wrong_times(state: State, claims: Mapping[str, Any]) -> str:
    """What the JWT library says of ``nbf``, ``iat`` and ``exp`` where they are given; or ""."""
    now = state.clock().timestamp()
    for name in ("nbf", "iat"):
        value: Any = claims.get(name)
        if is_number(value) and int(value) > now:
            return f"Cannot handle token with {name} prior to {value}"
    expires: Any = claims.get("exp")
    return "Expired token" if is_number(expires) and expires <= now else ""


def plan_items(state: State, visit: DeepLinkVisit, claims: dict[str, Any]) -> DeepLinkPlan:
    """Every item becomes an activity of the tool, whatever its type; an ``errormsg`` means nothing at all."""
    items = claims.get(CLAIMS["content_items"]) or []
    if claims.get(CLAIMS["errormsg"]) or not isinstance(items, list):
        return DeepLinkPlan()
    tool = state.tools[visit.client_id]
    planned = [_planned(tool, visit, item) for item in items if isinstance(item, dict)]
    return DeepLinkPlan(planned, held=True)


def _planned(tool: Tool, visit: DeepLinkVisit, item: Mapping[str, Any]) -> PlannedItem:
    """Dates, frames, windows and the line item's label are ignored: the column has the activity's name."""
    icon = item.get("icon") if isinstance(item.get("icon"), dict) else {}
    link: dict[str, Any] = {
        "title": str(item.get("title") or visit.name or tool.name),
        "url": str(item.get("url") or tool.launch_url),
        "text": str(item.get("html") or item.get("text") or ""),
        "custom": custom_lines(item.get("custom")),
        "icon": str((icon or {}).get("url") or ""),
        "module": visit.module,
    }
    line_item = item.get("lineItem")
    if not isinstance(line_item, dict):
        return PlannedItem(link)
    maximum: Any = line_item.get("scoreMaximum")
    review = line_item.get("submissionReview")
    column = {
        "label": link["title"],
        "score_maximum": float(maximum) if is_number(maximum) else 100.0,
        "resource_id": str(line_item.get("resourceId") or ""),
        "tag": str(line_item.get("tag") or ""),
        "submission_review": review if isinstance(review, dict) else None,
    }
    return PlannedItem(link, column)


def custom_lines(custom: Any) -> dict[str, str]:
    """Custom values are kept as lines ``key=value``, so a line break in a value starts another line."""
    if not isinstance(custom, dict):
        return {}
    lines = "\n".join(f"{key}={_text(value)}" for key, value in custom.items()).splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key: value for key, _, value in pairs}


def _text(value: Any) -> str:
    """As PHP writes it: true is 1, false and null are empty."""
    if value is True:
        return "1"
    return "" if value in (None, False) and not is_number(value) else str(value)
