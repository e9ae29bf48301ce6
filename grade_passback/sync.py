"""What a coordinator sees of grade delivery in a course, and sending again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grade_passback.gradebook import write_again
from grade_passback.models import ScoreLine
from grade_passback.words import NO_COLUMN, sent_words, words_for
from microcred import outbox
from microcred.outbox import OutboxRow
from microcred.people.models import LmsIdentity
from microcred.placements import GradeColumn


@dataclass(frozen=True)
class SyncRow:
    """One learner's cell in one column: what was sent last and what came of it."""

    row_id: int | None
    """The outbox row, to send it again."""
    column: str
    sent: str
    """`85 of 100`; empty where nothing was sent."""
    state: str
    """The outbox row's state; `none` where the link has no column."""
    reason: str | None
    words: str
    advice: str
    tried_at: datetime | None
    can_retry: bool


def sync_rows(
    session: Session, placement_id: int, person_ids: Sequence[int]
) -> Mapping[int, Sequence[SyncRow]]:
    """The cells of these persons in the columns of a placement, in the order of the columns; by person."""
    query = (
        select(LmsIdentity.person_id, GradeColumn.label, OutboxRow)
        .select_from(ScoreLine)
        .join(GradeColumn, GradeColumn.id == ScoreLine.column_id)
        .join(LmsIdentity, LmsIdentity.id == ScoreLine.identity_id)
        .outerjoin(OutboxRow, OutboxRow.id == ScoreLine.row_id)
        .where(GradeColumn.placement_id == placement_id, LmsIdentity.person_id.in_(person_ids))
        .order_by(GradeColumn.id, ScoreLine.id)
    )
    rows: dict[int, list[SyncRow]] = {}
    for person_id, label, row in session.execute(query):
        rows.setdefault(person_id, []).append(_sync_row(label, row))
    return rows


def retry(session: Session, row_id: int, *, now: datetime, placement_id: int) -> bool:
    """Send the newest row of a cell of this placement again; False where there is nothing to send again.

    Where the grade was changed in the LMS, a person has now decided for ours: it goes out with a new
    timestamp.
    """
    line = session.scalar(
        select(ScoreLine)
        .join(GradeColumn, GradeColumn.id == ScoreLine.column_id)
        .where(ScoreLine.row_id == row_id, GradeColumn.placement_id == placement_id)
    )
    if line is None:
        return False
    row = session.get_one(OutboxRow, row_id)
    if row.state == "blocked" and row.reason == "conflict":
        return write_again(session, row, line.id, now, insisting=True) is not None
    try:
        outbox.retry(session, row_id, now=now)
    except outbox.RetryRefused:
        return False
    return True


def _sync_row(label: str, row: OutboxRow | None) -> SyncRow:
    if row is None:
        return SyncRow(None, label, "", "none", None, NO_COLUMN.sentence, NO_COLUMN.advice, None, False)
    words = words_for(row.state, row.reason, row.attempts)
    return SyncRow(
        row_id=row.id,
        column=label,
        sent=sent_words(row.payload["content"]),
        state=row.state,
        reason=row.reason,
        words=words.sentence,
        advice=words.advice,
        tried_at=row.last_tried_at,
        can_retry=row.state in ("blocked", "dead", "unverified")
        or (row.state == "waiting" and row.attempts > 0 and row.leased_until is None),
    )
