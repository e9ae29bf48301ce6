"""The plain specification (AGS 2.0), and what other platforms were seen to answer within it."""

from collections.abc import Mapping

from lti_tool.dialects.base import Dialect, Reading, mentions, retry_after

_SCOPE_WORDS = ("scope", "insufficient permission")
# Blackboard says it with a 400, D2L with a 403 or a 404.
_USER_WORDS = ("user could not be found", "not enrolled", "user not found", "does not exist")


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Reading:
    """Read the answer to a score POST (AGS OpenAPI: 200, 201, 202, 204, 400, 401, 403, 404, 409)."""
    if status == 202:
        return Reading("accepted")
    if 200 <= status < 300:
        return Reading("delivered")
    if status == 429:
        return Reading("throttled", after=retry_after(headers))
    if status in (408, 425) or status >= 500:
        return Reading("retry", after=retry_after(headers))
    if status == 409:
        return Reading("too_old")
    return Reading("blocked", reason=_reason(status, body))


def _reason(status: int, body: bytes) -> str:
    if status == 401:
        return "auth_failed"
    if (
        status in (400, 403, 404)
        and mentions(body, "user", "learner", "student")
        and mentions(body, *_USER_WORDS)
    ):
        return "user_not_in_course"
    if status == 403:
        return "scope_missing" if mentions(body, *_SCOPE_WORDS) else "course_closed"
    if status == 404:
        return "line_item_missing"
    return "config_error"


PLAIN = Dialect(name="other", classify=classify, binds_line_items=True)
