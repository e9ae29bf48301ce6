"""A column that was in the gradebook before its link opened a credential: our name is written on its line
item (`resourceId`, `tag`; AGS 3.2), by which it is found again when its address changes.
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from grade_passback.ags import Caller, Callers, redacted, trouble
from grade_passback.delivery import Registrations
from grade_passback.gradebook import course_of
from grade_passback.line_items import ColumnFacts, LineItems
from grade_passback.wire import LINE_ITEM_SCOPE, LINE_ITEM_TYPE
from lti_tool.services import ServiceAnswer
from microcred import outbox
from microcred.database import Clock, Database
from microcred.outbox import Blocked, Delivered, Handler, Job, OutboxRow, Outcome, Retry, Throttled
from microcred.placements import GradeColumn, Placement

ADOPT = "column"
"""Outbox kind: write our name on a line item."""
_INACTIVE = 300.0


def adopt(session: Session, placement: Placement, column: GradeColumn, now: datetime) -> OutboxRow | None:
    """Have the line item of `column` named after us; None where the platform does not let us. Part of the
    transaction that ties the column to its link."""
    course = course_of(session, placement)
    if LINE_ITEM_SCOPE not in course.scopes or column.lineitem_url is None:
        return None
    return outbox.add(
        session,
        kind=ADOPT,
        destination=course.destination,
        order_key=f"{ADOPT}:{column.id}",
        subject=("grade_column", str(column.id)),
        payload={
            "column": column.id,
            "registration": course.registration.row_id,
            "scopes": list(course.scopes),
        },
        now=now,
    )


def make_adopter(database: Database, clock: Clock, callers: Callers) -> Handler:
    """The handler of kind `column`."""
    items, registrations = LineItems(database, clock), Registrations(database)

    def handle(job: Job) -> Outcome:
        facts = registrations.facts(job.payload["registration"])
        if facts is None or not facts.is_approved:
            return Throttled(reason="registration_inactive", after=_INACTIVE)
        column = items.known(job.payload["column"], 0, tuple(job.payload["scopes"]))
        if column.lineitem_url is None:
            return Delivered()
        return _name_it(callers.caller_for(facts), column, column.lineitem_url)

    return handle


def _name_it(caller: Caller, column: ColumnFacts, url: str) -> Outcome:
    """Read, change only our two members, write; once more where somebody else changed it in between."""
    answer = ServiceAnswer("bad_answer")
    for _ in range(2):
        item = _read(caller, column, url)
        if not isinstance(item, dict):
            return item
        if item.get("resourceId"):
            return Delivered(answer={"named": item["resourceId"] == column.resource_id})
        named = {**item, "resourceId": column.resource_id, "tag": column.tag}
        answer = caller.call(
            "PUT",
            url,
            scopes=column.scopes,
            accept=LINE_ITEM_TYPE,
            content_type=LINE_ITEM_TYPE,
            body=json.dumps(named, separators=(",", ":")).encode(),
        )
        if answer.ok:
            return Delivered(answer=redacted(answer))
        if answer.status != 412:
            return trouble(caller, answer)
    return Blocked(reason="config_error", answer=redacted(answer))


def _read(caller: Caller, column: ColumnFacts, url: str) -> dict[str, Any] | Outcome:
    answer = caller.call("GET", url, scopes=column.scopes, accept=LINE_ITEM_TYPE)
    if not answer.ok:
        return trouble(caller, answer)
    try:
        item = json.loads(answer.body)
    except (ValueError, RecursionError):
        item = None
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        return Retry(reason="bad_answer", destination_failed=False, answer=redacted(answer))
    return item
