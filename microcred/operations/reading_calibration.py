"""How a reviewer stands with practice, and what came of a round."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Pursuit
from microcred.credentials.review_models import Anchor, CalibrationRating, CalibrationRound
from microcred.credentials.schema import Criterion, Level, Part
from microcred.operations.actor import Actor
from microcred.operations.calibrated import needs_calibration
from microcred.operations.errors import NotFound
from microcred.people import policies


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
    wanted = to_practise(session, actor)
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


def result(session: Session, actor: Actor, round_id: str) -> RoundResult:
    """A finished round of the actor's, point by point. Raises NotFound."""
    row = round_of(session, actor, round_id)
    if row.finished_at is None or row.passed is None:
        raise NotFound("round_open", "This round is not finished yet.")
    credential = session.get_one(Credential, row.credential_id)
    given = given_in(session, row)
    rows = []
    for number, anchor in enumerate(anchors_of(session, row), start=1):
        _, definition = work_of(session, anchor)
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


def to_practise(session: Session, actor: Actor) -> list[int]:
    """Ids of the credentials for which the actor has to practise."""
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


def round_of(session: Session, actor: Actor, round_id: str) -> CalibrationRound:
    """A round of the actor's own. Raises NotFound."""
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


def anchors_of(session: Session, row: CalibrationRound) -> list[Anchor]:
    """The anchors of a round, in its order."""
    found = {one.id: one for one in session.scalars(select(Anchor).where(Anchor.id.in_(row.anchor_ids)))}
    return [found[anchor_id] for anchor_id in row.anchor_ids]


def given_in(session: Session, row: CalibrationRound) -> dict[tuple[int, str], str]:
    """The levels given in a round, by anchor id and criterion id."""
    rows = session.scalars(select(CalibrationRating).where(CalibrationRating.round_id == row.id))
    return {(one.anchor_id, one.criterion_id): one.level for one in rows}


def work_of(session: Session, anchor: Anchor) -> tuple[Attempt, Definition]:
    """The try that is an anchor, with its definition."""
    attempt, version = session.execute(
        select(Attempt, CredentialVersion)
        .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
        .join(CredentialVersion, CredentialVersion.id == Pursuit.version_id)
        .where(Attempt.id == anchor.attempt_id)
    ).one()
    return attempt, definition_of(session, version)
