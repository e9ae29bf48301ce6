"""How each LMS's answers to a score are read, and what it is sent."""

import pytest

from lti_tool.dialects import dialect_named
from lti_tool.dialects.base import CANVAS_SUBMISSION, retry_after
from lti_tool.protocol.connector import next_page


@pytest.mark.parametrize(
    ("lms", "status", "body", "verdict", "reason"),
    [
        ("other", 200, b"", "delivered", None),
        ("other", 201, b"{}", "delivered", None),
        ("other", 204, b"", "delivered", None),
        ("other", 202, b"", "accepted", None),
        ("other", 409, b"", "too_old", None),
        ("other", 429, b"", "throttled", None),
        ("other", 503, b"", "retry", None),
        ("other", 408, b"", "retry", None),
        ("other", 401, b"", "blocked", "auth_failed"),
        ("other", 403, b"insufficient scope", "blocked", "scope_missing"),
        ("other", 403, b"the activity is closed", "blocked", "course_closed"),
        ("other", 403, b"User is not enrolled", "blocked", "user_not_in_course"),
        ("other", 400, b"User could not be found", "blocked", "user_not_in_course"),
        ("other", 404, b"User 7 does not exist", "blocked", "user_not_in_course"),
        ("other", 404, b"", "blocked", "line_item_missing"),
        ("other", 405, b"", "blocked", "config_error"),
        ("other", 422, b"", "blocked", "config_error"),
        ("canvas", 403, b"403 Forbidden (Rate Limit Exceeded)", "throttled", None),
        ("canvas", 401, b'{"message":"Insufficient permissions"}', "blocked", "scope_missing"),
        ("canvas", 400, b"Provided timestamp of X before last updated timestamp of Y", "too_old", None),
        ("canvas", 422, b"This course has concluded.", "blocked", "course_closed"),
        ("canvas", 422, b"User not found in course or is not a student", "blocked", "user_not_in_course"),
        ("canvas", 422, b"This assignment is still unpublished", "blocked", "not_gradable"),
        ("moodle", 200, b"", "delivered", None),
        ("moodle", 200, b" [] ", "blocked", "config_error"),
        ("moodle", 409, b"[]", "too_old", None),
        ("schoology", 201, b"", "delivered", None),
    ],
)
def test_answers_are_read(lms: str, status: int, body: bytes, verdict: str, reason: str | None) -> None:
    reading = dialect_named(lms).classify(status, {}, body)

    assert (reading.verdict, reading.reason) == (verdict, reason)


def test_a_wait_that_was_asked_for_is_kept() -> None:
    assert dialect_named("other").classify(429, {"Retry-After": "30"}, b"").after == 30
    assert retry_after({"Retry-After": "soon"}) is None
    until = "Sun, 22 Nov 2026 10:02:00 GMT"
    assert retry_after({"Retry-After": until, "Date": "Sun, 22 Nov 2026 10:00:30 GMT"}) == 90
    assert retry_after({"Retry-After": until, "Date": "Sun, 22 Nov 2026 10:03:00 GMT"}) == 0
    assert retry_after({"Retry-After": until}) is None


def test_canvas_hand_ins_keep_the_grade_and_corrections_make_no_attempt() -> None:
    shape = dialect_named("canvas").shape_score

    assert shape({}, "submitted", False)[CANVAS_SUBMISSION]["preserve_score"] is True
    assert shape({}, "awarded", True) == {CANVAS_SUBMISSION: {"new_submission": False}}
    assert dialect_named("other").shape_score({"a": 1}, "submitted", False) == {"a": 1}


@pytest.mark.parametrize(
    ("link", "following"),
    [
        ('<https://l.test/M?pAge=AbC%2B>; rel="next"', "https://l.test/M?pAge=AbC%2B"),
        ("<https://l.test/2>; rel=next", "https://l.test/2"),
        (
            '<https://l.test/1>; rel="prev", <https://l.test/3>; title="x"; rel="last next"',
            "https://l.test/3",
        ),
        ("</m?p=2>; rel=Next", "https://l.test/m?p=2"),
        ('<https://l.test/1>; rel="prev"', None),
        ('<https://l.test/1>; rel="nextish"', None),
        ("", None),
        ("<broken", None),
    ],
)
def test_next_pages_are_found(link: str, following: str | None) -> None:
    assert next_page({"Link": link}, "https://l.test/m?p=1") == following
