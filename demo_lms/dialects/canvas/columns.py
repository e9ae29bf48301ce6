"""Line items of Canvas (``ims/line_items_controller.rb``, ``app/models/lti/line_item.rb``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import ServiceError
from ...model import Course, LineItem, Link, Tool
from ...values import is_number
from .names import SUBMISSION_TYPE

if TYPE_CHECKING:
    from ...state import State

_TYPES = ("none", "on_paper", "not_graded", "wiki_page", "external_tool")


def default_item(link: Link, items: list[LineItem]) -> LineItem | None:
    """An assignment's own column; those that a tool added to its link are never named."""
    return next((item for item in items if item.in_gradebook), None)


def item_json(state: State, item: LineItem, members: dict[str, Any]) -> dict[str, Any]:
    """Dates are taken but not given; numbers have a fraction."""
    hidden = ("startDateTime", "endDateTime", "gradesReleased", "submissionReview")
    shown = {k: v for k, v in members.items() if k not in hidden}
    shown["scoreMaximum"] = float(item.score_maximum)
    link = state.links.get(item.resource_link_id or "")
    if link is not None and item.in_gradebook:
        shown[SUBMISSION_TYPE] = {"type": "external_tool", "external_tool_url": link.url}
    return shown


def create_item(state: State, tool: Tool, course: Course, body: Any) -> LineItem:
    """Without a link a new published assignment that cannot be opened; on a link a column nobody sees."""
    fields = _fields(body, partial=False)
    link_id = body.get("resourceLinkId")
    if link_id is not None:
        return _second_item(state, tool, course, str(link_id), fields)
    wanted = body.get(SUBMISSION_TYPE)
    kind = str(wanted.get("type")) if isinstance(wanted, dict) else "none"
    if kind not in _TYPES:
        sentence = f"Invalid submission_type for new assignment: {kind}"
        raise ServiceError(400, sentence, {"error": sentence})
    with state.lock:
        made_for = None
        if kind == "external_tool":
            url = str(wanted.get("external_tool_url") or tool.launch_url)
            made_for = state.add_link(course.id, fields["label"], client_id=tool.client_id, url=url).id
        return state.add_line_item(
            course.id, client_id=tool.client_id, made_by_tool=True, submission_type=kind,
            resource_link_id=made_for, **fields,
        )  # fmt: skip


def _second_item(state: State, tool: Tool, course: Course, link_id: str, fields: dict[str, Any]) -> LineItem:
    link = state.links.get(link_id)
    if link is None:
        raise ServiceError(404, "The specified resource does not exist.")
    if link.client_id != tool.client_id:
        raise ServiceError(422, "Resource link id points to Tool not associated with this Context")
    if link.course_id != course.id or not state.line_items_of(link_id):
        raise ServiceError(412, "The link has no active line item here.", None)
    return state.add_line_item(
        course.id, client_id=tool.client_id, resource_link_id=link_id, made_by_tool=True, in_gradebook=False,
        **fields,
    )  # fmt: skip


def change_item(state: State, item: LineItem, body: Any) -> LineItem:
    """A PUT may be partial; on an assignment's own column it edits the assignment."""
    fields = _fields(body, partial=True)
    with state.lock:
        for name, value in fields.items():
            setattr(item, name, value)
        link = state.links.get(item.resource_link_id or "")
        if link is not None and item.in_gradebook and "label" in fields:
            link.title = fields["label"]
        state.on_change()
    return item


def _fields(body: Any, *, partial: bool) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ServiceError(422, "The body must be a JSON object.")
    found: dict[str, Any] = {}
    if not partial or "label" in body:
        label = body.get("label")
        if not isinstance(label, str) or not label:
            raise ServiceError(422, "Label can't be blank")
        found["label"] = label
    if not partial or "scoreMaximum" in body:
        maximum: Any = body.get("scoreMaximum")
        if not is_number(maximum) or maximum < 0:
            raise ServiceError(422, "Score maximum is not a number")
        found["score_maximum"] = float(maximum)
    names = {"resourceId": "resource_id", "tag": "tag", "startDateTime": "start", "endDateTime": "end"}
    return found | {field: str(body[name]) for name, field in names.items() if name in body}
