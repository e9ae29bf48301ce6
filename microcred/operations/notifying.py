"""Telling people about a turn: a notice on their pages, and a mail row where they want one.

Written in the transaction of the turn itself. One turn is told once to one person: (person, key) is unique.
Whoever belongs to a group that shares work (reviewers of a pool, approvers) is told at most every
`DIGEST_EVERY` that something waits, not for each try.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Decision, Pursuit, Review
from microcred.credentials.steps import Reader, State
from microcred.database import random_id
from microcred.operations.notice_words import (
    DECISIONS_WAIT,
    OBLIGATORY,
    REVIEWS_WAIT,
    TURNS,
    Topic,
    Words,
    day,
    filled,
)
from microcred.outbox import OutboxRow
from microcred.people import canonical_ids, holders, policies
from microcred.people.models import Notice, NoticeChoice, Person
from microcred.placements import Placement

MAIL = "mail"
"""Outbox kind: one notice by mail. Also the destination: breaker and rate are those of the mail server."""
DIGEST = "notice_digest"
"""Outbox kind: tell a group that work waits."""
DIGEST_EVERY = timedelta(hours=4)
_GROUPS = {"reviews": ("reviewer", REVIEWS_WAIT), "decisions": ("approver", DECISIONS_WAIT)}
_UNDECIDED = {
    "reviews": (State.SUBMITTED, State.CHECKING),
    "decisions": (State.RECOMMENDED, State.APPEAL_OPEN),
}


@dataclass(frozen=True)
class About:
    """The try a notice is about."""

    attempt: Attempt
    pursuit: Pursuit
    placement: Placement
    title: str
    issuer_id: int


def about(session: Session, attempt: Attempt) -> About:
    """What notices need to know about a try."""
    pursuit = session.get_one(Pursuit, attempt.pursuit_id)
    title, issuer_id = session.execute(
        select(CredentialVersion.title, Credential.issuer_id)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .where(CredentialVersion.id == pursuit.version_id)
    ).one()
    placement = session.get_one(Placement, pursuit.placement_id)
    return About(attempt, pursuit, placement, title, issuer_id)


def tell_turn(session: Session, attempt: Attempt, turn: str, to: Reader, now: datetime) -> None:
    """Tell the right persons about a turn of the workflow; `turn` is its audit name."""
    found = about(session, attempt)
    words = TURNS[turn, to]
    match to:
        case Reader.OWNER:
            tell(session, [found.pursuit.person_id], words, found, kind=turn, now=now)
        case Reader.REVIEWERS:
            assigned = open_reviewers(session, attempt)
            if assigned:
                tell(session, assigned, words, found, kind=turn, now=now)
            else:
                plan_digest(session, "reviews", found.issuer_id, now)
        case Reader.APPROVERS:
            plan_digest(session, "decisions", found.issuer_id, now)
        case Reader.APPEAL_READERS:
            tell(session, unseen_approvers(session, found, now), words, found, kind=turn, now=now)


def tell(
    session: Session,
    person_ids: Iterable[int],
    words: Words,
    found: About,
    *,
    kind: str,
    now: datetime,
    day_of: datetime | None = None,
    once_for: str = "",
) -> None:
    """Tell persons something about a try, once for each state of it and each `once_for`."""
    zone = policies.zone_of(session, found.placement.organization_id)
    due_at = found.attempt.decision_due_at
    title, body = filled(
        words,
        title=found.title,
        due=day(due_at, zone) if due_at else "",
        day=day(day_of, zone) if day_of else "",
    )
    key = f"{kind}:{found.attempt.id}:{found.attempt.row_version}:{once_for}"
    for person_id in person_ids:
        _write(
            session,
            person_id=person_id,
            topic=words.topic,
            kind=kind,
            key=key,
            attempt_id=found.attempt.id,
            title=title[:300],
            body=body,
            mailed=not found.pursuit.is_test,
            now=now,
        )


def open_reviewers(session: Session, attempt: Attempt) -> list[int]:
    """Those whose review of the try is not finished."""
    return list(
        session.scalars(
            select(Review.reviewer_id)
            .where(
                Review.attempt_id == attempt.id,
                Review.finished_at.is_(None),
                Review.released_at.is_(None),
            )
            .order_by(Review.id)
        )
    )


def plan_digest(session: Session, topic: Topic, issuer_id: int, now: datetime) -> None:
    """See to it that the issuer's people hear soon that work waits; one row, however many tries."""
    key = f"{DIGEST}:{topic}:{issuer_id}"
    newest = session.execute(
        select(OutboxRow.state, OutboxRow.due_at)
        .where(OutboxRow.order_key == key)
        .order_by(OutboxRow.id.desc())
        .limit(1)
    ).first()
    if newest is not None and newest.state in ("waiting", "held"):
        return
    last = newest.due_at if newest is not None else now - DIGEST_EVERY
    outbox.add(
        session,
        kind=DIGEST,
        destination="local",
        order_key=key,
        subject=("organization", str(issuer_id)),
        payload={"topic": topic, "issuer": issuer_id},
        now=now,
        due_at=max(now, last + DIGEST_EVERY),
    )


def tell_group(session: Session, topic: Topic, issuer_id: int, key: str, now: datetime) -> int:
    """Tell the holders of an office that work waits, if it still does; how many persons there are to tell."""
    role, words = _GROUPS[topic]
    waiting = (
        select(Attempt.id, Pursuit.person_id, Pursuit.is_test)
        .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
        .join(CredentialVersion, CredentialVersion.id == Pursuit.version_id)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .where(Credential.issuer_id == issuer_id, Attempt.state.in_(_UNDECIDED[topic]))
        .order_by(Attempt.decision_due_at)
        .limit(50)
    )
    rows = session.execute(waiting).all()
    if not rows:
        return 0
    people = holders(session, role, issuer_id, now)
    told = 0
    for person_id in people:
        others = [row for row in rows if row.person_id != person_id]
        if others:
            told += 1
            _write(
                session,
                person_id=person_id,
                topic=words.topic,
                kind=f"{topic}_wait",
                key=key,
                attempt_id=None,
                title=words.title,
                body=words.body,
                mailed=not all(row.is_test for row in others),
                now=now,
            )
    return told


def unseen_approvers(session: Session, found: About, now: datetime) -> list[int]:
    """Approvers of the issuer who neither own, reviewed nor decided anything of this pursuit."""
    tries = select(Attempt.id).where(Attempt.pursuit_id == found.pursuit.id)
    seen: list[int] = [found.pursuit.person_id]
    seen += session.scalars(select(Review.reviewer_id).where(Review.attempt_id.in_(tries)))
    seen += session.scalars(select(Decision.decided_by_id).where(Decision.attempt_id.in_(tries)))
    return _without(session, holders(session, "approver", found.issuer_id, now), seen)


def _without(session: Session, people: Collection[int], seen: Collection[int]) -> list[int]:
    known = canonical_ids(session, seen)
    return [one for one in people if not canonical_ids(session, [one]) & known]


def _write(
    session: Session,
    *,
    person_id: int,
    topic: Topic,
    kind: str,
    key: str,
    attempt_id: int | None,
    title: str,
    body: str,
    mailed: bool,
    now: datetime,
) -> None:
    by_mail = mailed and wants_mail(session, person_id, topic, kind)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    notice_id = session.scalar(
        insert(Notice)
        .values(
            public_id=random_id(),
            person_id=person_id,
            topic=topic,
            kind=kind,
            key=key,
            attempt_id=attempt_id,
            title=title,
            body=body,
            mail="queued" if by_mail else "none",
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Notice.id)
    )
    if notice_id is not None and by_mail:
        outbox.add(
            session,
            kind=MAIL,
            destination=MAIL,
            order_key=None,
            subject=("notice", str(notice_id)),
            payload={"notice": notice_id},
            now=now,
        )


def wants_mail(session: Session, person_id: int, topic: str, kind: str) -> bool:
    """Whether this person takes mail about the topic; without a word of theirs they do. What is obligatory
    (`OBLIGATORY`) is mailed whatever they chose.
    """
    state = session.scalar(select(Person.state).where(Person.id == person_id))
    if kind in OBLIGATORY:
        return state == "active"
    refused = select(NoticeChoice.person_id).where(
        NoticeChoice.person_id.in_(canonical_ids(session, [person_id]) | {person_id}),
        NoticeChoice.topic == topic,
        NoticeChoice.by_mail.is_(False),
    )
    return state == "active" and session.scalar(refused.limit(1)) is None
