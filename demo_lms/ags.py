"""Assignment and Grade Services 2.0: what happens to columns, scores and results."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .claims import line_item_url
from .dialects import ScoreFacts
from .errors import ServiceError
from .model import Course, Enrolment, Grade, LineItem, Person, ScoreEvent, Tool
from .names import ACTIVITY_PROGRESS, GRADING_PROGRESS
from .state import State
from .values import is_number, plain_number, zoned_time

_TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}(Z|[+-]\d\d:\d\d)$")
_KNOWN = {
    "id", "label", "scoreMaximum", "resourceLinkId", "resourceId", "tag",
    "startDateTime", "endDateTime", "gradesReleased", "submissionReview",
}  # fmt: skip


def line_item_json(state: State, item: LineItem) -> dict[str, Any]:
    """A line item on the wire (AGS 3.2); empty members are left out."""
    members: dict[str, Any] = {
        "id": line_item_url(state, item),
        "label": item.label,
        "scoreMaximum": plain_number(item.score_maximum),
        "resourceLinkId": item.resource_link_id,
        "resourceId": item.resource_id,
        "tag": item.tag,
        "startDateTime": item.start,
        "endDateTime": item.end,
        "gradesReleased": item.grades_released,
        "submissionReview": item.submission_review,
    }
    members = {k: v for k, v in members.items() if v not in (None, "")} | item.extensions
    return state.dialect.item_json(state, item, members)


def find_items(state: State, tool: Tool, course: Course, filters: Mapping[str, str]) -> list[LineItem]:
    """The tool's own columns in a course, filtered by resource_link_id, resource_id and tag."""
    wanted = {k: filters[k] for k in ("resource_link_id", "resource_id", "tag") if k in filters}
    return [
        item
        for item in state.line_items_in(course.id)
        if item.client_id == tool.client_id
        and all((getattr(item, name) or "") == value for name, value in wanted.items())
    ]


def require_course(state: State, path_id: str) -> Course:
    """The course that a service address names; ServiceError if there is none or it takes no requests."""
    course = state.course_at(path_id)
    if course is None:
        raise ServiceError(404, "There is no such context.")
    state.dialect.check_course(state, course)
    return course


def require_item(state: State, tool: Tool, course: Course, item_id: str, endpoint: str) -> LineItem:
    item = state.line_items.get(item_id)
    if item is None or item.course_id != course.id:
        raise ServiceError(404, "There is no such line item.")
    if item.client_id != tool.client_id:
        status = state.dialect.foreign_item_status.get(endpoint, 404)
        if status:
            raise ServiceError(status, "This line item is not the tool's.")
    return item


def create_item(state: State, tool: Tool, course: Course, body: Any) -> LineItem:
    fields = item_fields(body)
    link_id = fields["resource_link_id"]
    with state.lock:
        if link_id is not None:
            link = state.links.get(link_id)
            if link is None or link.course_id != course.id or link.client_id != tool.client_id:
                raise ServiceError(404, "resourceLinkId names no link of this tool in this context.")
        return state.add_line_item(course.id, client_id=tool.client_id, made_by_tool=True, **fields)


def replace_item(state: State, item: LineItem, body: Any) -> LineItem:
    """PUT: the whole item; the link it belongs to cannot be changed (AGS 3.2.6)."""
    fields = item_fields(body)
    if fields["resource_link_id"] not in (None, item.resource_link_id):
        raise ServiceError(400, "resourceLinkId cannot be changed.")
    del fields["resource_link_id"]
    with state.lock:
        for name, value in fields.items():
            setattr(item, name, value)
        state.on_change()
    return item


def delete_item(state: State, item: LineItem) -> None:
    with state.lock:
        state.line_items.pop(item.id, None)
        state.on_change()


def item_fields(body: Any) -> dict[str, Any]:
    """The fields of a line item from the wire, checked; ServiceError 400 names the wrong one."""
    if not isinstance(body, dict):
        raise ServiceError(400, "The body must be a JSON object.")
    label: Any = body.get("label")
    maximum: Any = body.get("scoreMaximum")
    if not isinstance(label, str) or not label.strip():
        raise ServiceError(400, "label must not be blank.")
    if not is_number(maximum) or maximum <= 0:
        raise ServiceError(400, "scoreMaximum must be a number greater than 0.")
    for name in ("resourceLinkId", "resourceId", "tag", "startDateTime", "endDateTime"):
        if name in body and not isinstance(body[name], str):
            raise ServiceError(400, f"{name} must be a string.")
    for name in ("resourceId", "tag"):
        if len(body.get(name, "")) > 256:
            raise ServiceError(400, f"{name} is longer than 256 characters.")
    for name in ("startDateTime", "endDateTime"):
        if body.get(name) and not zoned_time(body[name]):
            raise ServiceError(400, f"{name} must be an ISO 8601 time with a zone.")
    review = body.get("submissionReview")
    return {
        "label": label,
        "score_maximum": float(maximum),
        "resource_link_id": body.get("resourceLinkId"),
        "resource_id": body.get("resourceId", ""),
        "tag": body.get("tag", ""),
        "start": body.get("startDateTime", ""),
        "end": body.get("endDateTime", ""),
        "grades_released": body.get("gradesReleased"),
        "submission_review": review if isinstance(review, dict) else None,
        "extensions": {k: v for k, v in body.items() if k not in _KNOWN},
    }


# -- scores ------------------------------------------------------------------------------------


def post_score(state: State, item: LineItem, body: Any) -> str:
    """Apply a score update (AGS 3.4) and give the person it was for; ServiceError if refused.

    Every update, applied or not, leaves a line in the cell's history.
    """
    dialect = state.dialect
    with state.lock:
        person_id = (dialect.check_score or check_score)(state, item, body)
        grade = item.grades.get(person_id) or Grade()
        try:
            _refuse_stale(state, grade, body["timestamp"])
            outcome = dialect.score(ScoreFacts(state, item, grade, body))
        except ServiceError as error:
            _record(state, item, person_id, body, False, error.message)
            raise
        grade.from_tool = True
        grade.timestamp = str(body["timestamp"])
        grade.activity_progress = body["activityProgress"]
        grade.grading_progress = body["gradingProgress"]
        grade.scoring_user_id = str(body.get("scoringUserId") or "")
        if body.get("scoreGiven") is not None and is_number(body.get("scoreMaximum")):
            grade.tool_maximum = float(body["scoreMaximum"])
        for name, value in outcome.changes.items():
            setattr(grade, name, value)
        item.grades[person_id] = grade
        _record(state, item, person_id, body, True, outcome.note)
        state.on_change()
    return person_id


def _record(state: State, item: LineItem, person_id: str, body: Any, applied: bool, note: str) -> None:
    item.history.append(ScoreEvent(state.clock(), person_id, "tool", dict(body), applied, note))


def check_score(state: State, item: LineItem, body: Any) -> str:
    """The specification's checks of a score update; gives the person, or ServiceError."""
    if not isinstance(body, dict):
        raise ServiceError(400, "The body must be a JSON object.")
    for name in ("userId", "timestamp", "activityProgress", "gradingProgress"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise ServiceError(400, f"{name} is required.")
    if not _TIMESTAMP.match(body["timestamp"]) or not zoned_time(body["timestamp"]):
        raise ServiceError(400, "timestamp must be ISO 8601 with a fraction of a second and a zone.")
    allowed: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("activityProgress", ACTIVITY_PROGRESS),
        ("gradingProgress", GRADING_PROGRESS),
    )
    for name, values in allowed:
        if body[name] not in values:
            raise ServiceError(400, f"{name} must be one of {', '.join(values)}.")
    if body.get("scoreGiven") is not None:
        if not is_number(body["scoreGiven"]) or body["scoreGiven"] < 0:
            raise ServiceError(400, "scoreGiven must be a number of 0 or more.")
        if not is_number(body.get("scoreMaximum")) or body["scoreMaximum"] <= 0:
            raise ServiceError(400, "scoreMaximum greater than 0 is required with scoreGiven.")
    if body.get("comment") is not None and not isinstance(body["comment"], str):
        raise ServiceError(400, "comment must be text.")
    _check_submission(body.get("submission"))
    return _gradable_person(state, item, body)


def _check_submission(submission: Any) -> None:
    if submission is None:
        return
    times: list[datetime] = []
    for name in ("startedAt", "submittedAt"):
        if isinstance(submission, dict) and submission.get(name) is not None:
            moment = zoned_time(str(submission[name]))
            if moment is None:
                raise ServiceError(400, f"submission.{name} must be an ISO 8601 time with a zone.")
            times.append(moment)
    if len(times) == 2 and times[1] < times[0]:
        raise ServiceError(400, "submission.submittedAt is before startedAt.")


def find_person(state: State, course: Course, user_id: object) -> tuple[Person, Enrolment] | None:
    """Who in a course has this user id, also by another id where the dialect takes those."""
    dialect = state.dialect
    for person_id, enrolment in course.enrolments.items():
        person = state.people[person_id]
        if user_id == dialect.subject(person, course) or user_id in dialect.also_known_as(person):
            return person, enrolment
    return None


def is_learner(enrolment: Enrolment) -> bool:
    return bool({"Learner", "TestUser"} & set(enrolment.roles))


def _gradable_person(state: State, item: LineItem, body: Mapping[str, Any]) -> str:
    course = state.courses[item.course_id]
    if course.concluded:
        raise ServiceError(state.dialect.concluded_status, "The course has ended: no more scores.")
    found = find_person(state, course, body["userId"])
    if found is None:
        raise ServiceError(state.dialect.unknown_user_status, "This person is not in the course.")
    person, enrolment = found
    if not enrolment.active:
        raise ServiceError(state.dialect.unknown_user_status, "This person has left the course.")
    if not is_learner(enrolment):
        raise ServiceError(state.dialect.not_a_learner_status, "This person gets no grades here.")
    return person.id


def _refuse_stale(state: State, grade: Grade, timestamp: Any) -> None:
    read: Callable[[Any], datetime | None] = state.dialect.read_time or zoned_time
    last, new = read(grade.timestamp) if grade.timestamp else None, read(timestamp)
    if last is None or new is None:
        return
    step = state.dialect.timestamp_step
    before, now = (m.timestamp() // step if step else m.timestamp() for m in (last, new))
    if now > before or (now == before and not state.dialect.equal_timestamp_is_stale):
        return
    sentence = state.dialect.stale_message.format(new=timestamp, old=grade.timestamp)
    raise ServiceError(state.dialect.stale_status, sentence, state.dialect.stale_body)


# -- results -----------------------------------------------------------------------------------


def result_url(state: State, item: LineItem, person: Person) -> str:
    tool, course = state.tools[item.client_id], state.courses[item.course_id]
    ids = {"item_id": item.id, "person_id": state.dialect.result_path_id(person)}
    return state.service_url("result", tool, course, **ids)


def result_json(state: State, item: LineItem, person_id: str) -> dict[str, Any] | None:
    """The platform's current grade of one person (AGS 3.3), which may differ from the last score.

    None where the LMS does not show this cell as a result.
    """
    grade, person = item.grades[person_id], state.people[person_id]
    score = state.shown_score(item.id, person_id)
    members: dict[str, Any] = {
        "id": result_url(state, item, person),
        "scoreOf": line_item_url(state, item),
        "userId": state.dialect.subject(person, state.courses[item.course_id]),
        "resultScore": None if score is None else plain_number(score),
        "resultMaximum": plain_number(item.score_maximum),
        "comment": grade.comment or None,
        "scoringUserId": grade.scoring_user_id or None,
    }
    shown = state.dialect.result_json(state, item, grade, members)
    return None if shown is None else {k: v for k, v in shown.items() if v is not None}


def find_results(state: State, item: LineItem, user_id: str | None) -> list[dict[str, Any]]:
    rows = [result_json(state, item, person_id) for person_id in item.grades]
    return [row for row in rows if row is not None and user_id in (None, row["userId"])]
