"""One-time links and first-party sessions at `/desk/`, for people who are in no LMS course.

A link's secret and a session's secret are 128 random bits; the database keeps only their SHA-256.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from microcred.database import random_id
from microcred.people.models import DeskSession, OneTimeLink, Person

LINK_LIFE = timedelta(days=7)
SESSION_LIFE = timedelta(hours=12)
SESSION_IDLE = timedelta(hours=3)
_TOUCH_EVERY = timedelta(minutes=5)


class LinkRefused(Exception):
    """The link opens nothing: `code` is `unknown`, `used`, `expired` or `blocked`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class DeskEnded(Exception):
    """There is no such session, or it has ended: `reason` is `unknown`, `ended`, `expired` or `blocked`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class OpenDesk:
    """A first-party session that is open."""

    session_id: int
    person_id: int


def digest(secret: str) -> str:
    """SHA-256 of a secret, hex: what the database keeps."""
    return hashlib.sha256(secret.encode()).hexdigest()


def invite(session: Session, person_id: int, now: datetime, life: timedelta = LINK_LIFE) -> str:
    """Make a one-time link for a person; gives the secret that goes into its address."""
    secret = random_id()
    session.add(
        OneTimeLink(digest=digest(secret), person_id=person_id, expires_at=now + life, created_at=now)
    )
    session.flush()
    return secret


def look(session: Session, secret: str, now: datetime) -> Person:
    """Whom the link is for, without using it up (mail scanners open links too). Raises LinkRefused."""
    row = session.execute(
        select(OneTimeLink, Person)
        .join(Person, Person.id == OneTimeLink.person_id)
        .where(OneTimeLink.digest == digest(secret))
    ).first()
    if row is None:
        raise LinkRefused("unknown")
    link, person = row
    if link.used_at is not None:
        raise LinkRefused("used")
    if link.expires_at <= now:
        raise LinkRefused("expired")
    if person.state != "active":
        raise LinkRefused("blocked")
    return person


def enter(session: Session, secret: str, now: datetime) -> str:
    """Use the link and open a session; gives the session's secret for its cookie. Raises LinkRefused."""
    person = look(session, secret, now)
    taken = session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.digest == digest(secret), OneTimeLink.used_at.is_(None))
        .values(used_at=now)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        raise LinkRefused("used")
    opened = random_id()
    session.add(DeskSession(digest=digest(opened), person_id=person.id, created_at=now, last_seen_at=now))
    session.flush()
    return opened


def resume(session: Session, secret: str, now: datetime) -> OpenDesk:
    """The open session behind a cookie. Raises DeskEnded."""
    row = session.execute(
        select(DeskSession, Person.state)
        .join(Person, Person.id == DeskSession.person_id)
        .where(DeskSession.digest == digest(secret))
    ).first()
    if row is None:
        raise DeskEnded("unknown")
    desk, state = row
    if desk.ended_at is not None:
        raise DeskEnded("ended")
    if now - desk.created_at >= SESSION_LIFE or now - desk.last_seen_at >= SESSION_IDLE:
        raise DeskEnded("expired")
    if state != "active":
        raise DeskEnded("blocked")
    return OpenDesk(desk.id, desk.person_id)


def needs_touch(session: Session, desk: OpenDesk, now: datetime) -> bool:
    """Whether the idle clock should be set again; asked first so that most requests write nothing."""
    seen = session.scalar(select(DeskSession.last_seen_at).where(DeskSession.id == desk.session_id))
    return seen is not None and now - seen >= _TOUCH_EVERY


def touch(session: Session, desk: OpenDesk, now: datetime) -> None:
    """Set the session's idle clock."""
    session.execute(update(DeskSession).where(DeskSession.id == desk.session_id).values(last_seen_at=now))


def leave(session: Session, desk: OpenDesk, now: datetime) -> None:
    """End the session."""
    session.execute(update(DeskSession).where(DeskSession.id == desk.session_id).values(ended_at=now))
