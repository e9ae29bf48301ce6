"""A person's choice about mail, made without signing in: by the link in a mail, or by the button of a mail
program (RFC 8058).

The link names a person and a topic, sealed. It opens nothing but this choice, so it does not end.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.operations.errors import OperationRefused
from microcred.operations.notice_words import TOPICS, Topic
from microcred.people import audit, canonical_id, ids_of, offices_of
from microcred.people.models import NoticeChoice, Person
from microcred.sealing import Keyring, SealBroken

PATH = "/mail/choice"
_OFFICE_OF: Mapping[Topic, str] = {"reviews": "reviewer", "decisions": "approver"}


@dataclass(frozen=True)
class Asked:
    """What a link is about."""

    topic: Topic
    """What the mail with the link was about."""
    by_mail: Mapping[Topic, bool]
    """The topics that this person hears of, and whether they come by mail."""


def secret(keyring: Keyring, person: Person, topic: str) -> str:
    """What the link of a mail carries."""
    return keyring.seal_text("mail-choice", {"person": person.public_id, "topic": topic})


def asked(session: Session, keyring: Keyring, link: str, now: datetime) -> Asked:
    """What the link is about. Raises OperationRefused(`link_unknown`)."""
    person_id, topic = _behind(session, keyring, link)
    offices = {office.role for office in offices_of(session, ids_of(session, person_id), now)}
    by_mail = chosen(session, person_id)
    heard = {one: by_mail[one] for one in TOPICS if one not in _OFFICE_OF or _OFFICE_OF[one] in offices}
    return Asked(topic, heard | {topic: by_mail[topic]})


def stop(session: Session, keyring: Keyring, link: str, now: datetime) -> None:
    """No more mail about the topic of the mail with this link. A second click changes nothing.

    Raises OperationRefused(`link_unknown`).
    """
    person_id, topic = _behind(session, keyring, link)
    _change(session, person_id, {topic: False}, now)


def choose(session: Session, keyring: Keyring, link: str, topics: Collection[str], now: datetime) -> None:
    """Of the topics this person hears of, get exactly these by mail. Raises OperationRefused."""
    person_id, _ = _behind(session, keyring, link)
    heard = asked(session, keyring, link, now).by_mail
    _change(session, person_id, {topic: topic in topics for topic in heard}, now)


def chosen(session: Session, person_id: int) -> dict[Topic, bool]:
    """Every topic and whether it comes by mail; one without a choice does."""
    rows = session.scalars(select(NoticeChoice).where(NoticeChoice.person_id == person_id))
    said = {row.topic: row.by_mail for row in rows}
    return {topic: said.get(topic, True) for topic in TOPICS}


def keep(session: Session, person_id: int, by_mail: Mapping[Topic, bool], now: datetime) -> None:
    """Keep a choice; topics that it does not name stay as they are."""
    for topic, wanted in by_mail.items():
        row = session.get(NoticeChoice, (person_id, topic))
        if row is None:
            row = NoticeChoice(person_id=person_id, topic=topic)
            session.add(row)
        row.by_mail, row.changed_at = wanted, now
    session.flush()


def _change(session: Session, person_id: int, by_mail: Mapping[Topic, bool], now: datetime) -> None:
    before = chosen(session, person_id)
    changed = {topic: wanted for topic, wanted in by_mail.items() if before[topic] is not wanted}
    if not changed:
        return
    keep(session, person_id, changed, now)
    audit.record(
        session,
        at=now,
        actor_id=person_id,
        action="mail.choice",
        subject=("person", person_id),
        detail={"by_link": True} | {str(topic): wanted for topic, wanted in changed.items()},
    )


def _behind(session: Session, keyring: Keyring, link: str) -> tuple[int, Topic]:
    """The human and the topic. Raises OperationRefused."""
    unknown = OperationRefused(
        "link_unknown", "This link is not one of ours. Check that you copied all of it; nothing was changed."
    )
    try:
        value = keyring.open_text("mail-choice", link)
    except (SealBroken, ValueError) as problem:
        raise unknown from problem
    person = session.scalar(
        select(Person).where(Person.public_id == value["person"], Person.state != "erased")
    )
    topic = next((one for one in TOPICS if one == value["topic"]), None)
    if person is None or topic is None:
        raise unknown
    return canonical_id(session, person.id), topic
