"""When a try is looked at again, so that its decision is not late: one row of the outbox a try.

What is done then is in `watching`; this knows only the times. Shares are of the time from sending in to the
day of the decision that the teacher was told.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from microcred import outbox
from microcred.credentials.models import Attempt

KIND = "review_watch"
REASSIGN_AT = 0.6
"""Share of a reviewer's time after which work they have not begun goes to somebody else."""
TAKE_OVER_AT = 0.8
"""Share after which begun work that rests goes to somebody else."""
ANNOUNCE_AT = 0.9
"""Share of the teacher's time after which a new day is announced."""
RESTS_AFTER = timedelta(hours=24)
SOONEST = timedelta(minutes=30)
"""Nothing is looked at more often."""


def plan(
    session: Session, attempt: Attempt, since: datetime, now: datetime, at: datetime | None = None
) -> None:
    """Plan the next look; `since` is when the time until the decision began."""
    outbox.add(
        session,
        kind=KIND,
        destination="local",
        order_key=f"{KIND}:{attempt.id}",
        subject=("attempt", str(attempt.id)),
        payload={"attempt": attempt.id, "since": since.isoformat()},
        now=now,
        due_at=at or now,
    )


def share(since: datetime, until: datetime, part: float) -> datetime:
    """The moment at which `part` of the time between has passed."""
    return since + (until - since) * part
