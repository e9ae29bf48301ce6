"""What reviewing and deciding share: facts for the workflow, and its refusals as this floor says them."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.errors import Refused
from microcred.credentials.models import Attempt, Decision
from microcred.credentials.passing import Outcome
from microcred.credentials.steps import Action, State
from microcred.credentials.workflow import Facts, Party, Plan, plan
from microcred.operations.errors import OperationRefused
from microcred.operations.reading_review import canonical_owner
from microcred.people import canonical_ids

LONGEST_TEXT = 4000
"""Characters of a comment, a note or a reason."""


def facts(
    session: Session,
    attempt: Attempt,
    *,
    reviewer_ids: Iterable[int],
    outcome: Outcome | None = None,
    uncommented: int = 0,
    reason: str = "",
) -> Facts:
    """What the workflow asks about a try that is reviewed or decided."""
    deciders = session.scalars(select(Decision.decided_by_id).where(Decision.attempt_id == attempt.id))
    return Facts(
        state=State(attempt.state),
        owner_id=canonical_owner(session, attempt),
        reviewer_ids=canonical_ids(session, list(reviewer_ids)),
        decider_ids=canonical_ids(session, deciders.all()),
        outcome=outcome,
        uncommented=uncommented,
        reason=reason,
        tries=attempt.number,
    )


def planned(about: Facts, action: Action, by: Party) -> Plan:
    """The plan of an allowed action. Raises OperationRefused with the workflow's code and words."""
    try:
        return plan(about, action, by)
    except Refused as refused:
        raise OperationRefused(refused.code, refused.message) from refused


def clean(text: str) -> str:
    """Text as it is kept: trimmed, one kind of line end, no NUL (PostgreSQL stores none).

    Raises OperationRefused.
    """
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if len(text) > LONGEST_TEXT:
        raise OperationRefused(
            "text_too_long",
            f"That text has {len(text):,} characters and {LONGEST_TEXT:,} fit. "
            "It was not saved; shorten it and save again.",
        )
    return text
