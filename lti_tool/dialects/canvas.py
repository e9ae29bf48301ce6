"""Canvas LMS. Facts and their places in its source: docs of the platform, `ims/scores_controller.rb`."""

from collections.abc import Mapping
from typing import Any

from lti_tool.dialects import plain
from lti_tool.dialects.base import CANVAS_SUBMISSION, FINAL_MOMENTS, Dialect, Reading, mentions, retry_after


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Reading:
    """Canvas throttles with a 403, says "missing scope" with a 401 and "older timestamp" with a 400."""
    if status in (403, 429) and (status == 429 or mentions(body, "rate limit exceeded")):
        return Reading("throttled", after=retry_after(headers))
    if status == 401 and mentions(body, "insufficient permissions"):
        return Reading("blocked", "scope_missing")
    if status == 400 and mentions(body, "before last updated timestamp"):
        return Reading("too_old")
    if status == 422:
        return Reading("blocked", _unprocessable(body))
    if status == 404 and mentions(body, "concluded"):
        return Reading("blocked", "course_closed")
    if status == 412:
        return Reading("blocked", "line_item_missing")
    return plain.classify(status, headers, body)


def _unprocessable(body: bytes) -> str:
    if mentions(body, "concluded"):
        return "course_closed"
    if mentions(body, "user not found in course", "not a student"):
        return "user_not_in_course"
    if mentions(body, "unpublished"):
        return "not_gradable"
    return "config_error"


def shape_score(score: dict[str, Any], moment: str, correction: bool) -> dict[str, Any]:
    """Say what Canvas shall do with its submission: a hand-in keeps the grade, a correction makes no new
    attempt.
    """
    if moment == "submitted":
        return {**score, CANVAS_SUBMISSION: {"new_submission": True, "preserve_score": True}}
    if correction or moment in FINAL_MOMENTS:
        return {**score, CANVAS_SUBMISSION: {"new_submission": False}}
    return score


CANVAS = Dialect(
    name="canvas",
    classify=classify,
    service_hosts=("*.instructure.com",),
    moments=FINAL_MOMENTS | {"submitted"},
    comment="when_changed",
    reads_before_correcting=True,
    shape_score=shape_score,
)
