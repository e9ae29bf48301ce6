"""The audit trail: one function that adds an event, in the transaction of what it records."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.people.models import AuditEvent


def was_recorded(
    session: Session, *, actor_id: int, action: str, subject: tuple[str, int | str], since: datetime
) -> bool:
    """Whether the actor did this to the thing since a moment."""
    found = session.scalar(
        select(AuditEvent.id)
        .where(
            AuditEvent.subject_type == subject[0],
            AuditEvent.subject_id == str(subject[1]),
            AuditEvent.actor_id == actor_id,
            AuditEvent.action == action,
            AuditEvent.at >= since,
        )
        .limit(1)
    )
    return found is not None


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
