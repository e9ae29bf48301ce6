"""A person's own e-mail addresses: added, confirmed by a mailed link, removed; and the badge by mail.

With a confirmed address of their own a badge still knows its holder when the work account is closed. Mail
goes to the person's own addresses alone, never to somebody else's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.badges import lifecycle as badges
from microcred.badges.models import Badge, HoldersChoice
from microcred.credentials.models import Award
from microcred.mail import address_of
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.notifying import MAIL
from microcred.people import audit
from microcred.people.models import ContactAddress, Person
from microcred.sealing import Keyring, SealBroken

KIND = "own_mail"
"""Outbox kind: a confirmation or a badge, to an address of the person's own."""
MOST = 5
_AGAIN = timedelta(minutes=2)
_LINK_LIFE = timedelta(days=3)


@dataclass(frozen=True)
class OwnAddress:
    """One address on its owner's page."""

    id: int
    address: str
    is_confirmed: bool


@dataclass(frozen=True)
class Asked:
    """What a link asks: whose address this is to be."""

    address_id: int
    address: str
    person_name: str | None
    is_confirmed: bool


def addresses(session: Session, actor: Actor) -> list[OwnAddress]:
    """The actor's addresses, oldest first."""
    rows = session.scalars(
        select(ContactAddress)
        .where(ContactAddress.person_id.in_(actor.person_ids))
        .order_by(ContactAddress.id)
    )
    return [OwnAddress(row.id, row.address, row.confirmed_at is not None) for row in rows]


def add(session: Session, actor: Actor, text: str, *, now: datetime) -> None:
    """Note an address and mail it a link. Asking again mails the link again, after two minutes.

    Raises OperationRefused: `address_invalid`, `address_confirmed`, `mailed_just_now`, `too_many_addresses`.
    """
    address = address_of(text)
    if address is None:
        raise OperationRefused("address_invalid", "This is not an e-mail address. Nothing was changed.")
    mine = session.scalars(
        select(ContactAddress).where(ContactAddress.person_id.in_(actor.person_ids)).with_for_update()
    ).all()
    row = next((one for one in mine if one.address.lower() == address.lower()), None)
    if row is not None and row.confirmed_at is not None:
        raise OperationRefused("address_confirmed", "This address is confirmed already.")
    if row is not None and row.created_at > now - _AGAIN:
        raise OperationRefused("mailed_just_now", "A mail is on its way there. Look again in two minutes.")
    if row is None:
        if len(mine) >= MOST:
            raise OperationRefused("too_many_addresses", f"You have {MOST} addresses. Remove one first.")
        row = ContactAddress(person_id=actor.own_id, address=address)
        session.add(row)
    row.created_at = now
    session.flush()
    _mail(session, row, {"what": "confirm", "address": row.id}, now)
    _record(session, actor, row, "address.add", now)


def remove(session: Session, actor: Actor, address_id: int, *, now: datetime) -> None:
    """Forget an address; badges that knew the person by it are written anew. Raises NotFound."""
    row = _own(session, actor, address_id)
    outbox.cancel(session, now=now, subject=("contact_address", str(row.id)))
    if row.confirmed_at is not None:
        chosen = session.execute(
            select(HoldersChoice, Award)
            .join(Award, Award.id == HoldersChoice.award_id)
            .where(Award.person_id == row.person_id, Award.revoked_at.is_(None), Award.is_test.is_(False))
        ).all()
        for choice, award in chosen:
            shown = choice.shown_address_id == row.id
            if shown:
                choice.shown_address_id = None
            if shown or choice.recognised_by_email:
                badges.reissue(session, award, now=now)
    _record(session, actor, row, "address.remove", now)
    session.flush()
    session.delete(row)


def mail_badge(session: Session, actor: Actor, award: Award, address_id: int, *, now: datetime) -> None:
    """Mail the badge's file to a confirmed address of the person's own.

    Raises NotFound, OperationRefused(`address_unconfirmed`, `not_signed`).
    """
    row = _own(session, actor, address_id)
    if row.confirmed_at is None:
        raise OperationRefused("address_unconfirmed", "Confirm this address first, by the link we mailed.")
    if session.scalar(select(Badge.issued_at).where(Badge.award_id == award.id)) is None:
        raise OperationRefused("not_signed", "Your badge is being signed. Try again in a moment.")
    _mail(session, row, {"what": "badge", "address": row.id, "award": award.public_id}, now)


def link_secret(keyring: Keyring, row: ContactAddress, now: datetime) -> str:
    """What a mailed link carries: it names the address, so that it confirms no other one."""
    ends = int((now + _LINK_LIFE).timestamp())
    return keyring.seal_text("address", {"id": row.id, "address": row.address, "ends": ends})


def asked(session: Session, keyring: Keyring, secret: str, *, now: datetime) -> Asked:
    """What a link asks. Raises OperationRefused(`link_unknown`, `link_expired`)."""
    row = _behind(session, keyring, secret, now)
    name = session.scalar(select(Person.name).where(Person.id == row.person_id))
    return Asked(row.id, row.address, name, row.confirmed_at is not None)


def confirm(session: Session, keyring: Keyring, secret: str, *, now: datetime) -> str:
    """The mailbox's owner agrees; gives the address. A second press changes nothing. Raises as `asked`."""
    row = _behind(session, keyring, secret, now)
    if row.confirmed_at is None:
        row.confirmed_at = now
        audit.record(
            session,
            at=now,
            actor_id=row.person_id,
            action="address.confirm",
            subject=("contact_address", row.id),
        )
    return row.address


def _behind(session: Session, keyring: Keyring, secret: str, now: datetime) -> ContactAddress:
    unknown = OperationRefused(
        "link_unknown", "This link is not one of ours. Check that you copied all of it."
    )
    try:
        value = keyring.open_text("address", secret)
    except (SealBroken, ValueError) as problem:
        raise unknown from problem
    row = session.get(ContactAddress, int(value["id"]))
    if row is None or row.address != value["address"]:
        raise unknown
    if value["ends"] < now.timestamp():
        raise OperationRefused("link_expired", "This link is too old. Add the address once more.")
    return row


def _own(session: Session, actor: Actor, address_id: int) -> ContactAddress:
    row = session.get(ContactAddress, address_id)
    if row is None or row.person_id not in actor.person_ids:
        raise NotFound("no_such_address", "This address is not among yours. Nothing was changed.")
    return row


def _mail(session: Session, row: ContactAddress, payload: dict[str, object], now: datetime) -> None:
    outbox.add(
        session,
        kind=KIND,
        destination=MAIL,
        order_key=f"own_mail:{row.id}:{payload['what']}:{payload.get('award', '')}",
        subject=("contact_address", str(row.id)),
        payload=payload,
        now=now,
    )


def _record(session: Session, actor: Actor, row: ContactAddress, action: str, now: datetime) -> None:
    audit.record(session, at=now, actor_id=actor.own_id, action=action, subject=("contact_address", row.id))
