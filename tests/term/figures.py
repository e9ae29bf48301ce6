"""The figures of a term, counted from the database."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from microcred.credentials.catalogue import sample_text
from microcred.credentials.models import (
    Attempt,
    Award,
    Credential,
    CredentialVersion,
    Pursuit,
    Rating,
    Review,
)
from microcred.credentials.parsing import parse
from microcred.credentials.review_models import CalibrationRound
from microcred.credentials.steps import TABLE, State
from microcred.people.models import AuditEvent, Notice
from tests.term.promises import Promise, promises

MINIMUM_PAIRS = 20
"""Below this, agreement says little."""


@dataclass(frozen=True)
class Agreement:
    """How alike two readings of the same tries were."""

    credential: str
    pairs: int
    exact: float | None
    same_result: float | None
    kappa: float | None
    """Quadratic weights; None below `MINIMUM_PAIRS`."""


@dataclass(frozen=True)
class Figures:
    """What happened."""

    states: Mapping[str, int]
    """State to how often a try came to it."""
    turns: Mapping[str, int]
    """Audit name of a turn to how often it was taken."""
    not_taken: Sequence[str]
    """Turns of the workflow table that nobody took."""
    counts: Mapping[str, int]
    turnaround: Sequence[float]
    """Days from sending in to the decision."""
    appeal_days: Sequence[float]
    on_first_day: int
    """Decisions by the day that was promised first."""
    readings: Mapping[int, int]
    """Finished readings of each reviewer."""
    agreement: Sequence[Agreement]
    mails: Mapping[int, int]
    """Person to how many mails they got."""


def figures(session: Session) -> Figures:
    """Count."""
    kept = promises(session)
    turns, states = _turns(session)
    decided = [one for one in kept if one.decided is not None and not one.is_appeal]
    appeals = [one for one in kept if one.decided is not None and one.is_appeal]
    rows = session.execute(
        select(Notice.person_id, func.count()).where(Notice.mail == "sent").group_by(Notice.person_id)
    )
    finished = session.execute(
        select(Review.reviewer_id, func.count())
        .where(Review.finished_at.is_not(None))
        .group_by(Review.reviewer_id)
    )
    return Figures(
        states=states,
        turns=turns,
        not_taken=sorted({row.audit for row in TABLE if row.audit} - set(turns)),
        counts=_counts(session, kept),
        turnaround=_days(decided),
        appeal_days=_days(appeals),
        on_first_day=sum(one.ended is not None and one.ended <= one.days[0] for one in decided),
        readings={row[0]: row[1] for row in finished},
        agreement=_agreement(session),
        mails={row[0]: row[1] for row in rows},
    )


def share_of(part: float, values: Sequence[float]) -> float:
    """The value below which a share of them lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(part * 100) * len(ordered) // 100) - 1)] if ordered else 0.0


def middle(values: Collection[float]) -> float:
    """Their median; 0 of none."""
    return median(values) if values else 0.0


def _days(kept: Sequence[Promise]) -> list[float]:
    return [took / timedelta(days=1) for one in kept if (took := one.turnaround) is not None]


def _turns(session: Session) -> tuple[Counter[str], Counter[str]]:
    turns, states = Counter[str](), Counter[str](dict.fromkeys(State, 0))
    for event in session.scalars(select(AuditEvent).where(AuditEvent.subject_type == "attempt")):
        if event.before != event.after and event.after is not None:
            states[event.after] += 1
        turns[event.action] += 1
    return turns, states


def _counts(session: Session, kept: Sequence[Promise]) -> dict[str, int]:
    def count(query: object) -> int:
        return session.scalar(query) or 0  # type: ignore[call-overload]

    rounds = session.scalars(select(CalibrationRound)).all()
    now = max(event for event in session.scalars(select(func.max(AuditEvent.at))))
    return {
        "teachers who opened it": count(select(func.count(func.distinct(Pursuit.person_id)))),
        "teachers who sent it in": count(
            select(func.count(func.distinct(Pursuit.person_id)))
            .join(Attempt, Attempt.pursuit_id == Pursuit.id)
            .where(Attempt.submitted_at.is_not(None))
        ),
        "teachers who earned it": count(select(func.count(func.distinct(Award.person_id)))),
        "tries sent in": sum(not one.is_appeal for one in kept),
        "new days announced": sum(len(one.announced) for one in kept),
        "given to another reviewer because it lay": count(
            select(func.count()).where(Review.released_because == "late")
        ),
        "first readings": count(_readings("first")),
        "second readings": count(_readings("second")),
        "third readings": count(_readings("third")),
        "rounds of practice passed": sum(bool(one.passed) for one in rounds),
        "rounds of practice not passed": sum(one.passed is False for one in rounds),
        "rounds of practice that lapsed": sum(
            one.valid_until is not None and one.valid_until < now for one in rounds
        ),
    }


def _readings(place: str) -> object:
    return select(func.count()).where(Review.place == place, Review.finished_at.is_not(None))


def _agreement(session: Session) -> list[Agreement]:
    """Pairs of finished first and second readings, by credential, and over all."""
    scales = _scales()
    levels: dict[int, dict[str, str]] = defaultdict(dict)
    for review_id, criterion_id, level in session.execute(
        select(Rating.review_id, Rating.criterion_id, Rating.level)
        .join(Review, Review.id == Rating.review_id)
        .where(Rating.level.is_not(None), Rating.rated_at >= Review.started_at)
    ):
        levels[review_id][criterion_id] = level or ""
    readings: dict[tuple[str, int], dict[str, Review]] = defaultdict(dict)
    for review, key in session.execute(
        select(Review, Credential.key)
        .join(Attempt, Attempt.id == Review.attempt_id)
        .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
        .join(CredentialVersion, CredentialVersion.id == Pursuit.version_id)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .where(Review.finished_at.is_not(None))
    ):
        readings[key, review.attempt_id][review.place] = review
    pairs: dict[str, list[tuple[Review, Review]]] = defaultdict(list)
    for (key, _), here in readings.items():
        if "first" in here and "second" in here:
            pairs[key].append((here["first"], here["second"]))
    return [_agreed(key, both, levels, scales) for key, both in sorted(pairs.items())]


def _agreed(
    key: str,
    pairs: Sequence[tuple[Review, Review]],
    levels: Mapping[int, Mapping[str, str]],
    scales: Mapping[tuple[str, str], Sequence[str]],
) -> Agreement:
    if len(pairs) < MINIMUM_PAIRS:
        return Agreement(key, len(pairs), None, None, None)
    points = [
        (scale.index(level), scale.index(levels[other.id][criterion]), len(scale))
        for one, other in pairs
        for criterion, level in levels[one.id].items()
        if criterion in levels[other.id]
        for scale in (scales[key, criterion],)
    ]
    same = sum(one.recommendation == other.recommendation for one, other in pairs)
    exact = sum(a == b for a, b, _ in points)
    return Agreement(key, len(pairs), exact / len(points), same / len(pairs), _kappa(points))


def _kappa(points: Sequence[tuple[int, int, int]]) -> float | None:
    """Cohen's kappa with quadratic weights, each scale by itself: 1 - seen / expected disagreement."""
    seen = expected = 0.0
    for length in {length for _, _, length in points}:
        here = [(a, b) for a, b, other in points if other == length]
        weight = {(a, b): ((a - b) / (length - 1)) ** 2 for a in range(length) for b in range(length)}
        seen += sum(weight[pair] for pair in here)
        expected += sum(weight[a, b] for a, _ in here for _, b in here) / len(here)
    return 1 - seen / expected if expected else None


def _scales() -> dict[tuple[str, str], Sequence[str]]:
    """Credential and criterion to the levels, lowest first."""
    catalogue = parse(sample_text())
    levels = {
        scale.id: [level.key for level in sorted(scale.levels, key=lambda level: level.points)]
        for scale in catalogue.scales
    }
    return {
        (document.id, criterion.id): levels[criterion.scale]
        for document in catalogue.micro_credentials
        for part in document.parts
        for criterion in part.criteria
    }
