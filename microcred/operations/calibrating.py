"""Practice for reviewers: rounds of anchors with agreed ratings, and how a reviewer stands.

A round passes with enough exact agreement (80 % unless the issuer says otherwise) and lets its reviewer in
for a time. Anchors are read without a name, under one of their own.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.agreement import exact
from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.due import add_months
from microcred.credentials.errors import NotInCatalogue
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Pursuit
from microcred.credentials.review_models import Anchor, CalibrationRating, CalibrationRound
from microcred.credentials.schema import Criterion, Level, Part
from microcred.operations.actor import Actor
from microcred.operations.assigning import Chance
from microcred.operations.calibrated import needs_calibration
from microcred.operations.errors import NotFound
from microcred.operations.reading_work import PartWork, read_work
from microcred.people import audit, policies


@dataclass(frozen=True)
class StandingRow:
    """How a reviewer stands with one credential."""

    credential_key: str
    title: str
    code: str
    state: str
    """`ready`, `lapsed`, `open` (a round is under way) or `due`."""
    until: datetime | None
    """Until when they are calibrated, or were."""
    round_id: str | None
    """The open round, else the newest finished one."""
    exact_percent: int | None
    """Exact agreement in the newest finished round."""


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


@dataclass(frozen=True)
class Compared:
    """One point after a round: what was given, what was agreed, and why."""

    anchor: int
    criterion: Criterion
    part: Part
    given: Level | None
    agreed: Level
    reason: str

    @property
    def same(self) -> bool:
        return self.given is not None and self.given.key == self.agreed.key


@dataclass(frozen=True)
class RoundResult:
    """A finished round."""

    title: str
    passed: bool
    agreed: int
    compared: int
    percent_needed: int
    valid_until: datetime | None
    rows: tuple[Compared, ...]


def standing(session: Session, actor: Actor, now: datetime) -> tuple[StandingRow, ...]:
    """How the actor stands with each credential that asks for calibration, by title."""
    wanted = _wanted(session, actor)
    titles = _titles(session, wanted)
    rounds: dict[int, list[CalibrationRound]] = {}
    for row in session.scalars(
        select(CalibrationRound)
        .where(CalibrationRound.credential_id.in_(wanted), CalibrationRound.reviewer_id.in_(actor.person_ids))
        .order_by(CalibrationRound.id)
    ):
        rounds.setdefault(row.credential_id, []).append(row)
    rows = [_standing_row(titles[each], rounds.get(each, []), now) for each in wanted if each in titles]
    return tuple(sorted(rows, key=lambda row: (row.title, row.code)))


def begin(session: Session, actor: Actor, credential_key: str, now: datetime, chance: Chance) -> str:
    """Start a round, or go on with the open one; its public id. Anchors are drawn by `chance`, those that the
    actor met least often first. Raises NotFound.
    """
    credential = session.scalar(select(Credential).where(Credential.key == credential_key))
    if credential is None or credential.id not in _wanted(session, actor):
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
    row = _round(session, actor, round_id)
    if row.finished_at is not None:
        raise NotFound("round_finished", "This round is finished.")
    anchors = _anchors(session, row)
    given = _given(session, row)
    whole = [all(given.get((one.id, key)) for key in one.agreed) for one in anchors]
    if anchor_id is None:
        number = next((place for place, done in enumerate(whole) if not done), 0)
    else:
        number = next((place for place, one in enumerate(anchors) if one.public_id == anchor_id), -1)
    if number < 0:
        raise NotFound("no_such_anchor", "There is no such page in this round.")
    anchor = anchors[number]
    attempt, definition = _work_of(session, anchor)
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
    row = _round(session, actor, round_id)
    if row.finished_at is not None:
        return True
    anchors = _anchors(session, row)
    anchor = next((one for one in anchors if one.public_id == anchor_id), None)
    if anchor is None:
        raise NotFound("no_such_anchor", "There is no such page in this round.")
    _, definition = _work_of(session, anchor)
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


def result(session: Session, actor: Actor, round_id: str) -> RoundResult:
    """A finished round of the actor's, point by point. Raises NotFound."""
    row = _round(session, actor, round_id)
    if row.finished_at is None or row.passed is None:
        raise NotFound("round_open", "This round is not finished yet.")
    credential = session.get_one(Credential, row.credential_id)
    given = _given(session, row)
    rows = []
    for number, anchor in enumerate(_anchors(session, row), start=1):
        _, definition = _work_of(session, anchor)
        for part, criterion in definition.criteria():
            if criterion.id in anchor.agreed:
                level = given.get((anchor.id, criterion.id))
                rows.append(
                    Compared(
                        anchor=number,
                        criterion=criterion,
                        part=part,
                        given=definition.level(criterion, level) if level else None,
                        agreed=definition.level(criterion, anchor.agreed[criterion.id]),
                        reason=anchor.reasons.get(criterion.id, ""),
                    )
                )
    return RoundResult(
        title=_titles(session, [credential.id])[credential.id][1],
        passed=row.passed,
        agreed=row.agreed,
        compared=row.compared,
        percent_needed=policies.reviewing_of(session, credential.issuer_id).calibration_percent,
        valid_until=row.valid_until,
        rows=tuple(rows),
    )


def _settle(
    session: Session, actor: Actor, row: CalibrationRound, anchors: Sequence[Anchor], now: datetime
) -> bool:
    """Compare once everything is rated."""
    given = _given(session, row)
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


def _wanted(session: Session, actor: Actor) -> list[int]:
    issuers = actor.organizations("reviewer")
    return sorted(frozenset[int]().union(*(needs_calibration(session, one) for one in issuers)))


def _titles(session: Session, credential_ids: Collection[int]) -> dict[int, tuple[str, str, str]]:
    """Key, title and code of credentials, as their newest version has them."""
    rows = session.execute(
        select(Credential.id, Credential.key, CredentialVersion.title, CredentialVersion.code)
        .join(CredentialVersion, CredentialVersion.credential_id == Credential.id)
        .where(Credential.id.in_(credential_ids), CredentialVersion.state != "draft")
        .order_by(CredentialVersion.id)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _standing_row(
    names: tuple[str, str, str], rounds: Sequence[CalibrationRound], now: datetime
) -> StandingRow:
    finished = [one for one in rounds if one.finished_at is not None]
    under_way = next((one for one in rounds if one.finished_at is None), None)
    untils = [one.valid_until for one in finished if one.valid_until is not None]
    until = max(untils, default=None)
    state = "ready" if until is not None and until > now else "lapsed" if until is not None else "due"
    if under_way is not None and state != "ready":
        state = "open"
    newest = finished[-1] if finished else None
    shown = under_way or newest
    return StandingRow(
        credential_key=names[0],
        title=names[1],
        code=names[2],
        state=state,
        until=until,
        round_id=shown.public_id if shown is not None else None,
        exact_percent=round(100 * newest.agreed / newest.compared) if newest and newest.compared else None,
    )


def _round(session: Session, actor: Actor, round_id: str) -> CalibrationRound:
    row = session.scalar(
        select(CalibrationRound).where(
            CalibrationRound.public_id == round_id, CalibrationRound.reviewer_id.in_(actor.person_ids)
        )
    )
    if row is None or row.credential_id not in _reviewed_credentials(session, actor, row.credential_id):
        raise NotFound("no_such_round", "There is no such round of yours.")
    return row


def _reviewed_credentials(session: Session, actor: Actor, credential_id: int) -> Sequence[int]:
    """The credential, where the actor still holds the office of a reviewer for its issuer."""
    return session.scalars(
        select(Credential.id).where(
            Credential.id == credential_id, Credential.issuer_id.in_(actor.organizations("reviewer"))
        )
    ).all()


def _anchors(session: Session, row: CalibrationRound) -> list[Anchor]:
    found = {one.id: one for one in session.scalars(select(Anchor).where(Anchor.id.in_(row.anchor_ids)))}
    return [found[anchor_id] for anchor_id in row.anchor_ids]


def _given(session: Session, row: CalibrationRound) -> dict[tuple[int, str], str]:
    rows = session.scalars(select(CalibrationRating).where(CalibrationRating.round_id == row.id))
    return {(one.anchor_id, one.criterion_id): one.level for one in rows}


def _work_of(session: Session, anchor: Anchor) -> tuple[Attempt, Definition]:
    attempt, version = session.execute(
        select(Attempt, CredentialVersion)
        .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
        .join(CredentialVersion, CredentialVersion.id == Pursuit.version_id)
        .where(Attempt.id == anchor.attempt_id)
    ).one()
    return attempt, definition_of(session, version)


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
