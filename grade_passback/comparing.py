"""Reading what the gradebook shows now, on demand, to tell people where somebody changed a grade there.

Nothing is written: a grade that was changed in the LMS is shown, not fought.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import select
from sqlalchemy.orm import Session

from grade_passback.ags import Callers, Refused, Result, Unreadable, results_of
from grade_passback.models import ScoreLine
from grade_passback.scores import Score, score_of
from grade_passback.wire import RESULT_SCOPE
from lti_tool.facts import COLUMNS, RegistrationFacts
from lti_tool.models import Registration
from microcred.outbox import OutboxRow
from microcred.people.models import LmsIdentity
from microcred.placements import GradeColumn

_SECONDS = 15.0
"""No further request is begun after so long: a person waits for the page."""
_COMPARABLE = ("delivered", "accepted", "unverified", "blocked")


@dataclass(frozen=True)
class SentCell:
    """A cell whose newest score was sent."""

    row_id: int
    sub: str
    url: str
    sent: Score
    scopes: tuple[str, ...]
    registration_id: int


@dataclass(frozen=True)
class Sent:
    """Everything a comparison needs; read in a transaction, compared outside any."""

    cells: Sequence[SentCell]
    registrations: Mapping[int, RegistrationFacts]


@dataclass(frozen=True)
class Compared:
    """What the gradebook shows, by outbox row: None is an empty cell. `unread`: columns that could not be
    read."""

    shown: Mapping[int, Score | None]
    changed: frozenset[int]
    """Outbox rows whose cell shows something else than was sent."""
    unread: int


def sent_cells(session: Session, placement_id: int, person_ids: Sequence[int]) -> Sent:
    """The cells of these persons in a placement that can be compared."""
    query = (
        select(
            OutboxRow.id, OutboxRow.payload, ScoreLine.lineitem_url, GradeColumn.lineitem_url.label("column")
        )
        .select_from(ScoreLine)
        .join(GradeColumn, GradeColumn.id == ScoreLine.column_id)
        .join(LmsIdentity, LmsIdentity.id == ScoreLine.identity_id)
        .join(OutboxRow, OutboxRow.id == ScoreLine.row_id)
        .where(
            GradeColumn.placement_id == placement_id,
            LmsIdentity.person_id.in_(person_ids),
            OutboxRow.state.in_(_COMPARABLE),
        )
        .order_by(OutboxRow.id)
    )
    cells = []
    for row in session.execute(query):
        url, sent = row.lineitem_url or row.column, score_of(row.payload["content"])
        if url is not None and sent is not None:
            payload = row.payload
            scopes = tuple(payload["scopes"])
            cells.append(SentCell(row.id, payload["sub"], url, sent, scopes, payload["registration"]))
    wanted = {cell.registration_id for cell in cells}
    found = session.execute(select(*COLUMNS).where(Registration.id.in_(wanted)))
    facts = [RegistrationFacts.of(row) for row in found]
    return Sent(cells, {one.row_id: one for one in facts})


def compare(callers: Callers, sent: Sent) -> Compared:
    """Ask the platforms. Costs a request a column and page, and at most some seconds; never raises."""
    shown: dict[int, Score | None] = {}
    changed: set[int] = set()
    unread = 0
    until = monotonic() + _SECONDS
    for url, cells in _by_column(sent.cells).items():
        facts = sent.registrations.get(cells[0].registration_id)
        if facts is None or not facts.is_approved or RESULT_SCOPE not in cells[0].scopes:
            unread += 1
            continue
        try:
            subs = {cell.sub for cell in cells}
            results = results_of(callers.caller_for(facts), url, subs, cells[0].scopes, until)
        except (Refused, Unreadable):
            unread += 1
            continue
        for cell in cells:
            result = results.get(cell.sub, Result(None, 1.0))
            given = result.given
            shown[cell.row_id] = None if given is None else Score(max(given, 0.0), result.maximum)
            if not result.shows(cell.sent):
                changed.add(cell.row_id)
    return Compared(shown, frozenset(changed), unread)


def _by_column(cells: Iterable[SentCell]) -> Mapping[str, list[SentCell]]:
    columns: dict[str, list[SentCell]] = {}
    for cell in cells:
        columns.setdefault(cell.url, []).append(cell)
    return columns
