"""The audit trail: one function that adds an event, in the transaction of what it records."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from microcred.people.models import AuditEvent


def record(
    session: Session,
    *,
    at: datetime,
    actor_id: int | None,
    action: str,
    subject: tuple[str, int | str],
    before: str | None = None,
    after: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add one audit event.

    `action` is a dotted verb such as `attempt.submit`; `subject` is (table, id); `detail` holds facts without
    personal data. `actor_id` is None where the system acted by itself.
    """
    subject_type, subject_id = subject
    session.add(
        AuditEvent(
            at=at,
            actor_id=actor_id,
            action=action,
            subject_type=subject_type,
            subject_id=str(subject_id),
            before=before,
            after=after,
            detail=detail or {},
        )
    )
