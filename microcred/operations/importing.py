"""Badges earned elsewhere in a person's portfolio: kept with what could be checked, counted where the
organization's policy says so.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.badges.from_award import confirmed_addresses
from microcred.badges.importing import ob2, ob3
from microcred.badges.importing.facts import Learned, Web
from microcred.badges.importing.models import ImportedBadge
from microcred.badges.importing.reading import Given
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.people import audit, policies

MOST = 200
_REFUSED = {
    "revoked": "Its issuer has revoked this badge.",
    "changed": "This badge is not as its issuer made it: its signature does not hold.",
    "none": "Nobody has signed this badge, so nobody can check it.",
    "other_host": "Its address is not one of its issuer's.",
    "other_key": "It is signed with a key that is not its issuer's.",
    "not_yet_valid": "By its own date this badge is not valid yet. Bring it again then.",
}


@dataclass(frozen=True)
class Elsewhere:
    """An imported badge in the portfolio. All texts are somebody else's."""

    public_id: str
    name: str
    issuer_name: str
    issued_at: datetime | None
    expires_at: datetime | None
    hours: int | None
    standing: str
    is_counted: bool
    checks: tuple[tuple[str, str, str], ...]
    checked_at: datetime


def addresses_of(session: Session, actor: Actor) -> frozenset[str]:
    """The person's confirmed addresses, by which a badge may know them."""
    found: set[str] = set()
    for person_id in actor.person_ids:
        found |= set(confirmed_addresses(session, person_id).values())
    return frozenset(found)


def look_at(given: Given, web: Web, emails: frozenset[str], now: datetime) -> Learned:
    """Check a badge. Asks other people's servers, so no transaction may be open."""
    check = ob3.check if given.version == "3.0" else ob2.check
    return check(given, web, emails=emails, now=now)


def keep(session: Session, actor: Actor, learned: Learned, *, now: datetime) -> ImportedBadge:
    """Put a checked badge into the portfolio; one with the same id takes the place of the older copy.

    Raises OperationRefused where a check failed, or the badge does not say what it is.
    """
    refused = learned.is_refused
    if refused is not None:
        raise OperationRefused(f"badge_{refused.code}", _REFUSED.get(refused.code, _REFUSED["changed"]))
    if not learned.badge_id or not learned.name:
        raise OperationRefused("badge_unnamed", "This badge does not say what it is.")
    mine = select(ImportedBadge).where(ImportedBadge.person_id.in_(actor.person_ids))
    row = session.scalar(mine.where(ImportedBadge.badge_id == learned.badge_id).with_for_update())
    if row is None:
        if len(session.scalars(mine.with_only_columns(ImportedBadge.id)).all()) >= MOST:
            raise OperationRefused("too_many_badges", f"You have {MOST} badges here. Remove one first.")
        row = ImportedBadge(person_id=actor.own_id, badge_id=learned.badge_id)
        session.add(row)
    row.version, row.name, row.issuer_id = learned.version, learned.name, learned.issuer_id
    row.issuer_name = learned.issuer_name or learned.issuer_id
    row.issued_at, row.expires_at, row.hours = learned.issued_at, learned.expires_at, learned.hours
    row.standing, row.document = learned.standing, dict(learned.document)
    row.checks = [[check.what, check.outcome, check.code] for check in learned.checks]
    row.checked_at = now
    session.flush()
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action="badge.import",
        subject=("imported_badge", row.id),
        after=row.standing,
    )
    return row


def remove(session: Session, actor: Actor, public_id: str, *, now: datetime) -> None:
    """Take a badge out of the portfolio. Raises NotFound."""
    row = session.scalar(
        select(ImportedBadge).where(
            ImportedBadge.public_id == public_id, ImportedBadge.person_id.in_(actor.person_ids)
        )
    )
    if row is None:
        raise NotFound("no_such_badge", "This badge is not among yours. Nothing was changed.")
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action="badge.import_removed",
        subject=("imported_badge", row.id),
    )
    session.delete(row)


def portfolio(session: Session, actor: Actor, organization_id: int | None, now: datetime) -> list[Elsewhere]:
    """The person's badges from elsewhere, newest first; which of them count is the organization's policy."""
    counted = policies.counted_issuers(session, organization_id)
    rows = session.scalars(
        select(ImportedBadge)
        .where(ImportedBadge.person_id.in_(actor.person_ids))
        .order_by(ImportedBadge.id.desc())
        .limit(MOST)
    )
    return [_shown(row, counted, now) for row in rows]


def _shown(row: ImportedBadge, counted: frozenset[str], now: datetime) -> Elsewhere:
    expired = row.expires_at is not None and row.expires_at <= now
    standing = "expired" if expired else row.standing
    counts = standing == "verified" and ("*" in counted or row.issuer_id in counted)
    return Elsewhere(
        row.public_id,
        row.name,
        row.issuer_name,
        row.issued_at,
        row.expires_at,
        row.hours,
        standing,
        counts,
        tuple((str(what), str(outcome), str(code)) for what, outcome, code in row.checks),
        row.checked_at,
    )
