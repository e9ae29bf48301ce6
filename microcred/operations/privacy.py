"""Erasing a person (DESIGN section 5): asking for it, doing it, and what stays.

Gone: identities, names, addresses, drafts, answers, evidence, comments about the work, sessions and one-time
links. Kept without a name: awards with their decisions and dates, ratings, audit events. Somebody who comes
again later starts empty, as a new person.

With grades on their way the operator chooses: they are sent first, while the person can do nothing more, or
cancelled. Files are deleted by the worker once the rows that name them are gone, so nothing is lost half-way.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, UpdateBase, delete, func, select, update
from sqlalchemy.orm import Session

from grade_passback.models import ScoreLine
from lti_tool.models import CourseStaff, Launch
from microcred import outbox
from microcred.badges import lifecycle as badges
from microcred.badges.backpack import connections as backpacks
from microcred.badges.importing.models import ImportedBadge
from microcred.badges.wallet.models import WalletOffer
from microcred.credentials.file_models import EvidenceFile, EvidenceUpload, EvidenceUploadPiece
from microcred.credentials.models import (
    Attempt,
    Award,
    Decision,
    EvidenceItem,
    EvidencePermission,
    NamesCheck,
    PrivacyFlag,
    Pursuit,
    Rating,
    Response,
    Review,
)
from microcred.credentials.steps import CLOSED, Action, State
from microcred.credentials.workflow import SYSTEM, Facts, plan
from microcred.database import Clock, Database
from microcred.operations import consequences, forgetting
from microcred.operations.actor import Actor
from microcred.operations.errors import OperationRefused
from microcred.outbox import OutboxRow
from microcred.people import audit, canonical_id, ids_of, standing
from microcred.people.models import (
    ContactAddress,
    DeskSession,
    EraseRequest,
    LinkCode,
    LmsIdentity,
    Notice,
    NoticeChoice,
    OneTimeLink,
    Person,
    RoleGrant,
)
from microcred.placements import Placement
from microcred.storage import Storage, StorageError

ERASE = "erase"
"""Outbox kind: erase a person once their grades have been sent."""
DELETE_FILES = "delete_files"
"""Outbox kind: delete files that nothing refers to any more."""
GRADES_WAIT = timedelta(hours=71)
"""Grades that have not been sent by then are cancelled: their own time ends after 72 hours."""
_FILES_A_ROW = 200
_ON_THE_WAY = ("waiting", "held")


class Grades(StrEnum):
    """What happens to grades that are still on their way."""

    SEND = "send"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Erasing:
    """How far an erasure is."""

    done: bool
    waiting_grades: int
    """Grades that are sent first."""


# asking


def open_request(session: Session, actor: Actor) -> EraseRequest | None:
    """What the actor asked for and nobody has answered yet."""
    return session.scalar(
        select(EraseRequest)
        .where(EraseRequest.person_id.in_(actor.person_ids), EraseRequest.closed_at.is_(None))
        .order_by(EraseRequest.id)
        .limit(1)
    )


def ask_to_be_erased(session: Session, actor: Actor, *, keeps_badges: bool, now: datetime) -> None:
    """Put the wish on record for the operator. Asking again only changes the wish about badges."""
    request = open_request(session, actor)
    if request is not None and request.keeps_badges == keeps_badges:
        return
    if request is None:
        request = EraseRequest(person_id=actor.own_id, created_at=now)
        session.add(request)
    request.keeps_badges = keeps_badges
    session.flush()
    _record(session, actor.own_id, "person.erase_asked", actor.own_id, now, keeps_badges=keeps_badges)


def take_request_back(session: Session, actor: Actor, *, now: datetime) -> None:
    """Forget the wish. A second press changes nothing."""
    request = open_request(session, actor)
    if request is not None:
        _close(request, "taken_back", now)
        _record(session, actor.own_id, "person.erase_ask_taken_back", actor.own_id, now)


def decline_request(session: Session, request: EraseRequest, *, by: int | None, now: datetime) -> None:
    """The operator will not erase this person."""
    if request.closed_at is None:
        _close(request, "declined", now)
        _record(session, request.person_id, "person.erase_declined", by, now)


# erasing


def queued_grades(session: Session, person_ids: Collection[int], now: datetime) -> int:
    """Grades of these persons on their way; those kept back for longer than a delivery may take are not."""
    return (
        session.scalar(
            select(func.count())
            .select_from(OutboxRow)
            .where(
                _about(_identities(session, person_ids)),
                OutboxRow.state.in_(_ON_THE_WAY),
                OutboxRow.due_at <= now + GRADES_WAIT,
            )
        )
        or 0
    )


def erase(
    session: Session, person_id: int, *, grades: Grades, keep_badges: bool, by: int | None, now: datetime
) -> Erasing:
    """Erase a human with every identity linked to them.

    With `Grades.SEND` and grades on their way, the person is shut out now and erased by the worker once they
    have been sent (kind `erase`). Raises OperationRefused(`already_erased`).
    """
    root = canonical_id(session, person_id)
    ids = _locked(session, root)
    if not ids:
        raise OperationRefused("already_erased", "This person was erased before. Nothing was changed.")
    waiting = queued_grades(session, ids, now)
    if grades is Grades.SEND and waiting:
        standing.suspend(session, root, now=now, by=by)
        outbox.add(
            session,
            kind=ERASE,
            destination="local",
            order_key=f"{ERASE}:{root}",
            subject=("person", str(root)),
            payload={"person": root, "keep_badges": keep_badges, "by": by},
            now=now,
        )
        _record(session, root, "person.erase_begun", by, now, grades_to_send=waiting)
        return Erasing(False, waiting)
    outbox.cancel(session, now=now, subject=("person", str(root)))
    _erase_now(session, root, ids, keep_badges, by, now)
    return Erasing(True, 0)


def is_being_erased(session: Session, person_id: int) -> bool:
    """Whether an erasure waits for grades to be sent."""
    waiting = select(OutboxRow.id).where(
        OutboxRow.subject_type == "person",
        OutboxRow.subject_id == str(canonical_id(session, person_id)),
        OutboxRow.kind == ERASE,
        OutboxRow.state.in_(_ON_THE_WAY),
    )
    return session.scalar(waiting.limit(1)) is not None


def erase_handler(database: Database, clock: Clock) -> outbox.Handler:
    """Handler of kind `erase`: waits until the person's grades have been sent, then erases."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        now = clock.now()
        with database.writing() as session:
            root = int(job.payload["person"])
            ids = _locked(session, root)
            waiting = queued_grades(session, ids, now)
            if waiting and now - job.created_at < GRADES_WAIT:
                young = now - job.created_at < timedelta(minutes=10)
                return outbox.Retry(
                    reason="grades_waiting", after=10 if young else 300, destination_failed=False
                )
            if ids:
                _erase_now(session, root, ids, bool(job.payload["keep_badges"]), job.payload["by"], now)
        return outbox.Delivered(answer={"grades_cancelled": waiting})

    return handle


def delete_files_handler(storage: Storage) -> outbox.Handler:
    """Handler of kind `delete_files`; a file that is gone already is no error."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        keys, folders = job.payload.get("keys", []), job.payload.get("folders", [])
        try:
            for key in keys:
                storage.delete(key)
            for folder in folders:
                storage.delete_folder(folder)
        except (StorageError, OSError):
            return outbox.Retry(reason="storage_away", destination_failed=False)
        return outbox.Delivered(answer={"files": len(keys), "folders": len(folders)})

    return handle


def delete_files_later(session: Session, keys: Sequence[str], now: datetime) -> None:
    """Let the worker delete files of the store."""
    _delete_of_store(session, "keys", keys, now)


def delete_folders_later(session: Session, folders: Sequence[str], now: datetime) -> None:
    """Let the worker delete folders of the store with all that is in them."""
    _delete_of_store(session, "folders", folders, now)


def _delete_of_store(session: Session, what: str, names: Sequence[str], now: datetime) -> None:
    for start in range(0, len(names), _FILES_A_ROW):
        outbox.add(
            session,
            kind=DELETE_FILES,
            destination="local",
            order_key=None,
            subject=("installation", "1"),
            payload={what: list(names[start : start + _FILES_A_ROW])},
            now=now,
        )


def _locked(session: Session, root: int) -> frozenset[int]:
    """The ids of a human who is not erased yet, locked; empty where they are."""
    people = session.scalars(
        select(Person)
        .where(Person.id.in_(ids_of(session, root)), Person.state != "erased")
        .order_by(Person.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return frozenset(person.id for person in people)


def _erase_now(
    session: Session, root: int, ids: frozenset[int], keep_badges: bool, by: int | None, now: datetime
) -> None:
    backpacks.forget(session, ids, now=now)
    session.execute(delete(ImportedBadge).where(ImportedBadge.person_id.in_(ids)))
    awards_of = select(Award.id).where(Award.person_id.in_(ids))
    session.execute(delete(WalletOffer).where(WalletOffer.award_id.in_(awards_of)))  # names their wallets
    forgetting.forget_reviewing(session, ids, now)
    files = _erase_work(session, ids, now)
    _erase_uploads(session, ids, now)
    pictures, awards = _settle_awards(session, ids, keep_badges, now)
    _erase_deliveries(session, ids, now)
    _erase_identities(session, ids)
    _erase_person(session, ids, now)
    _delete_later(session, root, [*files, *pictures], now)
    _record(session, root, "person.erase", by, now, files=len(files), awards=awards, badges_kept=keep_badges)


def _erase_work(session: Session, ids: frozenset[int], now: datetime) -> list[str]:
    """Close open tries; remove answers, evidence, permissions and every word about them. Gives file keys."""
    pursuits = select(Pursuit.id).where(Pursuit.person_id.in_(ids))
    tries = select(Attempt.id).where(Attempt.pursuit_id.in_(pursuits))
    still_open = frozenset(State) - CLOSED - {State.WITHDRAWN}
    for attempt in session.scalars(
        select(Attempt).where(Attempt.id.in_(tries), Attempt.state.in_(still_open)).with_for_update()
    ).all():
        closing = plan(Facts(state=State(attempt.state), owner_id=0), Action.CLOSE, SYSTEM)
        consequences.apply(session, attempt, closing, actor_id=None, now=now)
    session.execute(update(Attempt).where(Attempt.id.in_(tries)).values(incomplete_because=""))
    keys = session.scalars(
        select(EvidenceItem.storage_key)
        .where(EvidenceItem.attempt_id.in_(tries), EvidenceItem.storage_key.is_not(None))
        .distinct()
    ).all()
    reviews = select(Review.id).where(Review.attempt_id.in_(tries))
    forms = session.scalars(
        select(EvidencePermission.form_key).where(
            EvidencePermission.pursuit_id.in_(pursuits), EvidencePermission.form_key.is_not(None)
        )
    ).all()
    for statement in (
        delete(PrivacyFlag).where(PrivacyFlag.attempt_id.in_(tries)),
        delete(NamesCheck).where(NamesCheck.attempt_id.in_(tries)),
        update(PrivacyFlag).where(PrivacyFlag.raised_by_id.in_(ids)).values(raised_by_id=None),
        delete(Response).where(Response.attempt_id.in_(tries)),
        delete(EvidenceItem).where(EvidenceItem.attempt_id.in_(tries)),
        delete(EvidencePermission).where(EvidencePermission.pursuit_id.in_(pursuits)),
        update(Rating).where(Rating.review_id.in_(reviews)).values(comment=""),
        update(Review).where(Review.attempt_id.in_(tries)).values(private_note=""),
        update(Decision).where(Decision.attempt_id.in_(tries)).values(reason=""),
        delete(Review).where(Review.reviewer_id.in_(ids), Review.started_at.is_(None)),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    shared = set(session.scalars(select(EvidenceItem.storage_key).where(EvidenceItem.storage_key.in_(keys))))
    mine = [key for key in keys if key is not None and key not in shared]
    copies = session.scalars(
        select(EvidenceFile.view_key).where(
            EvidenceFile.storage_key.in_(mine), EvidenceFile.view_key.is_not(None)
        )
    ).all()
    session.execute(delete(EvidenceFile).where(EvidenceFile.storage_key.in_([*mine, *forms])))
    return [*mine, *(key for key in (*copies, *forms) if key is not None)]


def _erase_uploads(session: Session, ids: frozenset[int], now: datetime) -> None:
    """Files that were still on their way."""
    uploads = session.execute(
        select(EvidenceUpload.id, EvidenceUpload.public_id).where(EvidenceUpload.person_id.in_(ids))
    ).all()
    row_ids = [upload.id for upload in uploads]
    session.execute(delete(EvidenceUploadPiece).where(EvidenceUploadPiece.upload_id.in_(row_ids)))
    session.execute(delete(EvidenceUpload).where(EvidenceUpload.id.in_(row_ids)))
    delete_folders_later(session, [f"uploads/{upload.public_id}" for upload in uploads], now)


def _settle_awards(
    session: Session, ids: frozenset[int], keep_badges: bool, now: datetime
) -> tuple[list[str], int]:
    """Awards stay without a name; their badges are kept or withdrawn. Gives picture keys and their number."""
    awards = session.scalars(select(Award).where(Award.person_id.in_(ids)).order_by(Award.id)).all()
    pictures = []
    for award in awards:
        award.shows_name = False
        if keep_badges:
            badges.keep(session, award, now=now)
        elif (picture := badges.withdraw(session, award, now=now)) is not None:
            pictures.append(picture)
    return pictures, len(awards)


def _erase_deliveries(session: Session, ids: frozenset[int], now: datetime) -> None:
    """Cancel what was not sent, and empty what was: payloads hold the LMS's user id and comments."""
    identities = _identities(session, ids)
    for identity_id in identities:
        outbox.cancel(session, now=now, subject=("lms_identity", str(identity_id)))
    session.execute(delete(ScoreLine).where(ScoreLine.identity_id.in_(identities)))
    about = _about(identities)
    stuck = OutboxRow.state.in_(("blocked", "dead"))
    session.execute(
        update(OutboxRow)
        .where(about, stuck)
        .values(state="cancelled", reason="erased")
        .execution_options(synchronize_session=False)
    )
    # Without key and subject too: SQLite may give the identity's number to the next one.
    session.execute(
        update(OutboxRow)
        .where(about)
        .values(payload={}, last_answer=None, order_key=None, subject_id="erased")
        .execution_options(synchronize_session=False)
    )


def _erase_identities(session: Session, ids: frozenset[int]) -> None:
    """Remove launches and identities: the next launch of the same `sub` finds nobody."""
    identities = session.execute(
        select(LmsIdentity.registration_id, LmsIdentity.sub).where(LmsIdentity.person_id.in_(ids))
    ).all()
    launches = select(Launch.id).where(Launch.person_id.in_(ids))
    statements: list[UpdateBase] = [
        delete(CourseStaff).where(CourseStaff.identity_id.in_(_identities(session, ids))),
        update(Placement).where(Placement.made_in_launch_id.in_(launches)).values(made_in_launch_id=None),
        delete(Launch).where(Launch.person_id.in_(ids)),
        delete(LmsIdentity).where(LmsIdentity.person_id.in_(ids)),
    ]
    # Others may have opened this person's submission or privacy page.
    statements += [
        update(Launch)
        .where(Launch.registration_id == registration_id, Launch.for_user_sub == sub)
        .values(for_user_sub=None)
        for registration_id, sub in identities
    ]
    for statement in statements:
        session.execute(statement.execution_options(synchronize_session=False))


def _erase_person(session: Session, ids: frozenset[int], now: datetime) -> None:
    queued = select(Notice.id).where(Notice.person_id.in_(ids), Notice.mail.in_(("queued", "begun")))
    for notice_id in session.scalars(queued).all():
        outbox.cancel(session, now=now, subject=("notice", str(notice_id)))
    for table in (ContactAddress, OneTimeLink, DeskSession, LinkCode, Notice, NoticeChoice):
        session.execute(delete(table).where(table.person_id.in_(ids)))
    session.execute(delete(RoleGrant).where(RoleGrant.person_id.in_(ids), RoleGrant.valid_from >= now))
    session.execute(
        update(RoleGrant)
        .where(RoleGrant.person_id.in_(ids), RoleGrant.valid_to.is_(None) | (RoleGrant.valid_to > now))
        .values(valid_to=now)
        .execution_options(synchronize_session=False)
    )
    for request in session.scalars(
        select(EraseRequest).where(EraseRequest.person_id.in_(ids), EraseRequest.closed_at.is_(None))
    ):
        _close(request, "erased", now)
    for person in session.scalars(select(Person).where(Person.id.in_(ids))):
        person.name = person.given_name = person.family_name = person.email = person.locale = None
        person.merged_into_id = None
        person.state = "erased"
    session.flush()


def _delete_later(session: Session, root: int, keys: Sequence[str], now: datetime) -> None:
    for start in range(0, len(keys), _FILES_A_ROW):
        outbox.add(
            session,
            kind=DELETE_FILES,
            destination="local",
            order_key=None,
            subject=("person", str(root)),
            payload={"keys": list(keys[start : start + _FILES_A_ROW])},
            now=now,
        )


def _identities(session: Session, ids: Collection[int]) -> list[int]:
    return list(session.scalars(select(LmsIdentity.id).where(LmsIdentity.person_id.in_(ids))))


def _about(identities: Iterable[int]) -> ColumnElement[bool]:
    return (OutboxRow.subject_type == "lms_identity") & OutboxRow.subject_id.in_(
        [str(identity_id) for identity_id in identities]
    )


def _close(request: EraseRequest, outcome: str, now: datetime) -> None:
    request.closed_at, request.outcome = now, outcome


def _record(
    session: Session, person_id: int, action: str, by: int | None, now: datetime, **detail: int | bool
) -> None:
    audit.record(
        session, at=now, actor_id=by, action=action, subject=("person", person_id), detail=dict(detail)
    )
