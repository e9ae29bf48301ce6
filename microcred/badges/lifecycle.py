"""What happens to the badge of an award, asked for in somebody's transaction: issue it, write it anew, revoke
it, take it back or keep it when its holder is erased.
"""

from datetime import datetime

from sqlalchemy import null, select, update
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.badges.models import Badge, HoldersChoice, KeptBadge, StatusList
from microcred.credentials.models import Award
from microcred.people.models import Person

KIND = "badge"
"""Outbox kind: issue a badge."""
DESTINATION = "badges"
"""Badges have a queue of their own: a term's end must not hold up the tool's other work."""


def request(session: Session, award: Award, *, now: datetime) -> None:
    """Ask for the badge of an award, in the decision's transaction."""
    outbox.add(
        session,
        kind=KIND,
        destination=DESTINATION,
        order_key=f"badge:{award.id}",
        subject=("award", str(award.id)),
        payload={"award_id": award.id},
        now=now,
    )


def reissue(session: Session, award: Award, *, now: datetime) -> None:
    """Ask for the badge of an award to be written anew, because what it says has changed.

    It keeps its id and its place in the status list; `validFrom` moves, by which others know the newer copy
    (OB 3.0, Credential Equality and Comparison).
    """
    outbox.add(
        session,
        kind=KIND,
        destination=DESTINATION,
        order_key=f"badge:{award.id}",
        subject=("award", str(award.id)),
        payload={"award_id": award.id, "again": True},
        now=now,
    )


def revoke(session: Session, award: Award, *, reason: str, now: datetime) -> None:
    """Revoke an award: its hosted assertion answers 410 from now on and its bit is set in the list that is
    signed next.
    """
    award.revoked_at, award.revocation_reason = now, reason[:200]
    session.flush()
    # Written even where this session saw no signed list: somebody may be signing the old bits just now.
    number = select(Badge.status_list_id).where(Badge.award_id == award.id).scalar_subquery()
    session.execute(
        update(StatusList).where(StatusList.id == number).values(credential=null()),
        execution_options={"synchronize_session": "fetch"},
    )


def withdraw(session: Session, award: Award, *, now: datetime) -> str | None:
    """Take back the badge of a holder who is erased: its documents are gone, its addresses answer 410.

    Gives the storage key of its picture, for whoever deletes it after the transaction. What a backpack holds
    already stays signed: the issuer has not revoked it.
    """
    outbox.cancel(session, now=now, subject=("award", str(award.id)))
    _forget_choice(session, award)
    badge = session.scalar(select(Badge).where(Badge.award_id == award.id))
    if badge is None:
        return None
    picture = badge.image_key
    badge.ob3 = badge.ob2_assertion = badge.jwt = badge.ob2_jws = badge.image_key = badge.issued_at = None
    return picture


def keep(session: Session, award: Award, *, now: datetime) -> None:
    """Leave the badge of a holder who is erased where it is, without a name."""
    if session.get(KeptBadge, award.id) is None:
        session.add(KeptBadge(award_id=award.id, kept_at=now))
    if _forget_choice(session, award):
        reissue(session, award, now=now)


def _forget_choice(session: Session, award: Award) -> bool:
    """Nothing that the holder showed of their own is shown any longer; whether there was anything."""
    award.shows_name = False
    choice = session.get(HoldersChoice, award.id)
    if choice is not None:
        session.delete(choice)
        session.flush()
    return choice is not None


def is_withdrawn(session: Session, award: Award, holder: Person) -> bool:
    """Whether the badge went with its holder's data."""
    return holder.state == "erased" and session.get(KeptBadge, award.id) is None
