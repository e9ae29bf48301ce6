"""What a person reads of their notices, and their choice about mail."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from microcred.credentials.models import Attempt, Pursuit
from microcred.operations import mail_choice
from microcred.operations.actor import Actor
from microcred.operations.arriving import placement_of
from microcred.operations.mailing import address_for
from microcred.operations.notice_words import TOPICS, Topic
from microcred.people.models import Notice

PAGE = 25
MOST_COUNTED = 99


@dataclass(frozen=True)
class Told:
    """One notice. `is_here`: it is about the credential that this launch opened."""

    title: str
    body: str
    topic: str
    kind: str
    at: datetime
    is_new: bool
    is_here: bool
    mailed: bool


@dataclass(frozen=True)
class Page:
    """A page of notices, newest first; `after` opens the next page."""

    rows: tuple[Told, ...]
    after: int | None


@dataclass(frozen=True)
class Choices:
    """Which topics come by mail, and to which address; None where there is none."""

    by_mail: Mapping[Topic, bool]
    address: str | None


def unread(session: Session, actor: Actor) -> int:
    """How many notices the actor has not seen, counted to `MOST_COUNTED`."""
    rows = (
        select(Notice.id)
        .where(Notice.person_id.in_(actor.person_ids), Notice.read_at.is_(None))
        .limit(MOST_COUNTED)
    )
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def notices(session: Session, actor: Actor, *, after: int | None = None) -> Page:
    """The actor's notices, newest first, a page at a time; `after` is from the page before."""
    query = select(Notice).where(Notice.person_id.in_(actor.person_ids))
    if after is not None:
        query = query.where(Notice.id < after)
    found = session.scalars(query.order_by(Notice.id.desc()).limit(PAGE + 1)).all()
    here = _here(session, actor, [row.attempt_id for row in found if row.attempt_id is not None])
    rows = tuple(
        Told(
            row.title,
            row.body,
            row.topic,
            row.kind,
            row.created_at,
            row.read_at is None,
            row.attempt_id in here,
            row.mail == "sent",
        )
        for row in found[:PAGE]
    )
    return Page(rows, found[PAGE - 1].id if len(found) > PAGE else None)


def see_all(session: Session, actor: Actor, now: datetime) -> None:
    """The actor has seen what there is."""
    session.execute(
        update(Notice)
        .where(Notice.person_id.in_(actor.person_ids), Notice.read_at.is_(None))
        .values(read_at=now)
        .execution_options(synchronize_session=False)
    )


def choices(session: Session, actor: Actor) -> Choices:
    """What the actor chose about mail; a topic without a choice comes by mail."""
    return Choices(mail_choice.chosen(session, actor.person_id), address_for(session, actor.own_id))


def choose(session: Session, actor: Actor, by_mail: Collection[str], now: datetime) -> None:
    """Get exactly these topics by mail from now on."""
    mail_choice.keep(session, actor.person_id, {topic: topic in by_mail for topic in TOPICS}, now)


def _here(session: Session, actor: Actor, attempt_ids: Collection[int]) -> frozenset[int]:
    """Those of the tries that belong to the launched link."""
    placement = placement_of(session, actor.launch) if actor.launch is not None else None
    if placement is None or not attempt_ids:
        return frozenset()
    return frozenset(
        session.scalars(
            select(Attempt.id)
            .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
            .where(
                Attempt.id.in_(attempt_ids),
                Pursuit.placement_id == placement.id,
                Pursuit.person_id.in_(actor.person_ids),
            )
        )
    )
