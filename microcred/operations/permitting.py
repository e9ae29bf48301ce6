"""The ledger of permissions: one line for each time that permission for a student code and kind was given.

A line stands until it is withdrawn, replaced or expired; lines that ended stay on record. Without a standing
one for everybody whom the work shows, nothing can be submitted (`credentials.completeness`). When one ends,
what it covered is hidden from everybody but its owner at once, whatever state the try is in; a try that
nobody has decided goes back to the teacher, and no try is used up.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from microcred import outbox
from microcred.credentials.codes import PermissionNeeded, permissions_needed, requirement_codes
from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.models import (
    Attempt,
    CredentialVersion,
    EvidenceItem,
    EvidencePermission,
    PrivacyFlag,
    Pursuit,
)
from microcred.credentials.steps import Action, State
from microcred.credentials.workflow import SYSTEM, Facts, plan
from microcred.database import Clock
from microcred.operations import consequences, notifying
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.file_rows import begin_scanning, check_unlocked
from microcred.operations.notice_words import PERMISSION_ENDED
from microcred.operations.reading_teacher import Loaded, load
from microcred.people import audit, policies
from microcred.placements import Placement

KIND = "permission_ends"
"""Outbox kind: a permission whose last day has passed ends."""
LONGEST = timedelta(days=3660)
_GOES_BACK = (
    State.SUBMITTED,
    State.CHECKING,
    State.IN_REVIEW,
    State.SECOND_REVIEW,
    State.ADJUDICATION,
    State.RETURNED_TO_REVIEWER,
)


@dataclass(frozen=True)
class Form:
    """A form that is in the store already."""

    storage_key: str
    file_name: str
    media_type: str
    size: int
    to_scan: bool = False
    """Whether it stays locked away until a malware scan is through."""


@dataclass(frozen=True)
class Entry:
    """One line of the ledger."""

    public_id: str
    basis: str
    form_name: str | None
    is_scanned: bool
    """Whether the form opens: false while the malware scan is not through, or where it found something."""
    expires_on: date | None
    given_at: datetime
    ended_at: datetime | None
    ended_because: str | None


@dataclass(frozen=True)
class Account:
    """What is on record for one student code and kind, newest first."""

    needed: PermissionNeeded
    part_numbers: tuple[int, ...]
    standing: Entry | None
    earlier: tuple[Entry, ...]


def ledger(session: Session, actor: Actor) -> tuple[Account, ...]:
    """Every permission that the actor's credential asks for. Raises as `reading_teacher.load`."""
    loaded = load(session, actor)
    rows = session.scalars(
        select(EvidencePermission)
        .where(EvidencePermission.pursuit_id == loaded.pursuit.id)
        .options(joinedload(EvidencePermission.form))
        .order_by(EvidencePermission.id.desc())
    ).all()
    numbers = {part.id: part.number for part in loaded.definition.parts}
    accounts = []
    for needed in permissions_needed(loaded.definition):
        mine = [row for row in rows if (row.student_code, row.kind) == (needed.student_code, needed.kind)]
        standing = [_entry(row) for row in mine if row.withdrawn_at is None]
        earlier = tuple(_entry(row) for row in mine if row.withdrawn_at is not None)
        parts = tuple(numbers[part_id] for part_id in needed.part_ids)
        accounts.append(Account(needed, parts, standing[0] if standing else None, earlier))
    return tuple(accounts)


def give(
    session: Session,
    actor: Actor,
    *,
    student_code: str,
    kind: str,
    form: Form | None = None,
    expires_on: date | None = None,
    now: datetime,
) -> None:
    """Put a permission on record: the form itself, or the teacher's word that it is on file at school.

    It takes the place of one that stands; the same word given again changes nothing. Covered pieces that
    were hidden because an earlier permission ended are seen again. Raises NotFound, and OperationRefused
    (`permission_over`) for a last day that has passed.
    """
    loaded = load(session, actor, lock=True)
    _needed(loaded, student_code, kind)
    today = _today(session, loaded.placement, now)
    if expires_on is not None and not today <= expires_on <= today + LONGEST:
        raise OperationRefused(
            "permission_over",
            "The last day has to be today or later, and within ten years. Nothing was saved.",
        )
    standing = _standing(session, loaded.pursuit.id, student_code, kind)
    if standing is not None:
        if form is None and (standing.expires_on, standing.basis) == (expires_on, "attested"):
            return
        _end(standing, "replaced", now)
        session.flush()
    if form is not None:
        begin_scanning(
            session,
            storage_key=form.storage_key,
            size=form.size,
            media_type=form.media_type,
            to_scan=form.to_scan,
            now=now,
        )
    row = EvidencePermission(
        pursuit_id=loaded.pursuit.id,
        student_code=student_code,
        kind=kind,
        basis="attested" if form is None else "form",
        form_key=form.storage_key if form else None,
        form_name=form.file_name[:300] if form else None,
        form_type=form.media_type if form else None,
        form_size=form.size if form else None,
        expires_on=expires_on,
        given_at=now,
    )
    session.add(row)
    session.flush()
    _show_again(session, loaded)
    if expires_on is not None:
        _plan_end(session, loaded.placement, row, now)
    _record(session, actor.own_id, row, "permission_given", now)


def withdraw(session: Session, actor: Actor, *, student_code: str, kind: str, now: datetime) -> bool:
    """Take a permission back, in any state of the try. A second press changes nothing.

    Gives whether a try came back to the teacher with it. Raises NotFound.
    """
    loaded = load(session, actor, lock=True)
    _needed(loaded, student_code, kind)
    row = _standing(session, loaded.pursuit.id, student_code, kind)
    if row is None:
        return False
    _end(row, "withdrawn", now)
    _record(session, actor.own_id, row, "permission_withdrawn", now)
    return _protect(session, loaded.pursuit, row, actor.own_id, now)


def end_expired(session: Session, pursuit: Pursuit, now: datetime) -> bool:
    """End the pursuit's permissions whose last day has passed; whether there was one."""
    today = _today(session, session.get_one(Placement, pursuit.placement_id), now)
    rows = session.scalars(
        select(EvidencePermission).where(
            EvidencePermission.pursuit_id == pursuit.id,
            EvidencePermission.withdrawn_at.is_(None),
            EvidencePermission.expires_on < today,
        )
    ).all()
    for row in rows:
        _end(row, "expired", now)
        _record(session, None, row, "permission_expired", now)
        _protect(session, pursuit, row, None, now)
    return bool(rows)


def end_infected(session: Session, form_key: str, now: datetime) -> None:
    """A form held malware and is gone: the permission that rests on it ends, as if it had been taken back."""
    row = session.scalar(select(EvidencePermission).where(EvidencePermission.form_key == form_key))
    if row is None or row.withdrawn_at is not None:
        return
    _end(row, "infected", now)
    _record(session, None, row, "permission_form_infected", now)
    _protect(session, session.get_one(Pursuit, row.pursuit_id), row, None, now)


def open_form(session: Session, actor: Actor, public_id: str, now: datetime) -> Form:
    """A form of the actor's own; the opening is put on record. Raises NotFound, and OperationRefused while it
    is locked away (`scanning`, `infected`).
    """
    row = session.scalar(
        select(EvidencePermission)
        .join(Pursuit, Pursuit.id == EvidencePermission.pursuit_id)
        .where(EvidencePermission.public_id == public_id, Pursuit.person_id.in_(actor.person_ids))
        .options(joinedload(EvidencePermission.form))
    )
    if row is None or row.form_key is None:
        raise NotFound("no_such_form", "There is no such form of yours here.")
    check_unlocked(row.form)
    _record(session, actor.own_id, row, "permission_form_opened", now)
    return Form(row.form_key, row.form_name or "form", row.form_type or "", row.form_size or 0)


def ends_handler(clock: Clock) -> outbox.Handler:
    """Handler of kind `permission_ends`."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        def record(session: Session) -> None:
            pursuit = session.get(Pursuit, int(job.payload["pursuit"]))
            if pursuit is not None:
                end_expired(session, pursuit, clock.now())

        return outbox.Delivered(record=record)

    return handle


def _protect(
    session: Session, pursuit: Pursuit, row: EvidencePermission, actor_id: int | None, now: datetime
) -> bool:
    """Hide what the permission covered in every try; give an undecided try back. Whether one came back."""
    definition = definition_of(session, session.get_one(CredentialVersion, pursuit.version_id))
    covered = _covered(definition, row.student_code, row.kind)
    attempts = session.scalars(
        select(Attempt).where(Attempt.pursuit_id == pursuit.id).order_by(Attempt.number).with_for_update()
    ).all()
    items = session.scalars(
        select(EvidenceItem).where(
            EvidenceItem.attempt_id.in_([attempt.id for attempt in attempts]),
            EvidenceItem.requirement_id.in_(covered),
            EvidenceItem.removed_at.is_(None),
            EvidenceItem.hidden_at.is_(None),
        )
    ).all()
    current = attempts[-1] if attempts else None
    for item in items:
        if current is not None and item.attempt_id == current.id and current.state == State.DRAFT:
            continue  # nobody but its owner sees a draft, and it cannot be submitted so
        item.hidden_at = now
        session.add(
            PrivacyFlag(attempt_id=item.attempt_id, item_id=item.id, because="permission", raised_at=now)
        )
    session.flush()
    if current is None or current.state == State.DRAFT:
        return False
    if current.state in _GOES_BACK:
        back = plan(
            Facts(state=State(current.state), owner_id=pursuit.person_id),
            Action.RETURN_FOR_PERMISSION,
            SYSTEM,
        )
        consequences.apply(session, current, back, actor_id=actor_id, now=now)
        return True
    if actor_id is None:
        found = notifying.about(session, current)
        once = f"{row.student_code}:{row.id}"
        told = [pursuit.person_id]
        notifying.tell(
            session, told, PERMISSION_ENDED, found, kind="permission_ended", once_for=once, now=now
        )
    return False


def _show_again(session: Session, loaded: Loaded) -> None:
    """What was hidden for want of this permission alone, and not because of a name or a face."""
    given = {
        (row.student_code, row.kind)
        for row in session.scalars(
            select(EvidencePermission).where(
                EvidencePermission.pursuit_id == loaded.pursuit.id, EvidencePermission.withdrawn_at.is_(None)
            )
        )
    }
    for item in loaded.items:
        if item.hidden_at is None:
            continue
        _, requirement = loaded.definition.requirement(item.requirement_id)
        wanted = {
            (code, requirement.consent_needed) for code in requirement_codes(loaded.definition, requirement)
        }
        reasons = session.scalars(select(PrivacyFlag.because).where(PrivacyFlag.item_id == item.id)).all()
        if wanted <= given and set(reasons) <= {"permission"}:
            item.hidden_at = None


def _covered(definition: Definition, student_code: str, kind: str) -> list[str]:
    """Ids of the requirements whose pieces may show this person."""
    return [
        requirement.id
        for part in definition.parts
        for requirement in part.artefact_requirements
        if requirement.consent_needed == kind and student_code in requirement_codes(definition, requirement)
    ]


def _needed(loaded: Loaded, student_code: str, kind: str) -> None:
    if (student_code, kind) not in {
        (one.student_code, one.kind) for one in permissions_needed(loaded.definition)
    }:
        raise NotFound("no_such_permission", "This micro-credential asks for no such permission.")


def _standing(session: Session, pursuit_id: int, student_code: str, kind: str) -> EvidencePermission | None:
    return session.scalar(
        select(EvidencePermission).where(
            EvidencePermission.pursuit_id == pursuit_id,
            EvidencePermission.student_code == student_code,
            EvidencePermission.kind == kind,
            EvidencePermission.withdrawn_at.is_(None),
        )
    )


def _end(row: EvidencePermission, because: str, now: datetime) -> None:
    row.withdrawn_at, row.ended_because = now, because


def _today(session: Session, placement: Placement, now: datetime) -> date:
    return now.astimezone(policies.zone_of(session, placement.organization_id)).date()


def _plan_end(session: Session, placement: Placement, row: EvidencePermission, now: datetime) -> None:
    assert row.expires_on is not None
    zone = policies.zone_of(session, placement.organization_id)
    over = datetime.combine(row.expires_on + timedelta(days=1), time(), zone)
    outbox.add(
        session,
        kind=KIND,
        destination="local",
        order_key=f"{KIND}:{row.pursuit_id}:{row.student_code}:{row.kind}",
        subject=("pursuit", str(row.pursuit_id)),
        payload={"pursuit": row.pursuit_id},
        now=now,
        due_at=over,
    )


def _entry(row: EvidencePermission) -> Entry:
    return Entry(
        row.public_id,
        row.basis,
        row.form_name,
        row.form is None or row.form.state == "ready",
        row.expires_on,
        row.given_at,
        row.withdrawn_at,
        row.ended_because,
    )


def _record(
    session: Session, actor_id: int | None, row: EvidencePermission, action: str, now: datetime
) -> None:
    audit.record(
        session,
        at=now,
        actor_id=actor_id,
        action=action,
        subject=("pursuit", row.pursuit_id),
        detail={"student_code": row.student_code, "kind": row.kind, "basis": row.basis},
    )
