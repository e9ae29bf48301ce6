"""Connections in the database: hosts and tokens at rest, what is to be sent where, and how it stands."""

import base64
import json
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.badges.backpack.hosts import HostFacts
from microcred.badges.backpack.models import Backpack, BackpackHost, BackpackPush, BackpackSignIn
from microcred.badges.backpack.oauth import Client, Tokens
from microcred.credentials.models import Award
from microcred.outbox import OutboxRow
from microcred.people.models import Person
from microcred.sealing import Keyring

KIND = "backpack"
"""Outbox kind: send a badge to a backpack, or have a disconnected one forget us."""


def destination_of(host_id: int) -> str:
    """The outbox destination of a host: its limits and its troubles are its own."""
    return f"backpack:{host_id}"


def facts_of(host: BackpackHost) -> HostFacts:
    """What a stored host said of itself."""
    return HostFacts(**{**host.facts, "scopes": tuple(host.facts["scopes"])})


def stored(facts: HostFacts) -> dict[str, object]:
    """The same as a column holds it."""
    return {**asdict(facts), "scopes": list(facts.scopes)}


def seal_client(keyring: Keyring, client: Client) -> bytes:
    """Client id and secret for the column."""
    value = {"id": client.client_id, "secret": client.client_secret, "scopes": list(client.scopes)}
    return keyring.seal("at-rest", json.dumps(value).encode(), context=b"backpack-client")


def client_of(keyring: Keyring, host: BackpackHost) -> Client:
    """What the host gave us. Raises SealBroken."""
    value = json.loads(keyring.open("at-rest", host.sealed_client, context=b"backpack-client"))
    return Client(value["id"], value["secret"], tuple(value["scopes"]), host.client_expires_at)


def seal_tokens(keyring: Keyring, tokens: Tokens) -> bytes:
    """Tokens for the column."""
    value = {"access": tokens.access_token, "refresh": tokens.refresh_token}
    return keyring.seal("at-rest", json.dumps(value).encode(), context=b"backpack-tokens")


def open_tokens(keyring: Keyring, sealed: bytes, expires_at: datetime | None) -> Tokens:
    """The tokens in the column. Raises SealBroken."""
    value = json.loads(keyring.open("at-rest", sealed, context=b"backpack-tokens"))
    return Tokens(value["access"], value["refresh"], expires_at)


def reseal(session: Session, keyring: Keyring) -> int:
    """Seal with the current secret what an older one sealed; how many that were."""
    count = 0
    for host in session.scalars(select(BackpackHost)):
        if not keyring.is_current("at-rest", host.sealed_client, context=b"backpack-client"):
            host.sealed_client = seal_client(keyring, client_of(keyring, host))
            count += 1
    for row in session.scalars(select(Backpack).where(Backpack.sealed_tokens.is_not(None))):
        sealed = row.sealed_tokens
        if sealed and not keyring.is_current("at-rest", sealed, context=b"backpack-tokens"):
            row.sealed_tokens = seal_tokens(keyring, open_tokens(keyring, sealed, row.tokens_expire_at))
            count += 1
    return count


def queue(session: Session, award_id: int, backpack: Backpack, *, now: datetime) -> None:
    """Send a badge to a backpack; a copy that waits already is replaced."""
    push = session.scalar(
        select(BackpackPush).where(BackpackPush.award_id == award_id, BackpackPush.backpack_id == backpack.id)
    )
    if push is None:
        push = BackpackPush(award_id=award_id, backpack_id=backpack.id)
        session.add(push)
    push.state, push.reason, push.changed_at = "queued", None, now
    order_key = f"backpack:{backpack.id}:{award_id}"
    # What stopped before is settled by this one: nobody needs to look at it any longer.
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.order_key == order_key, OutboxRow.state.in_(("blocked", "dead")))
        .values(state="superseded", reason="newer")
        .execution_options(synchronize_session=False)
    )
    outbox.add(
        session,
        kind=KIND,
        destination=destination_of(backpack.host_id),
        order_key=order_key,
        subject=("award", str(award_id)),
        payload={"award": award_id, "backpack": backpack.id},
        now=now,
    )


def queue_standing(session: Session, award_ids: Collection[int], *, now: datetime) -> None:
    """Badges were issued: send each to the holder's backpacks that get badges by themselves, and the new copy
    to those that have an older one.
    """
    human = func.coalesce(Person.merged_into_id, Person.id)
    holders = session.execute(
        select(Award.id, human.label("human"))
        .join(Person, Person.id == Award.person_id)
        .where(Award.id.in_(award_ids))
        .order_by(Award.id)
    ).all()
    humans = {row.human for row in holders}
    persons = session.execute(
        select(Person.id, human.label("human")).where(
            Person.id.in_(humans) | Person.merged_into_id.in_(humans)
        )
    )
    human_of = {row.id: row.human for row in persons}
    backpacks = session.scalars(
        select(Backpack)
        .where(Backpack.person_id.in_(human_of), Backpack.state == "connected")
        .order_by(Backpack.id)
    ).all()
    if not backpacks:
        return
    pushes = session.execute(
        select(BackpackPush.award_id, BackpackPush.backpack_id).where(
            BackpackPush.award_id.in_(award_ids), BackpackPush.state.in_(("sent", "already_there"))
        )
    )
    have_it = {(row.award_id, row.backpack_id) for row in pushes}
    for award_id, holder in holders:
        for backpack in backpacks:
            wants = backpack.sends_by_itself or (award_id, backpack.id) in have_it
            if wants and human_of[backpack.person_id] == holder:
                queue(session, award_id, backpack, now=now)


def queue_again(session: Session, backpack: Backpack, *, now: datetime) -> int:
    """After connecting again: send what had stopped; how many badges."""
    stopped = session.scalars(
        select(BackpackPush.award_id).where(
            BackpackPush.backpack_id == backpack.id, BackpackPush.state == "needs_reconnect"
        )
    ).all()
    for award_id in stopped:
        queue(session, award_id, backpack, now=now)
    return len(stopped)


def disconnect(session: Session, backpack: Backpack, *, now: datetime) -> None:
    """Forget a backpack's tokens, and have its host forget them too (by the outbox, which tries again)."""
    if backpack.sealed_tokens is None:
        return
    outbox.cancel(session, now=now, subject=("backpack", str(backpack.id)))
    outbox.add(
        session,
        kind=KIND,
        destination=destination_of(backpack.host_id),
        order_key=f"backpack:{backpack.id}:revoke",
        subject=("backpack", str(backpack.id)),
        payload={
            "revoke": base64.b64encode(backpack.sealed_tokens).decode(),
            "host": backpack.host_id,
        },
        now=now,
    )
    backpack.state, backpack.sealed_tokens, backpack.tokens_expire_at = "disconnected", None, None
    backpack.renewing_until, backpack.changed_at = None, now
    session.flush()


def forget(session: Session, person_ids: Collection[int], *, now: datetime) -> None:
    """Erase every trace of these persons' backpacks, after telling the hosts that we are gone."""
    rows = session.scalars(select(Backpack).where(Backpack.person_id.in_(person_ids))).all()
    for backpack in rows:
        disconnect(session, backpack, now=now)
    ids = [backpack.id for backpack in rows]
    for statement in (
        delete(BackpackPush).where(BackpackPush.backpack_id.in_(ids)),
        delete(BackpackSignIn).where(BackpackSignIn.person_id.in_(person_ids)),
        delete(Backpack).where(Backpack.id.in_(ids)),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()


def set_push(
    session: Session, award_id: int, backpack_id: int, state: str, reason: str | None, now: datetime
) -> None:
    """Note how a badge stands with a backpack."""
    session.execute(
        update(BackpackPush)
        .where(BackpackPush.award_id == award_id, BackpackPush.backpack_id == backpack_id)
        .values(state=state, reason=reason, changed_at=now)
        .execution_options(synchronize_session=False)
    )
