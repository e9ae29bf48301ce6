"""Picker, grades and members of Schoology, as others measured them against the live service in 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import DeepLinkError, ServiceError
from ...model import Course, DeepLinkVisit, LineItem, PlannedItem, Tool
from ...names import CLAIMS
from ...values import is_number, zoned_time
from ..parts import DeepLinkPlan, ScoreFacts, ScoreOutcome
from .launch import SETTINGS

if TYPE_CHECKING:
    from ...state import State


def accepts(endpoint: str, accept: str | None, media_type: str) -> int:
    """Only the members service was seen to need its media type."""
    exact = accept is not None and media_type in accept
    return 0 if endpoint != "memberships" or exact else 406


# -- the picker --------------------------------------------------------------------------------


def plan_items(state: State, visit: DeepLinkVisit, claims: dict[str, Any]) -> DeepLinkPlan:
    """LTI links and HTML links only; from the editor none has a column."""
    items = claims.get(CLAIMS["content_items"]) or []
    if not isinstance(items, list):
        raise DeepLinkError("Invalid parameter: content_items")
    kinds = SETTINGS[visit.placement]["accept_types"]
    plan, tool = DeepLinkPlan(), state.tools[visit.client_id]
    for place, item in enumerate(items):
        if isinstance(item, dict) and item.get("type") in kinds:
            plan.items.append(_planned(tool, visit, item))
        else:
            plan.errors[place] = "this kind of content is not taken"
    return plan


def _planned(tool: Tool, visit: DeepLinkVisit, item: dict[str, Any]) -> PlannedItem:
    """``submission.endDateTime`` is the due date; custom keys lose their capitals."""
    given = item.get("submission")
    due = str(given.get("endDateTime") or "") if isinstance(given, dict) else ""
    custom = item.get("custom")
    line_item = item.get("lineItem") if visit.placement == "course_materials" else None
    link: dict[str, Any] = {
        "title": str(item.get("title") or tool.name),
        "kind": str(item.get("type")),
        "url": str(item.get("url") or tool.launch_url),
        "text": str(item.get("text") or ""),
        "custom": {k.lower(): str(v) for k, v in custom.items()} if isinstance(custom, dict) else {},
        "module": visit.module,
        "submission": {"endDateTime": due} if zoned_time(due) else {},
    }
    if not isinstance(line_item, dict) or link["kind"] != "ltiResourceLink":
        return PlannedItem(link)
    maximum: Any = line_item.get("scoreMaximum")
    column = {
        "label": str(line_item.get("label") or link["title"]),
        "score_maximum": float(maximum) if is_number(maximum) else 100.0,
        "resource_id": str(line_item.get("resourceId") or ""),
        "tag": str(line_item.get("tag") or ""),
        "end": link["submission"].get("endDateTime", ""),
    }
    return PlannedItem(link, column)


# -- grades ------------------------------------------------------------------------------------


def create_item(state: State, tool: Tool, course: Course, body: Any) -> LineItem:
    """Keeps label, scoreMaximum, resourceId and tag; dates are ignored."""
    given = body if isinstance(body, dict) else {}
    label, maximum = given.get("label"), given.get("scoreMaximum")
    if not isinstance(label, str) or not label or not is_number(maximum):
        raise ServiceError(400, "label and scoreMaximum are required")
    link = state.links.get(str(given.get("resourceLinkId") or ""))
    if given.get("resourceLinkId") and (link is None or link.course_id != course.id):
        raise ServiceError(404, "There is no such link.")
    return state.add_line_item(
        course.id,
        label,
        float(maximum or 0),
        client_id=tool.client_id,
        resource_link_id=link.id if link else None,
        resource_id=str(given.get("resourceId") or ""),
        tag=str(given.get("tag") or ""),
        made_by_tool=True,
    )


def item_json(state: State, item: LineItem, members: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in members.items() if k not in ("startDateTime", "endDateTime", "gradesReleased")}


def score(facts: ScoreFacts) -> ScoreOutcome:
    """A number, a blank or a comment, whatever the progress; every post wipes a teacher's mark."""
    body, given = facts.body, facts.body.get("scoreGiven")
    changes: dict[str, Any] = {
        "comment": str(body.get("comment") or ""),
        "flag": "",
        "from_teacher": False,
        "activity_progress": "",
        "grading_progress": "",
        "score": None,
    }
    if given is None:
        return ScoreOutcome(changes, "no score: the cell is blank")
    changes |= {"score": float(given), "maximum": float(body["scoreMaximum"])}
    return ScoreOutcome(changes, "score recorded")
