"""What a coordinator sees of grade delivery in a course, and sending again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from grade_passback.gradebook import KIND, Again, write_again
from grade_passback.models import ScoreLine
from grade_passback.scores import score_of
from grade_passback.words import NO_COLUMN, sent_words, words_for
from lti_tool.models import Context
from microcred import outbox
from microcred.outbox import OutboxRow
from microcred.people.models import LmsIdentity, Person
from microcred.placements import STACK, GradeColumn, Placement


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


@dataclass(frozen=True)
class Cell:
    """Whose score an outbox row is, and for which column: what an operator needs to find it in the LMS."""

    person_id: int
    learner: str
    column: str
    sent: str


@dataclass(frozen=True)
class Progress:
    """How many cells of a placement stand where."""

    arrived: int
    on_the_way: int
    stopped: int
    """A person must do something, or the LMS did not answer for three days."""
    changed: int
    """The LMS shows another grade than we sent."""
    closed: int
    """The course takes no more grades."""

    @property
    def total(self) -> int:
        """Every cell that something was sent for."""
        return self.arrived + self.on_the_way + self.stopped + self.changed + self.closed


def sync_rows(
    session: Session, placement_id: int, person_ids: Sequence[int]
) -> Mapping[int, Sequence[SyncRow]]:
    """The cells of these persons in the columns of a placement, and in those that count stacks in its course,
    that were sent to, or that the LMS has no column for, in the order of the columns; by person.
    """
    known_to_lms = func.coalesce(ScoreLine.lineitem_url, GradeColumn.lineitem_url, Context.lineitems_url)
    query = (
        select(LmsIdentity.person_id, GradeColumn.label, OutboxRow, known_to_lms.is_not(None))
        .select_from(ScoreLine)
        .join(GradeColumn, GradeColumn.id == ScoreLine.column_id)
        .join(Placement, Placement.id == GradeColumn.placement_id)
        .join(LmsIdentity, LmsIdentity.id == ScoreLine.identity_id)
        .outerjoin(Context, Context.id == Placement.context_id)
        .outerjoin(OutboxRow, OutboxRow.id == ScoreLine.row_id)
        .where(_is_shown_with(placement_id), LmsIdentity.person_id.in_(person_ids))
        .order_by(GradeColumn.id, ScoreLine.id)
    )
    rows: dict[int, list[SyncRow]] = {}
    for person_id, label, found, has_column in session.execute(query):
        row = cast("OutboxRow | None", found)  # an outer join
        # An LMS that is told final scores only has nothing of a learner who works on it.
        if row is not None or not has_column:
            rows.setdefault(person_id, []).append(_sync_row(label, row))
    return rows


def _is_shown_with(placement_id: int) -> ColumnElement[bool]:
    """Whether a column is the placement's own, or counts a stack in its course: that one belongs to another
    placement there, which not everybody who earns some of the stack has opened.
    """
    own, carrier = aliased(Placement), aliased(Placement)
    stacks = (
        select(carrier.id)
        .join(own, own.context_id == carrier.context_id)
        .where(own.id == placement_id, carrier.stack_version_id.is_not(None))
    )
    counts = and_(GradeColumn.tag == STACK, GradeColumn.placement_id.in_(stacks))
    return or_(GradeColumn.placement_id == placement_id, counts)


def cells(session: Session, row_ids: Sequence[int]) -> Mapping[int, Cell]:
    """Learner and column of those of these outbox rows that are scores, by row; of erased persons nothing."""
    found = session.execute(
        select(OutboxRow.id, OutboxRow.subject_id, OutboxRow.payload).where(
            OutboxRow.id.in_(row_ids), OutboxRow.kind == KIND
        )
    )
    rows = [row for row in found if "content" in row.payload]
    identities = {int(row.subject_id) for row in rows}
    people = session.execute(
        select(LmsIdentity.id, Person.id, Person.name)
        .join(Person, Person.id == LmsIdentity.person_id)
        .where(LmsIdentity.id.in_(identities))
    )
    names = {identity: (person_id, name or "Name not shared") for identity, person_id, name in people}
    columns = {row.payload.get("column") for row in rows}
    labels = session.execute(select(GradeColumn.id, GradeColumn.label).where(GradeColumn.id.in_(columns)))
    label_of = {row.id: row.label for row in labels}
    return {
        row.id: Cell(
            *names[int(row.subject_id)],
            column=label_of.get(row.payload.get("column"), ""),
            sent=sent_words(row.payload["content"]),
        )
        for row in rows
        if int(row.subject_id) in names
    }


def retry(
    session: Session, row_id: int, *, now: datetime, placement_id: int, over_theirs: bool = False
) -> bool:
    """Send the newest row of a cell that is shown with this placement again; False where there is nothing to
    send again.

    Where the grade was changed in the LMS (the delivery found it, or a comparison: `over_theirs`), a person
    has now decided for ours: it goes out with a new timestamp.
    """
    line = session.scalar(
        select(ScoreLine)
        .join(GradeColumn, GradeColumn.id == ScoreLine.column_id)
        .where(ScoreLine.row_id == row_id, _is_shown_with(placement_id))
    )
    if line is None:
        return False
    row = session.get_one(OutboxRow, row_id)
    arrived = row.state in ("delivered", "accepted") and score_of(row.payload["content"]) is not None
    if (over_theirs and arrived) or (row.state == "blocked" and row.reason == "conflict"):
        return write_again(session, row, line.id, now, Again.INSISTING) is not None
    try:
        outbox.retry(session, row_id, now=now)
    except outbox.RetryRefused:
        return False
    return True


def retry_stopped(session: Session, placement_id: int, *, now: datetime) -> int:
    """Send everything of a placement again that stopped; how many. What a teacher changed in the LMS stays
    as it is there."""
    rows = (
        select(ScoreLine.row_id)
        .join(GradeColumn, GradeColumn.id == ScoreLine.column_id)
        .join(OutboxRow, OutboxRow.id == ScoreLine.row_id)
        .where(
            GradeColumn.placement_id == placement_id,
            OutboxRow.reason.is_(None) | (OutboxRow.reason != "conflict"),
        )
    )
    return outbox.retry_all(session, now=now, rows=rows)


def send_again(
    session: Session, placement_id: int, *, after_line: int, limit: int, now: datetime
) -> int | None:
    """Send the scores of a placement anew, `limit` cells at a time; where to go on, None at the end.

    What the gradebook shows already is not posted again, and what a teacher changed there is left alone,
    wherever the platform lets us look.
    """
    query = (
        select(ScoreLine.id, OutboxRow)
        .join(GradeColumn, GradeColumn.id == ScoreLine.column_id)
        .outerjoin(OutboxRow, OutboxRow.id == ScoreLine.row_id)
        .where(GradeColumn.placement_id == placement_id, ScoreLine.id > after_line)
        .order_by(ScoreLine.id)
        .limit(limit)
    )
    cells = session.execute(query).all()
    for line_id, row in cells:
        settled = row is not None and row.state not in ("waiting", "held", "cancelled")
        if settled and score_of(row.payload["content"]) is not None:
            write_again(session, row, line_id, now, Again.CHECKING)
    return cells[-1].id if len(cells) == limit else None


def progress(session: Session, placement_id: int) -> Progress:
    """How far the grades of a placement are."""
    query = (
        select(OutboxRow.state, OutboxRow.reason, func.count())
        .select_from(ScoreLine)
        .join(GradeColumn, GradeColumn.id == ScoreLine.column_id)
        .join(OutboxRow, OutboxRow.id == ScoreLine.row_id)
        .where(GradeColumn.placement_id == placement_id)
        .where(OutboxRow.state.not_in(("superseded", "cancelled")))
        .group_by(OutboxRow.state, OutboxRow.reason)
    )
    counts = dict.fromkeys(("arrived", "on_the_way", "stopped", "changed", "closed"), 0)
    for state, reason, count in session.execute(query):
        if state in ("waiting", "held"):
            counts["on_the_way"] += count
        elif state in ("delivered", "accepted", "unverified"):
            counts["arrived"] += count
        elif reason in ("conflict", "course_closed"):
            counts["changed" if reason == "conflict" else "closed"] += count
        else:
            counts["stopped"] += count
    return Progress(**counts)


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
