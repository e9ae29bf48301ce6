"""What teachers were promised, and what became of it: read from the audit trail, days counted here anew."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.models import Attempt
from microcred.people.models import AuditEvent
from tests.term import plan

DECISION_DAYS, APPEAL_DAYS, MORE_DAYS = 5, 10, 2
"""Business days: to a decision, to the answer to an appeal, and what is added when a day slips."""
_BEGINS = {"try_submitted": DECISION_DAYS, "appeal_opened": APPEAL_DAYS}
DECIDED = frozenset({"try_awarded", "try_denied", "revisions_requested", "appeal_won", "appeal_lost"})
_TAKEN_BACK = frozenset(
    {
        "try_withdrawn",
        "try_returned_incomplete",
        "try_returned_for_privacy",
        "try_returned_for_permission",
        "try_closed",
    }
)


@dataclass
class Promise:
    """From sending in, or from an appeal, to the decision about it."""

    attempt_id: int
    is_appeal: bool
    begun: datetime
    days: list[datetime]
    """The day that was promised first, and each that was announced later."""
    announced: list[datetime] = field(default_factory=list)
    """When each later day was announced."""
    ended: datetime | None = None
    decided: str | None = None
    """The audit name of the decision; None while it is open, and where the work went back."""
    stored: datetime | None = None
    """The day as the database has it, of the newest promise that was not taken back."""

    @property
    def turnaround(self) -> timedelta | None:
        """How long the decision took."""
        return self.ended - self.begun if self.ended is not None and self.decided is not None else None


def promises(session: Session) -> list[Promise]:
    """Every promise, by try and time."""
    rows = session.execute(select(Attempt.id, Attempt.decision_due_at))
    stored = {row[0]: row[1] for row in rows}
    events: dict[int, list[AuditEvent]] = {}
    for event in session.scalars(
        select(AuditEvent).where(AuditEvent.subject_type == "attempt").order_by(AuditEvent.id)
    ):
        events.setdefault(int(event.subject_id), []).append(event)
    found: list[Promise] = []
    for attempt_id, told in events.items():
        here = list(_promises_of(attempt_id, told))
        if here and (here[-1].ended is None or here[-1].decided is not None):
            here[-1].stored = stored[attempt_id]
        found += here
    return found


def _promises_of(attempt_id: int, events: list[AuditEvent]) -> Iterator[Promise]:
    standing: Promise | None = None
    for event in events:
        if event.action in _BEGINS:
            day = end_of_business_day(event.at, _BEGINS[event.action])
            standing = Promise(attempt_id, event.action == "appeal_opened", event.at, [day])
        elif standing is None:
            continue
        elif event.action == "decision_delayed":
            standing.announced.append(event.at)
            standing.days.append(end_of_business_day(max(event.at, standing.days[-1]), MORE_DAYS))
        elif event.action in DECIDED or event.action in _TAKEN_BACK:
            standing.ended = event.at
            standing.decided = event.action if event.action in DECIDED else None
            yield standing
            standing = None
    if standing is not None:
        yield standing


def end_of_business_day(moment: datetime, days: int) -> datetime:
    """The last second of the `days`-th day on which people work, after the day of `moment`."""
    day = moment.astimezone(plan.ZONE).date()
    while days:
        day += timedelta(days=1)
        days -= plan.school_day(day)
    return datetime.combine(day, time(23, 59, 59), plan.ZONE).astimezone(UTC)
