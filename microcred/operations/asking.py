"""What a teacher asks of the issuer beside the workflow: a coach after several tries, renewing an award."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Pursuit
from microcred.credentials.review_models import TeacherRequest
from microcred.credentials.steps import State
from microcred.operations import notifying
from microcred.operations.actor import Actor
from microcred.operations.current import CURRENT_FIRST
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.judging import clean
from microcred.operations.notice_words import REQUESTS
from microcred.operations.reading_decide import display_name
from microcred.operations.reading_teacher import Loaded, load
from microcred.people import audit, holders, policies
from microcred.people.models import Person

MOST = 100
"""Open requests shown at once, oldest first."""


@dataclass(frozen=True)
class Asked:
    """Where a teacher's request stands."""

    kind: str
    """`coaching` or `renewal`."""
    is_open: bool
    answer: str


@dataclass(frozen=True)
class OpenRequest:
    """A request as the issuer sees it."""

    id: int
    kind: str
    name: str
    definition: Definition
    tries: int
    message: str
    asked_at: datetime
    expired_try: str | None
    """Where a renewal is asked for: the public id of the try whose award has expired."""


def may_ask(session: Session, loaded: Loaded) -> str | None:
    """What the teacher may ask for now: `coaching` after as many unsuccessful tries as the credential names,
    `renewal` of an expired award; None for nothing.
    """
    attempt = loaded.attempt
    if attempt.state == State.EXPIRED:
        return "renewal"
    most = loaded.definition.document.review_policy.attempts_before_coaching
    rules = policies.reviewing_of(session, _issuer_id(session, loaded.pursuit))
    tried = attempt.number - (1 if attempt.state == State.DRAFT else 0)
    unsuccessful = attempt.state in (State.DRAFT, State.REVISIONS_REQUESTED, State.DENIED, State.UPHELD)
    return "coaching" if rules.coaching and most and unsuccessful and tried >= most else None


def asked(session: Session, loaded: Loaded, kind: str) -> Asked | None:
    """The newest request of this kind."""
    row = _newest(session, loaded.pursuit.id, kind)
    return Asked(kind, row.answered_at is None, row.answer) if row is not None else None


def ask(session: Session, actor: Actor, message: str, now: datetime) -> None:
    """Ask for what may be asked for. A second press changes nothing. Raises OperationRefused."""
    loaded = load(session, actor, lock=True)
    kind = may_ask(session, loaded)
    if kind is None:
        raise OperationRefused("nothing_to_ask", "There is nothing to ask for at the moment.")
    newest = _newest(session, loaded.pursuit.id, kind)
    if newest is not None and newest.answered_at is None:
        return
    issuer_id = _issuer_id(session, loaded.pursuit)
    row = TeacherRequest(
        pursuit_id=loaded.pursuit.id, issuer_id=issuer_id, kind=kind, message=clean(message), asked_at=now
    )
    session.add(row)
    session.flush()
    _record(session, actor, f"{kind}_asked", loaded.pursuit.id, now)
    approvers = [one for one in holders(session, "approver", issuer_id, now) if one not in actor.person_ids]
    _tell(session, row, approvers, "asked", now)


def open_requests(session: Session, actor: Actor) -> tuple[OpenRequest, ...]:
    """What waits for an answer of the issuers that the actor approves for; nothing of their own."""
    owner = aliased(Person)
    tries = (
        select(func.max(Attempt.number))
        .where(Attempt.pursuit_id == Pursuit.id)
        .correlate(Pursuit)
        .scalar_subquery()
    )
    rows = session.execute(
        select(TeacherRequest, owner, CredentialVersion, tries)
        .join(Pursuit, Pursuit.id == TeacherRequest.pursuit_id)
        .join(owner, owner.id == Pursuit.person_id)
        .join(CredentialVersion, CredentialVersion.id == Pursuit.version_id)
        .where(
            TeacherRequest.issuer_id.in_(actor.organizations("approver")),
            TeacherRequest.answered_at.is_(None),
            func.coalesce(owner.merged_into_id, owner.id) != actor.person_id,
        )
        .order_by(TeacherRequest.id)
        .limit(MOST)
    )
    return tuple(
        OpenRequest(
            row.id,
            row.kind,
            display_name(person),
            definition_of(session, version),
            number or 1,
            row.message,
            row.asked_at,
            _expired_try(session, row) if row.kind == "renewal" else None,
        )
        for row, person, version, number in rows
    )


def settle_renewal(session: Session, actor: Actor, pursuit_id: int, now: datetime) -> None:
    """An award was renewed: a request for it is answered with that, and the turn itself tells the teacher."""
    row = _newest(session, pursuit_id, "renewal")
    if row is not None and row.answered_at is None:
        row.answered_at, row.answered_by_id, row.answer = now, actor.own_id, "Renewed."
        session.flush()
        _record(session, actor, "renewal_answered", pursuit_id, now)


def answer(session: Session, actor: Actor, request_id: int, words: str, now: datetime) -> None:
    """Answer a request, once. Raises NotFound, OperationRefused (`words_missing`)."""
    row = session.get(TeacherRequest, request_id, with_for_update=True)
    if row is None or not actor.holds("approver", row.issuer_id):
        raise NotFound("no_such_request", "There is no such request.")
    if session.get_one(Pursuit, row.pursuit_id).person_id in actor.person_ids:
        raise NotFound("no_such_request", "There is no such request.")
    if row.answered_at is not None:
        return
    if not (words := clean(words)):
        raise OperationRefused("words_missing", "Write to the teacher what happens next.")
    row.answered_at, row.answered_by_id, row.answer = now, actor.own_id, words
    session.flush()
    _record(session, actor, f"{row.kind}_answered", row.pursuit_id, now)
    _tell(session, row, [session.get_one(Pursuit, row.pursuit_id).person_id], "answered", now)


def _tell(session: Session, row: TeacherRequest, person_ids: Iterable[int], turn: str, now: datetime) -> None:
    """Tell persons that something was asked or answered."""
    attempt = session.scalars(
        select(Attempt).where(Attempt.pursuit_id == row.pursuit_id).order_by(*CURRENT_FIRST).limit(1)
    ).one()
    words, found = REQUESTS[f"{row.kind}_{turn}"], notifying.about(session, attempt)
    kind, once = f"{row.kind}_{turn}", str(row.id)
    notifying.tell(session, person_ids, words, found, kind=kind, once_for=once, now=now)


def _expired_try(session: Session, row: TeacherRequest) -> str | None:
    return session.scalar(
        select(Attempt.public_id).where(Attempt.pursuit_id == row.pursuit_id, Attempt.state == State.EXPIRED)
    )


def _newest(session: Session, pursuit_id: int, kind: str) -> TeacherRequest | None:
    return session.scalar(
        select(TeacherRequest)
        .where(TeacherRequest.pursuit_id == pursuit_id, TeacherRequest.kind == kind)
        .order_by(TeacherRequest.id.desc())
        .limit(1)
    )


def _issuer_id(session: Session, pursuit: Pursuit) -> int:
    return session.scalars(
        select(Credential.issuer_id)
        .join(CredentialVersion, CredentialVersion.credential_id == Credential.id)
        .where(CredentialVersion.id == pursuit.version_id)
    ).one()


def _record(session: Session, actor: Actor, action: str, pursuit_id: int, now: datetime) -> None:
    audit.record(session, at=now, actor_id=actor.own_id, action=action, subject=("pursuit", pursuit_id))
