"""What goes when a person is erased, table by table."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, UpdateBase, delete, select, update
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
from microcred.operations import consequences, forgetting
from microcred.operations.deleting_files import delete_files_later, delete_folders_later
from microcred.outbox import OutboxRow
from microcred.people import audit
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


def erase_now(
    session: Session, root: int, ids: frozenset[int], keep_badges: bool, by: int | None, now: datetime
) -> None:
    """Erase the human with these person ids, of whom `root` is the canonical one; all rows are locked."""
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
    delete_files_later(session, [*files, *pictures], now, ("person", str(root)))
    record_about(
        session, root, "person.erase", by, now, files=len(files), awards=awards, badges_kept=keep_badges
    )


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
    identities = identities_of(session, ids)
    for identity_id in identities:
        outbox.cancel(session, now=now, subject=("lms_identity", str(identity_id)))
    session.execute(delete(ScoreLine).where(ScoreLine.identity_id.in_(identities)))
    about = about_identities(identities)
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
        delete(CourseStaff).where(CourseStaff.identity_id.in_(identities_of(session, ids))),
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
        close_request(request, "erased", now)
    for person in session.scalars(select(Person).where(Person.id.in_(ids))):
        person.name = person.given_name = person.family_name = person.email = person.locale = None
        person.merged_into_id = None
        person.state = "erased"
    session.flush()


def identities_of(session: Session, ids: Collection[int]) -> list[int]:
    """Ids of the identities of these persons."""
    return list(session.scalars(select(LmsIdentity.id).where(LmsIdentity.person_id.in_(ids))))


def about_identities(identities: Iterable[int]) -> ColumnElement[bool]:
    """Condition for deliveries about these identities."""
    return (OutboxRow.subject_type == "lms_identity") & OutboxRow.subject_id.in_(
        [str(identity_id) for identity_id in identities]
    )


def close_request(request: EraseRequest, outcome: str, now: datetime) -> None:
    """Note what became of a wish to be erased."""
    request.closed_at, request.outcome = now, outcome


def record_about(
    session: Session, person_id: int, action: str, by: int | None, now: datetime, **detail: int | bool
) -> None:
    """Add an audit event about a person."""
    audit.record(
        session, at=now, actor_id=by, action=action, subject=("person", person_id), detail=dict(detail)
    )
