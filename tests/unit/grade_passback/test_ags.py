"""Reading answers, and what is kept of them."""

import pytest

from grade_passback.ags import redacted
from grade_passback.wire import next_stamp, score_body, stamp_text, with_query
from grade_passback.words import words_for
from lti_tool.services import ServiceAnswer
from microcred.outbox.models import OUTBOX_STATES
from tests.support.grading import START

REASONS = (
    *("scope_missing", "line_item_missing", "line_item_ambiguous", "user_not_in_course", "course_closed"),
    *(
        "auth_failed",
        "config_error",
        "conflict",
        "unexpected_redirect",
        "url_not_allowed",
        "tls_error",
        "not_gradable",
    ),
)


def test_tokens_and_addresses_are_not_kept() -> None:
    body = (
        b'{"access_token": "t-123", "m": "a@b.org", "h": "Bearer xyz", "j": "eyJhbGc.eyJzdWI.sig"}'
        + b"x" * 900
    )
    kept = redacted(ServiceAnswer(None, 400, {}, body))
    for secret in ("t-123", "a@b.org", "xyz", "eyJ"):
        assert secret not in kept["body"]
    assert len(kept["body"]) <= 500
    assert "\0" not in redacted(ServiceAnswer(None, 400, {}, b"a\0b"))["body"]


def test_stamps_are_whole_seconds_and_rise() -> None:
    now = START.replace(microsecond=999_999)
    first = next_stamp(now, None)
    assert stamp_text(first) == "2026-03-02T09:00:00.000Z"
    assert stamp_text(next_stamp(now, first)) == "2026-03-02T09:00:01.000Z"
    assert stamp_text(next_stamp(now.replace(hour=7), first)) == "2026-03-02T09:00:01.000Z"


def test_body_is_compact_ascii() -> None:
    body = score_body("ü-1", START, {"comment": "Línea\n\N{OWL}", "scoreGiven": 1})
    assert body.isascii()
    assert "\n" not in body
    assert ", " not in body


def test_query_is_added_to_what_is_there() -> None:
    assert with_query("https://l.test/li?type_id=5", "tag=x") == "https://l.test/li?type_id=5&tag=x"


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_words_of_its_own(reason: str) -> None:
    words = words_for("blocked", reason)
    assert words.sentence.endswith(".")
    assert reason == "config_error" or words != words_for("blocked", "config_error")


@pytest.mark.parametrize("state", OUTBOX_STATES)
def test_every_state_has_words(state: str) -> None:
    assert words_for(state, "http_503", 1).sentence
