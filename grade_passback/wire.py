"""Score bodies and service URLs exactly as they go over the wire (AGS 2.0, section 3)."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from grade_passback.scores import Number, ScoreDraft

SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
LINE_ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"

_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
SCORE_SCOPE = _AGS + "score"
LINE_ITEM_SCOPE = _AGS + "lineitem"
LINE_ITEM_READ_SCOPE = _AGS + "lineitem.readonly"
RESULT_SCOPE = _AGS + "result.readonly"
SCOPES = (SCORE_SCOPE, LINE_ITEM_SCOPE, LINE_ITEM_READ_SCOPE, RESULT_SCOPE)

_DECIMALS = 4


def next_stamp(now: datetime, last: datetime | None) -> datetime:
    """The timestamp of the next score of a cell: whole seconds, at least one later than the last.

    Moodle compares whole seconds; a clock that steps back must not make an update look old.
    """
    floor = now.astimezone(UTC).replace(microsecond=0)
    return floor if last is None else max(floor, last + timedelta(seconds=1))


def stamp_text(stamp: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.000Z`; AGS 3.4.9 asks for a zone and a sub-second part."""
    return stamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def content_of(draft: ScoreDraft) -> dict[str, Any]:
    """What a score says, without user and timestamp: two with equal content are the same update."""
    content: dict[str, Any] = {
        "activityProgress": draft.activity_progress,
        "gradingProgress": draft.grading_progress,
    }
    if draft.score is not None:
        content |= {"scoreGiven": number(draft.score.given), "scoreMaximum": number(draft.score.maximum)}
    if draft.comment:
        content["comment"] = draft.comment
    if draft.submitted_at is not None:
        content["submission"] = {"submittedAt": stamp_text(draft.submitted_at)}
    return content


def score_body(sub: str, stamp: datetime, content: Mapping[str, Any]) -> str:
    """The bytes of a score, as ASCII text: compact, for Moodle loses the error of a body with line breaks."""
    body = {"userId": sub, "timestamp": stamp_text(stamp), **content}
    return json.dumps(body, separators=(",", ":"), allow_nan=False)


def number(value: Number) -> Number:
    """Rounded to four decimals, whole where it is whole: one value has one spelling."""
    rounded = round(float(value), _DECIMALS)
    return int(rounded) if rounded.is_integer() else rounded


def service_url(lineitem_url: str, name: str, query: str = "") -> str:
    """`<lineitem>/<name>`: put into the path, before the query that Moodle's line items have."""
    parts = urlsplit(lineitem_url)
    queries = "&".join(text for text in (parts.query, query) if text)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}", query=queries))


def with_query(url: str, query: str) -> str:
    """`url` with more query, keeping what it has."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(text for text in (parts.query, query) if text)))
