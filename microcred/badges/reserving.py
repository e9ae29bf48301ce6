"""The address of a badge and its place in a status list, fixed before anything is signed."""

import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from microcred.badges import status
from microcred.badges.models import Badge, StatusList
from microcred.credentials.models import Award

_LIST_SIZE = status.MINIMUM_BITS


@dataclass(frozen=True)
class Reserved:
    """An award whose badge is to be signed now."""

    award_id: int
    issuer_id: int
    version_id: int
    is_new: bool


def reserve(session: Session, wanted: Mapping[int, bool]) -> dict[int, Reserved]:
    """Fix address and status index of these awards' badges; `wanted` says of each whether it is wanted again.

    Left out are those of which nothing is to be issued: the badge is there already and is not wanted again,
    or the award was revoked before it was.
    """
    found = _look(session, wanted)
    new: defaultdict[int, list[int]] = defaultdict(list)
    for one in found.values():
        if one.is_new:
            new[one.issuer_id].append(one.award_id)
    for issuer_id in sorted(new):
        _give_places(session, issuer_id, new[issuer_id])
    return found


def _look(session: Session, wanted: Mapping[int, bool]) -> dict[int, Reserved]:
    rows = session.execute(
        select(Award.id, Award.issuer_id, Award.version_id, Badge.id, Badge.issued_at)
        .outerjoin(Badge, Badge.award_id == Award.id)
        .where(Award.id.in_(wanted), Award.revoked_at.is_(None))
        .order_by(Award.id)
    )
    return {
        award_id: Reserved(award_id, issuer_id, version_id, badge_id is None)
        for award_id, issuer_id, version_id, badge_id, issued_at in rows
        if issued_at is None or wanted[award_id]
    }


def _give_places(session: Session, issuer_id: int, award_ids: Sequence[int]) -> None:
    numbers = _open_list(session, issuer_id)
    # Asked again under the list's lock: another worker may have begun the same awards meanwhile.
    begun = set(session.scalars(select(Badge.award_id).where(Badge.award_id.in_(award_ids))))
    left = [award_id for award_id in award_ids if award_id not in begun]
    if not left:
        return
    named = session.execute(select(Award.id, Award.public_id).where(Award.id.in_(left)))
    public_ids = {row.id: row.public_id for row in named}
    indexes = _free_indexes(session, numbers, len(left))
    session.execute(
        insert(Badge),
        [
            # One id for the award and its badge: whoever has one address can tell all others.
            {
                "award_id": award_id,
                "public_id": public_ids[award_id],
                "status_list_id": numbers.id,
                "status_index": index,
            }
            for award_id, index in zip(left, indexes, strict=True)
        ],
    )
    numbers.issued += len(left)


def _open_list(session: Session, issuer_id: int) -> StatusList:
    """The issuer's list with room, locked until the transaction ends; half full counts as full."""
    found = session.scalar(
        select(StatusList)
        .where(StatusList.organization_id == issuer_id, StatusList.issued < StatusList.size // 2)
        .order_by(StatusList.id)
        .limit(1)
        .with_for_update()
    )
    if found is None:
        found = StatusList(organization_id=issuer_id, size=_LIST_SIZE, issued=0)
        session.add(found)
        session.flush()
    return found


def _free_indexes(session: Session, numbers: StatusList, count: int) -> Collection[int]:
    """Random indexes nobody has: an index must not tell when, or beside whom, a badge was earned."""
    free: set[int] = set()
    while len(free) < count:
        drawn = {secrets.randbelow(numbers.size) for _ in range(count - len(free))}
        taken = session.scalars(
            select(Badge.status_index).where(
                Badge.status_list_id == numbers.id, Badge.status_index.in_(drawn)
            )
        )
        free |= drawn - set(taken)
    return free
