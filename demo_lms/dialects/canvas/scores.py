"""Scores and results of Canvas (``ims/scores_controller.rb``, ``app/models/lti/result.rb``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from ...errors import ServiceError
from ...model import Grade, LineItem
from ...names import ACTIVITY_PROGRESS, GRADING_PROGRESS
from ...values import is_number, plain_number, uuid_of, zoned_time
from ..parts import ScoreFacts, ScoreOutcome
from .names import SUBMISSION

if TYPE_CHECKING:
    from ...state import State

_DIGITS = re.compile(r"^\d{6,}$")
_SUBMISSION_TYPES = (
    "none", "basic_lti_launch", "online_text_entry", "online_url", "external_tool", "online_upload",
)  # fmt: skip


def read_time(value: Any) -> datetime | None:
    """Times without a zone are UTC; a number of seconds is taken for a year far away."""
    text = str(value)
    if _DIGITS.match(text):
        return datetime(3022, 1, 1, tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def check_score(state: State, item: LineItem, body: Any) -> str:
    """In Canvas's order: the person, what is required, published, the timestamp's form."""
    given: Mapping[str, Any] = body if isinstance(body, dict) else {}
    person_id = _student(state, item, given.get("userId"))
    for name in ("activityProgress", "gradingProgress", "timestamp"):
        if given.get(name) in (None, ""):
            sentence = f"{name} is missing"
            raise ServiceError(400, sentence, {"errors": [{"message": sentence}]})
    if not item.published:
        raise ServiceError(422, "This assignment is still unpublished")
    stamp = given["timestamp"]
    if read_time(stamp) is None:
        raise ServiceError(400, f"Provided timestamp of {stamp} not a valid timestamp")
    return person_id


def _student(state: State, item: LineItem, user_id: object) -> str:
    course = state.courses[item.course_id]
    for person_id, enrolment in course.enrolments.items():
        person = state.people[person_id]
        known = (state.dialect.subject(person, course), *state.dialect.also_known_as(person))
        student = enrolment.active and course.published and {"Learner", "TestUser"} & set(enrolment.roles)
        if str(user_id) in known and student:
            return person_id
    raise ServiceError(422, "User not found in course or is not a student")


# -- the score itself --------------------------------------------------------------------------


def score(facts: ScoreFacts) -> ScoreOutcome:
    """A grade is written only where it is final or awaits review; anything else clears what is there."""
    body, grade, item = facts.body, facts.grade, facts.item
    extension = body.get(SUBMISSION) if isinstance(body.get(SUBMISSION), dict) else {}
    assert isinstance(extension, dict)
    _check_values(facts)
    submitted = _submitted_at(facts, extension)
    files = _files(extension)
    changes: dict[str, Any] = {}
    if body.get("comment") and item.in_gradebook:
        # Appended on every post, the same one too; only where there is an assignment to comment on.
        changes["comments"] = [*grade.comments, str(body["comment"])]
        changes["comment"] = str(body["comment"])
    written, note = _written(facts, extension)
    changes |= written | _attempt(facts, extension, submitted)
    changes["files"] = files
    if "submission_data" in extension:
        changes["submission_data"] = str(extension["submission_data"])
    return ScoreOutcome(changes, note)


def _is_graded(body: Mapping[str, Any]) -> bool:
    final = body["gradingProgress"] in ("FullyGraded", "PendingManual")
    return final and body.get("scoreGiven") is not None


def _check_values(facts: ScoreFacts) -> None:
    body, item = facts.body, facts.item
    if _is_graded(body):
        maximum = body.get("scoreMaximum")
        if maximum is None:
            raise ServiceError(422, "ScoreMaximum not supplied when ScoreGiven present.")
        for name, value in (("ScoreMaximum", maximum), ("ScoreGiven", body["scoreGiven"])):
            if not is_number(value) or value < 0:
                raise ServiceError(422, f"{name} must be greater than or equal to 0")
        if maximum == 0 and item.score_maximum != 0:
            raise ServiceError(422, "ScoreMaximum cannot be zero if line item's maximum is not zero")
    allowed: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("activityProgress", "activity_progress", ACTIVITY_PROGRESS),
        ("gradingProgress", "grading_progress", GRADING_PROGRESS),
    )
    for name, attribute, values in allowed:
        if body[name] not in values:
            row = {"attribute": attribute, "type": "inclusion", "message": "inclusion"}
            raise ServiceError(422, f"{name} is not in the list", {"errors": {attribute: [row]}})


def _written(facts: ScoreFacts, extension: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    body, grade, item = facts.body, facts.grade, facts.item
    if extension.get("preserve_score"):
        return {}, "preserve_score: the score stays as it was"
    if extension.get("prioritize_non_tool_grade") and grade.score is not None:
        return {}, "prioritize_non_tool_grade: the score stays as it was"
    if not _is_graded(body):
        cleared = {"score": None, "from_teacher": False, "needs_review": False}
        return cleared, "no grade: the score was cleared"
    maximum = float(body["scoreMaximum"]) or 1.0
    points = float(body["scoreGiven"]) * item.score_maximum / maximum
    return {
        "score": points,
        "maximum": item.score_maximum or 1.0,
        "from_teacher": False,
        "needs_review": body["gradingProgress"] == "PendingManual",
    }, "score recorded"


def _submitted_at(facts: ScoreFacts, extension: Mapping[str, Any]) -> datetime | None:
    """``submission.submittedAt`` before the extension's; a top-level ``submittedAt`` is ignored."""
    submission = facts.body.get("submission")
    given = submission.get("submittedAt") if isinstance(submission, dict) else None
    given = given or extension.get("submitted_at")
    if given is None:
        return None
    moment = read_time(given)
    if moment is None:
        raise ServiceError(400, f"Provided submitted_at timestamp of {given} not a valid timestamp")
    if moment > facts.state.clock() + timedelta(minutes=1):
        raise ServiceError(400, f"Provided submitted_at timestamp of {given} in the future")
    return moment


def _files(extension: Mapping[str, Any]) -> list[str]:
    kind = extension.get("submission_type")
    if kind is not None and kind not in _SUBMISSION_TYPES:
        raise ServiceError(422, f"Invalid submission_type: {kind}")
    items = extension.get("content_items") or []
    files = [str(i["url"]) for i in items if isinstance(i, dict) and i.get("type") == "file" and i.get("url")]
    if kind == "online_upload" and not files:
        raise ServiceError(422, "Content items must be provided with submission type 'online_upload'")
    return files


def _attempt(facts: ScoreFacts, extension: Mapping[str, Any], submitted: datetime | None) -> dict[str, Any]:
    """By default a post is also a submission, made now: late if the due date is past."""
    body, grade, item, state = facts.body, facts.grade, facts.item, facts.state
    kind = "online_upload" if extension.get("content_items") else extension.get("submission_type")
    handed_in = body["activityProgress"] in ("Submitted", "Completed")
    wanted = extension.get("new_submission", True) and kind != "none"
    if not wanted or not (handed_in or state.switch("attempt_on") == "any"):
        return {}
    when = submitted or state.clock()
    again = bool(grade.submitted_at) and zoned_time(grade.submitted_at) == submitted
    if not again and item.allowed_attempts is not None and grade.attempts >= item.allowed_attempts:
        raise ServiceError(422, "The maximum number of allowed attempts has been reached for this submission")
    due = zoned_time(item.end) if item.end else None
    return {
        "attempts": grade.attempts + (0 if again else 1),
        "submitted_at": when.isoformat(),
        "late": due is not None and when > due,
        "submission_type": kind or "external_tool",
    }


# -- answers -----------------------------------------------------------------------------------


def score_body(state: State, item: LineItem, grade: Grade, result_url: str) -> object:
    """Files are fetched from the tool at once; the real one does it later and says so in ``progress``."""
    rows = []
    for url in grade.files:
        progress_id = uuid_of(state.token())
        try:
            state.download(url)
            done = "completed"
        except requests.RequestException:
            done = "failed"
        state.progress[progress_id] = {"id": progress_id, "workflow_state": done}
        base = urlsplit(result_url).path.partition("/line_items/")[0]
        address = state.url(f"{base}/progress/{progress_id}")
        rows.append({"type": "file", "url": url, "progress": address})
    return {"resultUrl": result_url, SUBMISSION: {"content_items": rows}}


def result_json(state: State, item: LineItem, grade: Grade, members: dict[str, Any]) -> dict[str, Any] | None:
    """In points of the tool's own maximum, also after a teacher's change; nobody without a tool's post."""
    if not grade.from_tool:
        return None
    maximum = grade.tool_maximum if grade.tool_maximum is not None else item.score_maximum
    shown = {**members, "resultMaximum": plain_number(maximum), "scoringUserId": None}
    if grade.score is not None and item.score_maximum:
        points = grade.score / grade.maximum * maximum
        shown["resultScore"] = plain_number(round(points, 6))
    return shown
