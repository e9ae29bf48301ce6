"""Who is calibrated for which credential: what decides whether a reviewer gets its work."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from microcred.credentials.models import Credential
from microcred.credentials.review_models import Anchor, CalibrationRound
from microcred.people import policies


def needs_calibration(session: Session, issuer_id: int) -> frozenset[int]:
    """Credentials of the issuer that ask for it: those with enough anchors for a round."""
    least = policies.reviewing_of(session, issuer_id).calibration_anchors
    return frozenset(
        session.scalars(
            select(Anchor.credential_id)
            .join(Credential, Credential.id == Anchor.credential_id)
            .where(Credential.issuer_id == issuer_id, Anchor.retired_at.is_(None))
            .group_by(Anchor.credential_id)
            .having(func.count() >= least)
        )
    )


def not_calibrated(
    session: Session,
    humans: Mapping[int, Collection[int]],
    credential_id: int,
    issuer_id: int,
    now: datetime,
) -> frozenset[int]:
    """Those of `humans` (canonical id to all ids) who may not read the credential yet, or not any more."""
    if credential_id not in needs_calibration(session, issuer_id):
        return frozenset()
    persons = [person for ids in humans.values() for person in ids]
    good = set(
        session.scalars(
            select(CalibrationRound.reviewer_id).where(
                CalibrationRound.credential_id == credential_id,
                CalibrationRound.reviewer_id.in_(persons),
                CalibrationRound.valid_until > now,
            )
        )
    )
    return frozenset(human for human, ids in humans.items() if not good & set(ids))


def closed_credentials(
    session: Session, person_ids: Collection[int], issuer_ids: Collection[int], now: datetime
) -> frozenset[int]:
    """Credentials of these issuers that a human, known by these ids, may not take work of now."""
    wanted = frozenset[int]().union(*(needs_calibration(session, issuer_id) for issuer_id in issuer_ids))
    if not wanted:
        return wanted
    good = session.scalars(
        select(CalibrationRound.credential_id).where(
            CalibrationRound.credential_id.in_(wanted),
            CalibrationRound.reviewer_id.in_(person_ids),
            CalibrationRound.valid_until > now,
        )
    )
    return wanted - frozenset(good)
