"""What the holder of a badge decides: whose name the public page shows, and what the badge says beyond the
award itself.

Evidence files and other people's words are never offered. A change that the signed documents show is
followed by a new issue of the same badge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.badges import lifecycle as badges
from microcred.badges.from_award import confirmed_addresses
from microcred.badges.models import HoldersChoice
from microcred.credentials.models import Attempt, Award, Decision, Pursuit, Response
from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.operations.reading_teacher import Loaded
from microcred.people import audit

OWN_WORDS = frozenset({"written_response", "teacher_reflection"})
"""Kinds of parts in which teachers write in their own name; others hold students' or colleagues' work."""


@dataclass(frozen=True)
class Writing:
    """An answer that the holder may show."""

    prompt_id: str
    title: str
    body: str


@dataclass(frozen=True)
class Choices:
    """What can be chosen for one badge, and what is chosen now."""

    shows_name: bool
    name: str | None
    writings: tuple[Writing, ...]
    shared_prompt: str | None
    addresses: Mapping[int, str]
    """Confirmed addresses by id."""
    recognised_by_email: bool
    shown_address_id: int | None


def standing_award(session: Session, pursuit: Pursuit, *, lock: bool = False) -> Award:
    """The award of a pursuit that stands. Raises NotFound."""
    asked = select(Award).where(Award.pursuit_id == pursuit.id, Award.revoked_at.is_(None))
    asked = asked.order_by(Award.id.desc()).limit(1)
    award = session.scalar(asked.with_for_update() if lock else asked)
    if award is None:
        raise NotFound("no_award", "There is no badge here yet. It comes with the decision.")
    return award


def choices(session: Session, loaded: Loaded, award: Award, name: str | None) -> Choices:
    """What the holder of `award` can choose; `name` is theirs."""
    chosen = session.get(HoldersChoice, award.id)
    return Choices(
        shows_name=award.shows_name,
        name=name,
        writings=_writings(session, loaded, award),
        shared_prompt=chosen.shared_prompt if chosen else None,
        addresses=confirmed_addresses(session, award.person_id),
        recognised_by_email=bool(chosen and chosen.recognised_by_email),
        shown_address_id=chosen.shown_address_id if chosen else None,
    )


def choose(
    session: Session,
    actor: Actor,
    loaded: Loaded,
    *,
    shows_name: bool,
    shared_prompt: str | None,
    recognised_by_email: bool,
    shown_address_id: int | None,
    now: datetime,
) -> bool:
    """Keep the holder's choices; whether the badge is issued anew because of them.

    Raises NotAllowed for somebody else's badge, NotFound without one, OperationRefused for writing or an
    address that is not theirs to show.
    """
    award = standing_award(session, loaded.pursuit, lock=True)
    if award.person_id not in actor.person_ids:
        raise NotAllowed("not_yours", "Only the holder of a badge decides what it shows.")
    writing = _chosen_writing(session, loaded, award, shared_prompt)
    addresses = confirmed_addresses(session, award.person_id)
    if shown_address_id is not None and shown_address_id not in addresses:
        raise OperationRefused(
            "address_unknown", "This address is not confirmed. Nothing was changed; choose another one."
        )
    if award.shows_name != shows_name:
        award.shows_name = shows_name
        _record(session, actor, award, "badge.shows_name" if shows_name else "badge.hides_name", now)
    row = session.get(HoldersChoice, award.id)
    before = _documents_show(row)
    if row is None:
        row = HoldersChoice(award_id=award.id, changed_at=now)
        session.add(row)
    row.shared_prompt = writing.prompt_id if writing else None
    row.shared_title = writing.title if writing else None
    row.shared_text = writing.body if writing else None
    row.recognised_by_email = recognised_by_email and bool(addresses)
    row.shown_address_id = shown_address_id
    if _documents_show(row) == before:
        return False
    row.changed_at = now
    session.flush()
    _record(session, actor, award, "badge.choice", now, shares_writing=writing is not None)
    if not award.is_test:
        badges.reissue(session, award, now=now)
    return True


def _documents_show(row: HoldersChoice | None) -> tuple[str | None, str | None, bool, int | None]:
    if row is None:
        return (None, None, False, None)
    return (row.shared_prompt, row.shared_text, row.recognised_by_email, row.shown_address_id)


def _chosen_writing(session: Session, loaded: Loaded, award: Award, prompt_id: str | None) -> Writing | None:
    if prompt_id is None:
        return None
    for writing in _writings(session, loaded, award):
        if writing.prompt_id == prompt_id:
            return writing
    raise OperationRefused(
        "writing_unknown", "This piece cannot be shown with a badge. Nothing was changed; choose another one."
    )


def _writings(session: Session, loaded: Loaded, award: Award) -> tuple[Writing, ...]:
    """The teacher's own answers in the try that earned the award."""
    prompts = {
        prompt.id: f"Part {part.number}: {prompt.label}"
        for part in loaded.definition.parts
        if part.kind in OWN_WORDS
        for prompt in part.prompts
        if prompt.repeat_per is None
    }
    rows = session.scalars(
        select(Response)
        .join(Attempt, Attempt.id == Response.attempt_id)
        .join(Decision, Decision.attempt_id == Attempt.id)
        .where(Decision.id == award.decision_id, Response.student_code == "")
    )
    bodies = {row.prompt_id: row.body for row in rows if row.body.strip()}
    return tuple(
        Writing(prompt_id, title, bodies[prompt_id])
        for prompt_id, title in prompts.items()
        if prompt_id in bodies
    )


def _record(session: Session, actor: Actor, award: Award, action: str, now: datetime, **detail: bool) -> None:
    audit.record(
        session, at=now, actor_id=actor.own_id, action=action, subject=("award", award.id), detail=detail
    )
