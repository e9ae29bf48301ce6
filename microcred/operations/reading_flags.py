"""Flags that reviewers put on a try, as the issuer reads them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.models import Attempt
from microcred.credentials.review_models import ReviewFlag

KINDS = {
    "copying": "It looks copied, or written by a machine",
    "unreadable": "Something cannot be opened or read",
    "concern": "Something worries me about a child or the teacher",
}
"""Kinds of flags in words; what shows who somebody is has a flag of its own (`privacy_flagging`)."""


@dataclass(frozen=True)
class Flag:
    """A flag as the issuer sees it."""

    id: int
    words: str
    detail: str
    raised_at: datetime
    settled: bool


def flags_of(session: Session, attempt: Attempt) -> tuple[Flag, ...]:
    """The flags of a try, oldest first, for somebody whose right has been checked."""
    rows = session.scalars(
        select(ReviewFlag).where(ReviewFlag.attempt_id == attempt.id).order_by(ReviewFlag.id)
    )
    return tuple(
        Flag(row.id, KINDS[row.kind], row.detail, row.raised_at, row.settled_at is not None) for row in rows
    )
