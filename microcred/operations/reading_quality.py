"""Quality for the issuer: agreement of independent readings, turnaround and workload, by credential.

Every figure looks at the newest tries alone, so the page costs the same however long a credential has been
reviewed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from microcred.credentials.agreement import MINIMUM_PAIRS, Agreement, Pair, agreement
from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Pursuit, Rating, Review
from microcred.operations import assigning
from microcred.operations.actor import Actor
from microcred.operations.anchors import counts
from microcred.operations.errors import NotAllowed
from microcred.people import holders
from microcred.people.models import Person

NEWEST_PAIRS = 200
"""Pairs of readings looked at for each credential."""
NEWEST_DECIDED = 500
"""Decided tries looked at for the turnaround of each issuer's credentials together."""
SINCE = timedelta(days=365)
PAUSE_BELOW = 0.60
"""Weighted kappa below which reviewing should pause for practice (product rules)."""


@dataclass(frozen=True)
class CredentialQuality:
    """One credential."""

    key: str
    title: str
    code: str
    pairs: int
    """Tries that two reviewers read on their own, of the newest."""
    drawn: int
    """Those of them that were drawn at random."""
    agreement: Agreement | None
    """None below `MINIMUM_PAIRS`, where figures mean little."""
    decided: int
    on_time: int
    """Decided by the day that was promised first."""
    median_days: float | None
    """From sending in to the decision."""
    anchors: int
    waiting_for_reader: int
    """Tries in a second or third reading that nobody could be given."""

    @property
    def should_pause(self) -> bool:
        """Whether agreement is so low that reviewers should practise first."""
        kappa = self.agreement.kappa if self.agreement is not None else None
        return kappa is not None and kappa < PAUSE_BELOW


@dataclass(frozen=True)
class ReviewerLoad:
    """How busy a reviewer is."""

    name: str
    open_reviews: int
    finished: int
    """In the last 30 days."""
    released: int
    """Given to somebody else in the last 30 days because it lay."""


@dataclass(frozen=True)
class Quality:
    """The whole page."""

    credentials: tuple[CredentialQuality, ...]
    reviewers: tuple[ReviewerLoad, ...]


def quality(session: Session, actor: Actor, now: datetime) -> Quality:
    """The figures of every credential with decided or double-scored tries, for an approver of its issuer.

    Raises NotAllowed.
    """
    issuers = actor.organizations("approver")
    if not issuers:
        raise NotAllowed("not_yours", "Only approvers of an issuing organization see how its reviewing goes.")
    times = _times(session, issuers, now)
    pairs = _pairs(session, issuers, now)
    lacking = _lacking(session, issuers)
    anchored = counts(session, actor)
    names = _names(session, {*times, *pairs, *lacking})
    found = [
        _credential(names[each], times.get(each, []), pairs.get(each, []), lacking.get(each, 0), anchored)
        for each in names
    ]
    rows = sorted(found, key=lambda row: (not row.should_pause, row.title, row.code))
    return Quality(tuple(rows), _reviewers(session, issuers, now))


@dataclass(frozen=True)
class _Time:
    days: float
    on_time: bool


@dataclass(frozen=True)
class _Scored:
    definition: Definition
    pair: Pair
    drawn: bool


def _credential(
    names: tuple[str, str, str],
    times: Sequence[_Time],
    pairs: Sequence[_Scored],
    lacking: int,
    anchored: Mapping[str, int],
) -> CredentialQuality:
    shown = len(pairs) >= MINIMUM_PAIRS
    return CredentialQuality(
        key=names[0],
        title=names[1],
        code=names[2],
        pairs=len(pairs),
        drawn=sum(one.drawn for one in pairs),
        agreement=agreement([(one.definition, one.pair) for one in pairs]) if shown else None,
        decided=len(times),
        on_time=sum(one.on_time for one in times),
        median_days=round(median(one.days for one in times), 1) if times else None,
        anchors=anchored.get(names[0], 0),
        waiting_for_reader=lacking,
    )


def _times(session: Session, issuers: Collection[int], now: datetime) -> dict[int, list[_Time]]:
    rows = session.execute(
        select(
            CredentialVersion.credential_id, Attempt.submitted_at, Attempt.decided_at, Attempt.first_due_at
        )
        .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
        .join(CredentialVersion, CredentialVersion.id == Pursuit.version_id)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .where(
            Credential.issuer_id.in_(issuers),
            Pursuit.is_test.is_(False),
            Attempt.submitted_at.is_not(None),
            Attempt.decided_at > now - SINCE,
        )
        .order_by(Attempt.decided_at.desc())
        .limit(NEWEST_DECIDED)
    )
    found: dict[int, list[_Time]] = {}
    for credential_id, submitted, decided, promised in rows:
        if submitted is not None and decided is not None:
            days = (decided - submitted) / timedelta(days=1)
            found.setdefault(credential_id, []).append(_Time(days, promised is None or decided <= promised))
    return found


def _pairs(session: Session, issuers: Collection[int], now: datetime) -> dict[int, list[_Scored]]:
    """Finished first and second readings of the same try, newest first."""
    first, second = aliased(Review), aliased(Review)
    rows = session.execute(
        select(first, second, CredentialVersion)
        .join(second, second.attempt_id == first.attempt_id)
        .join(Attempt, Attempt.id == first.attempt_id)
        .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
        .join(CredentialVersion, CredentialVersion.id == Pursuit.version_id)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .where(
            Credential.issuer_id.in_(issuers),
            Pursuit.is_test.is_(False),
            first.place == "first",
            first.finished_at.is_not(None),
            second.place == "second",
            second.finished_at > now - SINCE,
        )
        .order_by(second.finished_at.desc())
        .limit(NEWEST_PAIRS)
    ).all()
    given = _levels(session, [one.id for row in rows for one in (row[0], row[1])])
    found: dict[int, list[_Scored]] = {}
    for one, other, version in rows:
        pair = Pair(
            given.get(one.id, {}), given.get(other.id, {}), one.recommendation == other.recommendation
        )
        found.setdefault(version.credential_id, []).append(
            _Scored(definition_of(session, version), pair, other.asked_because == "drawn")
        )
    return found


def _levels(session: Session, review_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Levels by criterion of each review; those kept from an earlier try are among both and say nothing."""
    rows = session.execute(
        select(Rating.review_id, Rating.criterion_id, Rating.level)
        .join(Review, Review.id == Rating.review_id)
        .where(
            Rating.review_id.in_(review_ids),
            Rating.level.is_not(None),
            Rating.rated_at >= Review.started_at,
        )
    )
    found: dict[int, dict[str, str]] = {}
    for review_id, criterion_id, level in rows:
        if level is not None:
            found.setdefault(review_id, {})[criterion_id] = level
    return found


def _lacking(session: Session, issuers: Collection[int]) -> dict[int, int]:
    """Tries that wait for a second or third reader whom nobody could be asked to be."""
    reading = (
        select(Review.id)
        .where(Review.attempt_id == Attempt.id, Review.finished_at.is_(None), Review.released_at.is_(None))
        .exists()
    )
    rows = session.execute(
        select(CredentialVersion.credential_id, func.count())
        .join(Pursuit, Pursuit.version_id == CredentialVersion.id)
        .join(Attempt, Attempt.pursuit_id == Pursuit.id)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .where(
            Credential.issuer_id.in_(issuers),
            Attempt.state.in_(("second_review", "adjudication")),
            ~reading,
        )
        .group_by(CredentialVersion.credential_id)
    )
    return {row[0]: row[1] for row in rows}


def _names(session: Session, credential_ids: Collection[int]) -> dict[int, tuple[str, str, str]]:
    rows = session.execute(
        select(Credential.id, Credential.key, CredentialVersion.title, CredentialVersion.code)
        .join(CredentialVersion, CredentialVersion.credential_id == Credential.id)
        .where(Credential.id.in_(credential_ids))
        .order_by(CredentialVersion.id)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _reviewers(session: Session, issuers: Collection[int], now: datetime) -> tuple[ReviewerLoad, ...]:
    people = sorted({person for issuer in issuers for person in holders(session, "reviewer", issuer, now)})
    month = now - timedelta(days=30)
    busy = assigning.open_reviews(session, people)
    done = _count(session, people, Review.finished_at > month)
    lost = _count(session, people, Review.released_at > month, Review.released_because == "late")
    names = session.execute(select(Person.id, Person.name).where(Person.id.in_(people)))
    rows = [
        ReviewerLoad(name or "Name not shared", busy.get(person, 0), done.get(person, 0), lost.get(person, 0))
        for person, name in names
    ]
    return tuple(sorted(rows, key=lambda row: (-row.open_reviews, row.name)))


def _count(session: Session, people: Collection[int], *conditions: ColumnElement[bool]) -> dict[int, int]:
    rows = session.execute(
        select(Review.reviewer_id, func.count())
        .where(Review.reviewer_id.in_(people), *conditions)
        .group_by(Review.reviewer_id)
    )
    return {row[0]: row[1] for row in rows}
