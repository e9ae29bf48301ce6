"""Backpacks of a person: connecting one, sending badges there, letting go of it.

Connecting leads through a window of its own, whose way is a sign-in (`BackpackSignIn`): begun from a page of
the person, opened once by its ticket, answered once by the host in the same browser.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from microcred.badges.backpack import connections
from microcred.badges.backpack.connecting import Met, digest
from microcred.badges.backpack.models import Backpack, BackpackHost, BackpackPush, BackpackSignIn
from microcred.badges.models import Badge
from microcred.credentials.models import Award
from microcred.database import random_id
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.people import audit
from microcred.people.models import Person

_VALID = timedelta(minutes=15)
_MOST_AN_HOUR = 20
_SECRET_LENGTH = 40


@dataclass(frozen=True)
class Standing:
    """How one badge stands with a backpack."""

    state: str
    reason: str | None
    changed_at: datetime


@dataclass(frozen=True)
class Connected:
    """A backpack on its owner's page."""

    public_id: str
    host_name: str
    address: str
    state: str
    sends_by_itself: bool
    connected_at: datetime
    badge: Standing | None
    """None where this badge was never sent there."""


@dataclass(frozen=True)
class Opened:
    """The window of a sign-in: whose badges, which host, and the secret of its cookie."""

    person_name: str | None
    host: BackpackHost
    browser: str


def backpacks_of(session: Session, actor: Actor, award_public_id: str) -> list[Connected]:
    """The actor's backpacks, oldest first, with how one badge stands in each."""
    found = session.execute(
        select(Backpack, BackpackHost, BackpackPush)
        .join(BackpackHost, BackpackHost.id == Backpack.host_id)
        .outerjoin(
            BackpackPush,
            (BackpackPush.backpack_id == Backpack.id)
            & (
                BackpackPush.award_id
                == select(Award.id).where(Award.public_id == award_public_id).scalar_subquery()
            ),
        )
        .where(Backpack.person_id.in_(actor.person_ids), Backpack.state != "disconnected")
        .order_by(Backpack.id)
    )
    return [
        Connected(
            backpack.public_id,
            host.name,
            host.address,
            backpack.state,
            backpack.sends_by_itself,
            backpack.connected_at,
            Standing(push.state, push.reason, push.changed_at) if push else None,
        )
        for backpack, host, push in found
    ]


def host_at(session: Session, address: str) -> BackpackHost | None:
    """The host at an address, where somebody has connected there before."""
    return session.scalar(select(BackpackHost).where(BackpackHost.address == address))


def keep_host(session: Session, met: Met, *, now: datetime) -> BackpackHost:
    """Store what a host said, and what it gave us."""
    host = session.scalar(select(BackpackHost).where(BackpackHost.address == met.facts.address))
    if host is None:
        host = BackpackHost(public_id=met.public_id, address=met.facts.address)
        session.add(host)
    elif host.public_id != met.public_id:
        return host  # somebody else met it at the same moment
    host.protocol, host.name, host.facts = met.facts.protocol, met.facts.name, connections.stored(met.facts)
    host.sealed_client, host.client_expires_at = met.sealed_client, met.client_expires_at
    host.redirect_uri, host.met_at = met.redirect_uri, now
    session.flush()
    return host


def may_begin(session: Session, actor: Actor, *, now: datetime) -> None:
    """Raises OperationRefused after too many tries: each makes us ask somebody's server."""
    begun = select(func.count()).where(
        BackpackSignIn.person_id.in_(actor.person_ids), BackpackSignIn.created_at > now - timedelta(hours=1)
    )
    if (session.scalar(begun) or 0) >= _MOST_AN_HOUR:
        raise OperationRefused(
            "too_many", "You have tried this very often. Wait an hour, then try again; your badge is safe."
        )


def begin(
    session: Session, actor: Actor, host: BackpackHost, award: Award, *, sends_by_itself: bool, now: datetime
) -> str:
    """Begin connecting a backpack; gives the ticket that opens the window, once, for 15 minutes."""
    may_begin(session, actor, now=now)
    ticket = random_id(_SECRET_LENGTH)
    session.add(
        BackpackSignIn(
            ticket_digest=digest(ticket),
            person_id=actor.own_id,
            host_id=host.id,
            award_id=award.id,
            sends_by_itself=sends_by_itself,
            created_at=now,
            expires_at=now + _VALID,
        )
    )
    session.flush()
    return ticket


def open_window(session: Session, ticket: str, cookies: dict[str, str], *, now: datetime) -> Opened:
    """Open the window of a ticket. The same browser may open it again; another one may not.

    `cookies` are the window's, by host. Raises OperationRefused: `link_unknown`, `link_used`, `link_expired`.
    """
    row = session.scalar(
        select(BackpackSignIn).where(BackpackSignIn.ticket_digest == digest(ticket)).with_for_update()
    )
    if row is None:
        raise OperationRefused(
            "link_unknown", "This window belongs to nothing. Start again on your badge page."
        )
    if row.expires_at <= now:
        raise OperationRefused("link_expired", "This took too long. Start again on your badge page.")
    host = session.get_one(BackpackHost, row.host_id)
    browser = cookies.get(host.public_id, "")
    if row.opened_at is None:
        browser = random_id(_SECRET_LENGTH)
        row.opened_at, row.browser_digest = now, digest(browser)
    elif row.closed_at is not None or digest(browser) != row.browser_digest:
        raise OperationRefused("link_used", "This window was opened before. Start again on your badge page.")
    name = session.scalar(select(Person.name).where(Person.id == row.person_id))
    return Opened(name, host, browser)


def answered(
    session: Session, host_public_id: str, browser: str, *, now: datetime
) -> tuple[BackpackSignIn, BackpackHost]:
    """The sign-in that this browser waits for at this host, locked.

    Raises OperationRefused: `answer_foreign` (another browser, another host, none), `answer_used`,
    `answer_late`.
    """
    row = (
        session.scalar(
            select(BackpackSignIn).where(BackpackSignIn.browser_digest == digest(browser)).with_for_update()
        )
        if browser
        else None
    )
    host = session.get(BackpackHost, row.host_id) if row is not None else None
    if row is None or host is None or host.public_id != host_public_id:
        raise OperationRefused(
            "answer_foreign",
            "This answer does not belong to this window. Nothing was connected. "
            "Start again on your badge page.",
        )
    if row.closed_at is not None:
        raise OperationRefused(
            "answer_used", "This answer was used before. Look at your badge page to see what is connected."
        )
    if row.expires_at <= now:
        raise OperationRefused("answer_late", "This took too long. Start again on your badge page.")
    return row, host


def close(session: Session, sign_in: BackpackSignIn, outcome: str, *, now: datetime) -> None:
    """The answer has come: it is not taken a second time, whatever becomes of it."""
    sign_in.closed_at, sign_in.outcome = now, outcome


def connect(
    session: Session, sign_in_id: int, sealed_tokens: bytes, expires_at: datetime | None, *, now: datetime
) -> int:
    """Keep a backpack's tokens; the badge from whose page it began is sent, and all that had stopped.

    Gives how many badges are on their way. Raises NotFound where the person is gone.
    """
    sign_in = session.get_one(BackpackSignIn, sign_in_id)
    person = session.get(Person, sign_in.person_id)
    if person is None or person.state != "active":
        raise NotFound("no_such_person", "This account is closed. Nothing was connected.")
    sign_in.outcome = "connected"
    asked = select(Backpack).where(
        Backpack.person_id == sign_in.person_id, Backpack.host_id == sign_in.host_id
    )
    backpack = session.scalar(asked.with_for_update())
    if backpack is None:
        backpack = Backpack(person_id=sign_in.person_id, host_id=sign_in.host_id)
        session.add(backpack)
    backpack.state, backpack.sealed_tokens, backpack.tokens_expire_at = "connected", sealed_tokens, expires_at
    backpack.sends_by_itself, backpack.renewing_until = sign_in.sends_by_itself, None
    backpack.connected_at = backpack.changed_at = now
    session.flush()
    audit.record(
        session,
        at=now,
        actor_id=sign_in.person_id,
        action="backpack.connect",
        subject=("backpack", backpack.id),
        after="connected",
    )
    count = connections.queue_again(session, backpack, now=now)
    award_id = sign_in.award_id
    if award_id is not None and _is_issued(session, award_id) and not _is_queued(session, award_id, backpack):
        connections.queue(session, award_id, backpack, now=now)
        count += 1
    return count


def send(session: Session, actor: Actor, backpack_id: str, award: Award, *, now: datetime) -> None:
    """Send one badge now, for the first time or again.

    Raises NotFound, and OperationRefused(`not_signed`, `needs_reconnect`).
    """
    backpack = _own(session, actor, backpack_id)
    if not _is_issued(session, award.id):
        raise OperationRefused("not_signed", "Your badge is being signed. Try again in a moment.")
    if backpack.state != "connected":
        raise OperationRefused(
            "needs_reconnect",
            "This backpack has signed you out. Connect it again, then the badge goes there.",
        )
    connections.queue(session, award.id, backpack, now=now)


def set_automatic(session: Session, actor: Actor, backpack_id: str, on: bool, *, now: datetime) -> None:
    """Whether new badges go there by themselves. Raises NotFound."""
    backpack = _own(session, actor, backpack_id)
    if backpack.sends_by_itself != on:
        backpack.sends_by_itself, backpack.changed_at = on, now
        _record(session, actor, backpack, "backpack.automatic" if on else "backpack.on_demand", now)


def disconnect(session: Session, actor: Actor, backpack_id: str, *, now: datetime) -> None:
    """Let go of a backpack: our access ends here and at its host. Badges stay there. Raises NotFound."""
    backpack = _own(session, actor, backpack_id)
    connections.disconnect(session, backpack, now=now)
    _record(session, actor, backpack, "backpack.disconnect", now)


def _own(session: Session, actor: Actor, backpack_id: str) -> Backpack:
    backpack = session.scalar(
        select(Backpack)
        .where(
            Backpack.public_id == backpack_id,
            Backpack.person_id.in_(actor.person_ids),
            Backpack.state != "disconnected",
        )
        .with_for_update()
    )
    if backpack is None:
        raise NotFound("no_such_backpack", "This backpack is not connected here. Nothing was changed.")
    return backpack


def _is_issued(session: Session, award_id: int) -> bool:
    return session.scalar(select(Badge.issued_at).where(Badge.award_id == award_id)) is not None


def _is_queued(session: Session, award_id: int, backpack: Backpack) -> bool:
    state = session.scalar(
        select(BackpackPush.state).where(
            BackpackPush.award_id == award_id, BackpackPush.backpack_id == backpack.id
        )
    )
    return state == "queued"


def _record(session: Session, actor: Actor, backpack: Backpack, action: str, now: datetime) -> None:
    audit.record(session, at=now, actor_id=actor.own_id, action=action, subject=("backpack", backpack.id))
