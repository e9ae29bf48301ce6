"""A learner's cells in the gradebook columns of a placement, and writing scores for them into the outbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from grade_passback.models import ScoreLine
from grade_passback.scores import Score, ScoreDraft, score_of
from grade_passback.wire import SCOPES, SCORE_SCOPE, content_of, next_stamp, score_body
from lti_tool.dialects import Dialect
from lti_tool.facts import COLUMNS, RegistrationFacts
from lti_tool.models import Context, Deployment, Launch, Registration
from lti_tool.registrations import destination_of
from microcred import outbox
from microcred.outbox import OutboxRow
from microcred.people.models import LmsIdentity
from microcred.placements import STACK, GradeColumn, Placement

KIND = "score"
_DONE = ("delivered", "accepted", "unverified")
_STANDING = ("waiting", "held", *_DONE)
_STUCK = ("blocked", "dead")


@dataclass(frozen=True)
class _Learner:
    """Whose gradebook cell: as the platform names them, with the line item of their own newest launch."""

    identity_id: int
    sub: str
    lineitem_url: str | None
    is_test_user: bool


@dataclass(frozen=True)
class Course:
    """Where the scores go."""

    registration: RegistrationFacts
    columns: Sequence[GradeColumn]
    lineitems_url: str | None
    scopes: tuple[str, ...]

    @property
    def destination(self) -> str:
        return destination_of(self.registration.row_id)


@dataclass(frozen=True)
class _Cell:
    """One learner in one column, locked, with the outbox rows of its past, newest first."""

    line: ScoreLine
    order_key: str
    history: Sequence[OutboxRow]

    @property
    def newest(self) -> OutboxRow | None:
        """The newest row that was not given up."""
        return next((row for row in self.history if row.state not in ("superseded", "cancelled")), None)

    @property
    def score(self) -> Score | None:
        """The newest number that was sent or may yet be."""
        for row in self.history:
            score = score_of(row.payload["content"])
            if row.state in (*_STANDING, *_STUCK) and score is not None:
                return score
        return None

    @property
    def delivered(self) -> Mapping[str, Any] | None:
        """What the gradebook shows as far as we know."""
        return next((row.payload["content"] for row in self.history if row.state in _DONE), None)

    @property
    def comment(self) -> str | None:
        """The newest comment that was delivered; scores after it may have gone without one."""
        contents = (row.payload["content"] for row in self.history if row.state in _DONE)
        return next((content["comment"] for content in contents if "comment" in content), None)


class Gradebook:
    """One learner's cells in the columns of a placement, locked until the transaction ends."""

    def __init__(
        self,
        session: Session,
        course: Course,
        learner: _Learner,
        columns: Sequence[GradeColumn],
        now: datetime,
    ) -> None:
        self._session = session
        self._course = course
        self._learner = learner
        self._now = now
        self._columns = {column.tag: column for column in columns}
        self._cells = {
            tag: _cell(session, column, course, learner, now) for tag, column in self._columns.items()
        }

    @classmethod
    def of(
        cls, session: Session, placement: Placement, person_id: int, now: datetime, *, stack: bool = False
    ) -> "Gradebook | None":
        """The columns of the credential, or with `stack` the one that counts a stack. None for a person whom
        no launch has named to this platform, and for an LMS test user: they get no grades."""
        course = course_of(session, placement)
        learner = _learner(session, placement, person_id, course.registration.row_id)
        if learner is None or learner.is_test_user:
            return None
        columns = [column for column in course.columns if (column.tag == STACK) is stack]
        return cls(session, course, learner, columns, now)

    @property
    def dialect(self) -> Dialect:
        """How the platform differs."""
        return self._course.registration.dialect

    @property
    def tags(self) -> list[str]:
        """The columns there are, the link's own first."""
        return list(self._columns)

    @property
    def scores(self) -> dict[str, Score]:
        """The newest number of each column that was sent or may yet be."""
        return {tag: cell.score for tag, cell in self._cells.items() if cell.score is not None}

    def write(self, draft: ScoreDraft, moment: str) -> OutboxRow | None:
        """One row for one draft; None where there is nothing new to send, or no column to send it to."""
        column, cell = self._columns[draft.tag], self._cells[draft.tag]
        return _write(self._session, self._course, self._learner, column, cell, draft, moment, self._now)


class Again(StrEnum):
    """Why a score goes out once more, with a later timestamp."""

    RESTAMPED = "restamped"
    """The platform called the first one too old; a second such answer is for a person."""
    INSISTING = "insisting"
    """A person wants ours to stand over what the LMS has: the platform's grade is not looked at."""
    CHECKING = "checking"
    """Everything is sent anew: what stands there already is not repeated, what a teacher changed is left."""


def write_again(
    session: Session, row: OutboxRow | None, line_id: int, now: datetime, why: Again
) -> OutboxRow | None:
    """One more row with the content of `row` and a later timestamp, if `row` is still the newest of its
    cell."""
    line = session.get_one(ScoreLine, line_id, with_for_update=True, populate_existing=True)
    if row is None or line.row_id != row.id:
        return None
    stamp, content = next_stamp(now, line.last_stamp), row.payload["content"]
    changes: dict[str, Any] = {"restamped": why is Again.RESTAMPED, "again": why is Again.CHECKING}
    if why is not Again.RESTAMPED:
        changes["read_first"] = content if why is Again.CHECKING else None
    again = outbox.add(
        session,
        kind=row.kind,
        destination=row.destination,
        order_key=row.order_key,
        subject=(row.subject_type, row.subject_id),
        payload={**row.payload, "body": score_body(row.payload["sub"], stamp, content), **changes},
        now=now,
    )
    line.last_stamp, line.row_id = stamp, again.id
    return again


def course_of(session: Session, placement: Placement) -> Course:
    """Where the scores of a placement go."""
    registration = session.execute(
        select(*COLUMNS)
        .join(Deployment, Deployment.registration_id == Registration.id)
        .where(Deployment.id == placement.deployment_id)
    ).one()
    columns = session.scalars(
        select(GradeColumn).where(GradeColumn.placement_id == placement.id).order_by(GradeColumn.id)
    ).all()
    context = session.get(Context, placement.context_id) if placement.context_id is not None else None
    offered = context.ags_scopes if context is not None else []
    return Course(
        RegistrationFacts.of(registration),
        columns,
        context.lineitems_url if context is not None else None,
        tuple(scope for scope in SCOPES if scope in offered) if offered else (SCORE_SCOPE,),
    )


def _learner(session: Session, placement: Placement, person_id: int, registration_id: int) -> _Learner | None:
    """The person as their newest launch of this link names them, else by any identity of this platform."""
    launch = session.execute(
        select(Launch.identity_id, Launch.lineitem_url)
        .where(Launch.person_id == person_id, Launch.resource_link_id == placement.resource_link_id)
        .order_by(Launch.lineitem_url.is_(None), Launch.id.desc())
        .limit(1)
    ).first()
    identities = select(LmsIdentity).order_by(LmsIdentity.id.desc()).limit(1)
    identity = session.scalar(
        identities.where(LmsIdentity.id == launch.identity_id)
        if launch is not None
        else identities.where(
            LmsIdentity.person_id == person_id, LmsIdentity.registration_id == registration_id
        )
    )
    if identity is None:
        return None
    own = launch.lineitem_url if launch is not None else None
    return _Learner(identity.id, identity.sub, own, identity.is_test_user)


def _cell(session: Session, column: GradeColumn, course: Course, learner: _Learner, now: datetime) -> _Cell:
    """The cell, locked. Rows first, then the line: a worker that writes a result has its row and then
    wants the line."""
    order_key = f"{KIND}:{course.registration.row_id}:{column.id}:{learner.identity_id}"
    past = (
        select(OutboxRow)
        .where(OutboxRow.order_key == order_key)
        .order_by(OutboxRow.id.desc())
        .limit(20)
        .execution_options(populate_existing=True)
    )
    session.execute(past.with_for_update())
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(ScoreLine)
        .values(column_id=column.id, identity_id=learner.identity_id, created_at=now)
        .on_conflict_do_nothing()
    )
    line = session.scalars(
        select(ScoreLine)
        .where(ScoreLine.column_id == column.id, ScoreLine.identity_id == learner.identity_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    # The link's own line item is its first column's; the learner's own launch knows best (linked sections).
    if learner.lineitem_url and column is course.columns[0]:
        line.lineitem_url = learner.lineitem_url
    return _Cell(line, order_key, session.scalars(past).all())


def _write(
    session: Session,
    course: Course,
    learner: _Learner,
    column: GradeColumn,
    cell: _Cell,
    draft: ScoreDraft,
    moment: str,
    now: datetime,
) -> OutboxRow | None:
    """One row for one draft; None where there is nothing to send or nowhere to send it."""
    url = cell.line.lineitem_url or column.lineitem_url
    if url is None and course.lineitems_url is None:
        return None
    dialect = course.registration.dialect
    content, before = content_of(draft), cell.delivered
    if dialect.comment == "when_changed" and content.get("comment") == cell.comment:
        content.pop("comment", None)
    correction = before is not None and "scoreGiven" in before
    content = dialect.shape_score(content, moment, correction)
    if _is_known(session, cell, content, dialect.only_changes, now):
        return None
    stamp = next_stamp(now, cell.line.last_stamp)
    row = outbox.add(
        session,
        kind=KIND,
        destination=course.destination,
        order_key=cell.order_key,
        subject=("lms_identity", str(learner.identity_id)),
        payload={
            "body": score_body(learner.sub, stamp, content),
            "content": content,
            "sub": learner.sub,
            "registration": course.registration.row_id,
            "scopes": list(course.scopes),
            "line": cell.line.id,
            "column": column.id,
            "url": url,
            "read_first": before if correction and dialect.reads_before_correcting else None,
        },
        now=now,
        due_at=draft.not_before,
        supersede=draft.not_before is None,
    )
    cell.line.last_stamp, cell.line.row_id = stamp, row.id
    return row


def _is_known(
    session: Session, cell: _Cell, content: Mapping[str, Any], only_changes: bool, now: datetime
) -> bool:
    """Whether this very update stands there or is on its way; one that got stuck is sent again instead of
    a new one."""
    newest = cell.newest
    if newest is None or newest.payload["content"] != content:
        before = cell.delivered
        unsent = newest is not None and newest.state in ("waiting", "held")
        parts = ("scoreGiven", "scoreMaximum", "comment")
        same = before is not None and all(before.get(part) == content.get(part) for part in parts)
        return only_changes and same and not unsent
    if newest.state in _STUCK:
        outbox.retry(session, newest.id, now=now)
    return True
