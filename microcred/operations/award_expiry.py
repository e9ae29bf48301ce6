"""When an award expires: one row of the outbox for each, written with it. What happens is in `awards`."""

from datetime import datetime

from sqlalchemy.orm import Session

from microcred import outbox
from microcred.credentials.models import Award

KIND = "award_expiry"


def plan(session: Session, award: Award, now: datetime) -> None:
    """Look at the award again when its time is over; nothing for one that does not expire."""
    if award.valid_until is None:
        return
    outbox.add(
        session,
        kind=KIND,
        destination="local",
        order_key=f"{KIND}:{award.id}",
        subject=("award", str(award.id)),
        payload={"award": award.id},
        now=now,
        due_at=award.valid_until,
    )
