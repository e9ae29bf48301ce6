"""The comment bank: comments that a reviewer keeps for a point and uses again; each has their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from microcred.credentials.models import Rating
from microcred.credentials.review_models import SavedComment
from microcred.operations.access import Access, require
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.judging import clean
from microcred.operations.reading_review import find_attempt, review_of

MOST = 20
"""Comments kept for one point."""


@dataclass(frozen=True)
class Kept:
    """A comment of the bank."""

    id: int
    body: str


def bank(session: Session, actor: Actor, public_id: str) -> Mapping[str, tuple[Kept, ...]]:
    """The actor's comments for the points of a try's credential, by criterion id. Raises NotFound."""
    attempt = find_attempt(session, public_id)
    rows = session.scalars(
        select(SavedComment)
        .where(
            SavedComment.reviewer_id.in_(actor.person_ids),
            SavedComment.credential_id == attempt.pursuit.version.credential_id,
        )
        .order_by(SavedComment.id)
    )
    found: dict[str, tuple[Kept, ...]] = {}
    for row in rows:
        found[row.criterion_id] = (*found.get(row.criterion_id, ()), Kept(row.id, row.body))
    return found


def keep(session: Session, actor: Actor, public_id: str, criterion_id: str, now: datetime) -> None:
    """Keep what the actor wrote for a point; the same words once. Raises NotFound, NotAllowed,
    OperationRefused (`nothing_written`, `bank_full`).
    """
    rating = _rating(session, actor, public_id, criterion_id)
    if rating is None or not rating.comment.strip():
        raise OperationRefused("nothing_written", "Write a comment first, then keep it.")
    credential_id = find_attempt(session, public_id).pursuit.version.credential_id
    mine = (
        SavedComment.reviewer_id.in_(actor.person_ids),
        SavedComment.credential_id == credential_id,
        SavedComment.criterion_id == criterion_id,
    )
    same = select(SavedComment.id).where(*mine, SavedComment.body == rating.comment).limit(1)
    if session.scalar(same) is not None:
        return
    if (session.scalar(select(func.count()).select_from(SavedComment).where(*mine)) or 0) >= MOST:
        raise OperationRefused("bank_full", f"You keep {MOST} comments here. Drop one, then keep this one.")
    session.add(
        SavedComment(
            reviewer_id=actor.own_id,
            credential_id=credential_id,
            criterion_id=criterion_id,
            body=rating.comment,
            created_at=now,
        )
    )
    session.flush()


def use(session: Session, actor: Actor, public_id: str, saved_id: int) -> tuple[str, str]:
    """A kept comment put behind what the point says already: criterion id and the whole text.

    Raises NotFound, NotAllowed, OperationRefused (`text_too_long`).
    """
    saved = _saved(session, actor, saved_id)
    rating = _rating(session, actor, public_id, saved.criterion_id)
    before = rating.comment.strip() if rating is not None else ""
    return saved.criterion_id, clean(f"{before}\n\n{saved.body}" if before else saved.body)


def drop(session: Session, actor: Actor, saved_id: int) -> str:
    """Forget a kept comment; the criterion it was for. Raises NotFound."""
    saved = _saved(session, actor, saved_id)
    session.execute(delete(SavedComment).where(SavedComment.id == saved.id))
    return saved.criterion_id


def _saved(session: Session, actor: Actor, saved_id: int) -> SavedComment:
    found = session.scalar(
        select(SavedComment).where(
            SavedComment.id == saved_id, SavedComment.reviewer_id.in_(actor.person_ids)
        )
    )
    if found is None:
        raise NotFound("no_such_comment", "This comment is not among those you keep.")
    return found


def _rating(session: Session, actor: Actor, public_id: str, criterion_id: str) -> Rating | None:
    attempt = find_attempt(session, public_id)
    require(session, actor, attempt, Access.RATE)
    review = review_of(session, actor, attempt)
    assert review is not None  # what `require` has just established
    return session.scalar(
        select(Rating).where(Rating.review_id == review.id, Rating.criterion_id == criterion_id)
    )
