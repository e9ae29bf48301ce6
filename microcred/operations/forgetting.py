"""What erasing a person does to the words and papers around reviewing."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from microcred.credentials.models import Attempt, Pursuit
from microcred.credentials.review_models import (
    Anchor,
    Appeal,
    CalibrationRating,
    CalibrationRound,
    ReviewerPoolMember,
    ReviewFlag,
    SavedComment,
    TeacherRequest,
)


def forget_reviewing(session: Session, person_ids: Collection[int], now: datetime) -> None:
    """Remove appeals, requests, places in pools, kept comments and flags' words; work of theirs is used for
    practice no more.

    A round of practice that is under way with such work is taken back: its reviewer starts another one.
    """
    pursuits = select(Pursuit.id).where(Pursuit.person_id.in_(person_ids))
    tries = select(Attempt.id).where(Attempt.pursuit_id.in_(pursuits))
    anchors = session.scalars(select(Anchor).where(Anchor.attempt_id.in_(tries))).all()
    for anchor in anchors:
        anchor.retired_at, anchor.reasons = anchor.retired_at or now, {}
    _take_rounds_back(session, anchors)
    for statement in (
        delete(Appeal).where(Appeal.attempt_id.in_(tries)),
        delete(TeacherRequest).where(TeacherRequest.pursuit_id.in_(pursuits)),
        delete(ReviewerPoolMember).where(ReviewerPoolMember.person_id.in_(person_ids)),
        delete(SavedComment).where(SavedComment.reviewer_id.in_(person_ids)),
        update(ReviewFlag).where(ReviewFlag.attempt_id.in_(tries)).values(detail=""),
    ):
        session.execute(statement.execution_options(synchronize_session=False))


def _take_rounds_back(session: Session, anchors: Collection[Anchor]) -> None:
    gone = {anchor.id for anchor in anchors}
    rounds = session.scalars(
        select(CalibrationRound).where(
            CalibrationRound.credential_id.in_({anchor.credential_id for anchor in anchors}),
            CalibrationRound.finished_at.is_(None),
        )
    )
    for row in rounds.all():
        if gone & set(row.anchor_ids):
            session.execute(delete(CalibrationRating).where(CalibrationRating.round_id == row.id))
            session.delete(row)
    session.flush()
