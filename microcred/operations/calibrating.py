"""Practice for reviewers: rounds of anchors with agreed ratings.

A round passes with enough exact agreement (80 % unless the issuer says otherwise) and lets its reviewer in
for a time. Anchors are read without a name, under one of their own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.agreement import exact
from microcred.credentials.definition import Definition
from microcred.credentials.due import add_months
from microcred.credentials.errors import NotInCatalogue
from microcred.credentials.models import Attempt, Credential, Pursuit
from microcred.credentials.review_models import Anchor, CalibrationRating, CalibrationRound
from microcred.operations.actor import Actor
from microcred.operations.assigning import Chance
from microcred.operations.errors import NotFound
from microcred.operations.reading_calibration import anchors_of, given_in, round_of, to_practise, work_of
from microcred.operations.reading_work import PartWork, read_work
from microcred.people import audit, policies


@dataclass(frozen=True)
class Sheet:
    """One anchor of a round, to be rated: its work under a name of its own."""

    round_id: str
    anchor_id: str
    attempt_public_id: str
    """Under which its evidence is opened."""
    name: str
    """`Practice 2 of 3`."""
    definition: Definition
    parts: tuple[PartWork, ...]
    given: Mapping[str, str]
    """Level by criterion id, as far as given."""
    neighbours: tuple[tuple[str, bool], ...]
    """Every anchor of the round in order: public id, and whether it is rated in full."""


def begin(session: Session, actor: Actor, credential_key: str, now: datetime, chance: Chance) -> str:
    """Start a round, or go on with the open one; its public id. Anchors are drawn by `chance`, those that the
    actor met least often first. Raises NotFound.
    """
    credential = session.scalar(select(Credential).where(Credential.key == credential_key))
    if credential is None or credential.id not in to_practise(session, actor):
        raise NotFound("no_practice", "There is no practice for this credential.")
    mine = session.scalars(
        select(CalibrationRound).where(
            CalibrationRound.credential_id == credential.id,
            CalibrationRound.reviewer_id.in_(actor.person_ids),
        )
    ).all()
    under_way = next((one for one in mine if one.finished_at is None), None)
    if under_way is not None:
        return under_way.public_id
    met = Counter(anchor_id for one in mine for anchor_id in one.anchor_ids)
    anchors = session.scalars(
        select(Anchor.id)
        .join(Attempt, Attempt.id == Anchor.attempt_id)
        .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
        .where(
            Anchor.credential_id == credential.id,
            Anchor.retired_at.is_(None),
            Pursuit.person_id.not_in(actor.person_ids),  # nobody's own work, not even for practice
        )
        .order_by(Anchor.id)
    ).all()
    size = policies.reviewing_of(session, credential.issuer_id).calibration_anchors
    drawn = sorted(anchors, key=lambda anchor_id: (met[anchor_id], chance()))[:size]
    made = CalibrationRound(
        reviewer_id=actor.own_id, credential_id=credential.id, anchor_ids=drawn, started_at=now
    )
    session.add(made)
    session.flush()
    _record(session, actor, "calibration_started", made, now)
    return made.public_id


def sheet(session: Session, actor: Actor, round_id: str, anchor_id: str | None = None) -> Sheet:
    """An anchor of an open round; without a name, the first that is not rated in full. Raises NotFound."""
    row = round_of(session, actor, round_id)
    if row.finished_at is not None:
        raise NotFound("round_finished", "This round is finished.")
    anchors = anchors_of(session, row)
    given = given_in(session, row)
    whole = [all(given.get((one.id, key)) for key in one.agreed) for one in anchors]
    if anchor_id is None:
        number = next((place for place, done in enumerate(whole) if not done), 0)
    else:
        number = next((place for place, one in enumerate(anchors) if one.public_id == anchor_id), -1)
    if number < 0:
        raise NotFound("no_such_anchor", "There is no such page in this round.")
    anchor = anchors[number]
    attempt, definition = work_of(session, anchor)
    return Sheet(
        round_id=round_id,
        anchor_id=anchor.public_id,
        attempt_public_id=attempt.public_id,
        name=f"Practice {number + 1} of {len(anchors)}",
        definition=definition,
        parts=read_work(session, attempt, definition),
        given={key: level for (which, key), level in given.items() if which == anchor.id},
        neighbours=tuple((one.public_id, done) for one, done in zip(anchors, whole, strict=True)),
    )


def rate(
    session: Session, actor: Actor, round_id: str, anchor_id: str, levels: Mapping[str, str], now: datetime
) -> bool:
    """Keep levels for one anchor; True once the round is finished by it. Raises NotFound for an unknown
    anchor, point or level.
    """
    row = round_of(session, actor, round_id)
    if row.finished_at is not None:
        return True
    anchors = anchors_of(session, row)
    anchor = next((one for one in anchors if one.public_id == anchor_id), None)
    if anchor is None:
        raise NotFound("no_such_anchor", "There is no such page in this round.")
    _, definition = work_of(session, anchor)
    kept = {
        one.criterion_id: one
        for one in session.scalars(
            select(CalibrationRating).where(
                CalibrationRating.round_id == row.id, CalibrationRating.anchor_id == anchor.id
            )
        )
    }
    for criterion_id, level in levels.items():
        _check_level(definition, criterion_id, level)
        if criterion_id not in anchor.agreed:
            continue
        if criterion_id in kept:
            kept[criterion_id].level = level
        else:
            session.add(
                CalibrationRating(
                    round_id=row.id, anchor_id=anchor.id, criterion_id=criterion_id, level=level
                )
            )
    session.flush()
    return _settle(session, actor, row, anchors, now)


def _settle(
    session: Session, actor: Actor, row: CalibrationRound, anchors: Sequence[Anchor], now: datetime
) -> bool:
    """Compare once everything is rated."""
    given = given_in(session, row)
    if not all(given.get((one.id, key)) for one in anchors for key in one.agreed):
        return False
    counts = [
        exact(one.agreed, {key: level for (which, key), level in given.items() if which == one.id})
        for one in anchors
    ]
    issuer_id = session.get_one(Credential, row.credential_id).issuer_id
    rules = policies.reviewing_of(session, issuer_id)
    row.agreed, row.compared = sum(same for same, _ in counts), sum(points for _, points in counts)
    row.finished_at = now
    row.passed = row.agreed * 100 >= rules.calibration_percent * row.compared
    row.valid_until = add_months(now, rules.calibration_months) if row.passed else None
    session.flush()
    _record(session, actor, "calibration_passed" if row.passed else "calibration_not_passed", row, now)
    return True


def _check_level(definition: Definition, criterion_id: str, level: str) -> None:
    try:
        definition.level(definition.criterion(criterion_id)[1], level)
    except NotInCatalogue as unknown:
        raise NotFound(
            unknown.code, "There is no such point or level here; nothing was changed."
        ) from unknown


def _record(session: Session, actor: Actor, action: str, row: CalibrationRound, now: datetime) -> None:
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action=action,
        subject=("calibration_round", row.id),
        detail={"agreed": row.agreed, "compared": row.compared} if row.finished_at else {},
    )
