"""Line items, scores and results of Moodle (``mod/lti/service/gradebookservices``)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...errors import ServiceError
from ...model import Course, Grade, LineItem, Tool
from ..parts import ScoreFacts, ScoreOutcome

if TYPE_CHECKING:
    from ...state import State

INCORRECT = "Incorrect score received"
"""Its reason phrase goes on with the whole body of the request."""

CODING_ERROR = "Coding error detected, it must be fixed by a programmer: Invalid user parameter"


def _numeric(value: Any) -> bool:
    """PHP's ``is_numeric``: numbers, and text that is one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def create_item(state: State, tool: Tool, course: Course, body: Any) -> LineItem:
    """Duplicates are allowed; dates and ``gradesReleased`` are answered as they came and forgotten."""
    if not isinstance(body, dict) or not body.get("label") or not _numeric(body.get("scoreMaximum")):
        raise ServiceError(400, "No label or Score Maximum")
    link_id = body.get("resourceLinkId")
    if link_id is not None:
        link = state.links.get(str(link_id))
        if link is None or link.course_id != course.id or link.client_id != tool.client_id:
            raise ServiceError(403, "Invalid resourceLinkId")
    return state.add_line_item(
        course.id,
        str(body["label"]),
        float(body["scoreMaximum"]),
        client_id=tool.client_id,
        resource_link_id=str(link_id) if link_id is not None else None,
        resource_id=str(body.get("resourceId") or ""),
        tag=str(body.get("tag") or ""),
        made_by_tool=True,
    )


def change_item(state: State, item: LineItem, body: Any) -> LineItem:
    """``resourceId`` and ``tag`` are lost unless they are sent again."""
    if not isinstance(body, dict) or not body.get("label") or not _numeric(body.get("scoreMaximum")):
        raise ServiceError(400, "No label or Score Maximum")
    with state.lock:
        item.label, item.score_maximum = str(body["label"]), float(body["scoreMaximum"])
        item.resource_id, item.tag = str(body.get("resourceId") or ""), str(body.get("tag") or "")
        state.on_change()
    return item


def delete_status(state: State, item: LineItem) -> int:
    """Only what the service knows can be deleted: an activity's own column too, if deep linking made it."""
    link = state.links.get(item.resource_link_id or "")
    return 204 if item.made_by_tool or link is None or link.deep_linked else 403


def copy_loose_items(state: State, old: Course, new: Course) -> None:
    """Columns that belong to no link come along, with ``resourceId`` and ``tag`` as they were
    (``backup_ltiservice_gradebookservices_subplugin``); those of links came with their links.
    """
    for item in [item for item in state.line_items.values() if item.course_id == old.id]:
        if item.resource_link_id is None:
            state.add_line_item(
                new.id,
                item.label,
                item.score_maximum,
                client_id=item.client_id,
                resource_id=item.resource_id,
                tag=item.tag,
                made_by_tool=True,
            )


def item_json(state: State, item: LineItem, members: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in members.items() if k not in ("startDateTime", "endDateTime", "gradesReleased")}


# -- scores ------------------------------------------------------------------------------------


def read_time(value: Any) -> datetime | None:
    """ISO 8601 in nearly any form, the server's zone (UTC) where it names none; a number is no time."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def check_score(state: State, item: LineItem, body: Any) -> str:
    given = body if isinstance(body, dict) else {}
    required = ("userId", "timestamp", "activityProgress", "gradingProgress")
    good = all(given.get(name) for name in required) and read_time(given.get("timestamp")) is not None
    if given.get("scoreGiven") is not None:
        good = good and _numeric(given["scoreGiven"]) and _numeric(given.get("scoreMaximum"))
    if good and not _numeric(given.get("userId")):
        # `isguestuser()` stops the script; what the web server makes of that is a 502 with nginx.
        raise ServiceError(502, CODING_ERROR)
    person_id = _gradable(state, item, given.get("userId")) if good else None
    if person_id is None:
        raise ServiceError(400, INCORRECT)
    return person_id


def _gradable(state: State, item: LineItem, user_id: object) -> str | None:
    """An enrolled person whose role stands in the gradebook; teachers of either kind do not."""
    course = state.courses[item.course_id]
    for person_id, enrolment in course.enrolments.items():
        known = state.dialect.subject(state.people[person_id], course) == str(user_id)
        if known and enrolment.active and {"Learner", "TestUser"} & set(enrolment.roles):
            return person_id
    return None


def score(facts: ScoreFacts) -> ScoreOutcome:
    """Only a final score is a grade; anything else erases the grade, and no comment erases the feedback."""
    body, item = facts.body, facts.item
    changes: dict[str, Any] = {
        "comment": str(body.get("comment") or ""),
        "from_teacher": False,
        "activity_progress": "",
        "grading_progress": "",
        "scoring_user_id": "",
    }
    if body["gradingProgress"] != "FullyGraded" or body.get("scoreGiven") is None:
        return ScoreOutcome(changes | {"score": None}, "not final: the grade was erased")
    given, maximum = float(body["scoreGiven"]), float(body["scoreMaximum"])
    raw = given * item.score_maximum / maximum if maximum else given
    final = min(max(raw, 0.0), item.score_maximum)
    changes |= {"score": final, "maximum": item.score_maximum or 1.0}
    return ScoreOutcome(changes, "score recorded" if final == raw else f"recorded as {final:g}, not {raw:g}")


def result_json(state: State, item: LineItem, grade: Grade, members: dict[str, Any]) -> dict[str, Any] | None:
    course, tool = state.courses[item.course_id], state.tools[item.client_id]
    url = state.service_url("results", tool, course, item_id=item.id)
    return members | {"id": f"{url}&user_id={members['userId']}", "scoringUserId": None}
