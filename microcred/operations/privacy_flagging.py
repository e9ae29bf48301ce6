"""A reviewer saw a name or a face: the piece is hidden at once, and the try goes back to its teacher.

No try is used up. The piece stays hidden, and the try cannot be submitted, until the teacher has replaced it
or taken it out; an answer until it was changed.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.models import Attempt, EvidenceItem, PrivacyFlag, Response
from microcred.credentials.steps import Action
from microcred.credentials.workflow import Party
from microcred.operations import consequences
from microcred.operations.access import Access, require
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.judging import facts, planned
from microcred.operations.reading_review import find_attempt
from microcred.people import audit

BECAUSE = {"name": "it names somebody", "face": "it shows who somebody is"}


def flag(
    session: Session,
    actor: Actor,
    public_id: str,
    *,
    because: str,
    item_id: str | None = None,
    answer: tuple[str, str] | None = None,
    now: datetime,
) -> None:
    """Hide a piece (by its public id) or an answer (prompt id, student code) of a try, and give the try back.

    Raises NotFound, NotAllowed, OperationRefused (`unknown_reason`, `wrong_state`, ...).
    """
    if because not in BECAUSE:
        raise OperationRefused(
            "unknown_reason", "Say whether it names somebody or shows who somebody is. Nothing was changed."
        )
    attempt = find_attempt(session, public_id, lock=True)
    require(session, actor, attempt, Access.RATE)
    plan = planned(
        facts(session, attempt, reviewer_ids=[actor.person_id]),
        Action.RETURN_FOR_PRIVACY,
        Party(actor.person_id),
    )
    row = PrivacyFlag(attempt_id=attempt.id, because=because, raised_by_id=actor.own_id, raised_at=now)
    if item_id is not None:
        item = _item(session, attempt, item_id)
        item.hidden_at, row.item_id = now, item.id
        subject: tuple[str, int | str] = ("evidence_item", item.id)
    else:
        response = _response(session, attempt, answer or ("", ""))
        row.response_id, subject = response.id, ("response", response.id)
    session.add(row)
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action="privacy_flagged",
        subject=subject,
        detail={"because": because},
    )
    consequences.apply(session, attempt, plan, actor_id=actor.own_id, now=now)


def why_hidden(session: Session, items: list[int]) -> dict[int, str]:
    """By item row: why it is hidden, in words for its owner."""
    rows = session.execute(
        select(PrivacyFlag.item_id, PrivacyFlag.because)
        .where(PrivacyFlag.item_id.in_(items))
        .order_by(PrivacyFlag.id)
    )
    words = {"permission": "the permission for it has ended"}
    return {
        item_id: words.get(because) or f"a reviewer says that {BECAUSE[because]}"
        for item_id, because in rows
        if item_id is not None
    }


def _item(session: Session, attempt: Attempt, public_id: str) -> EvidenceItem:
    item = session.scalar(
        select(EvidenceItem).where(
            EvidenceItem.public_id == public_id,
            EvidenceItem.attempt_id == attempt.id,
            EvidenceItem.removed_at.is_(None),
        )
    )
    if item is None:
        raise NotFound("no_such_piece", "This piece of evidence is not here any more.")
    return item


def _response(session: Session, attempt: Attempt, place: tuple[str, str]) -> Response:
    response = session.scalar(
        select(Response).where(
            Response.attempt_id == attempt.id,
            Response.prompt_id == place[0],
            Response.student_code == place[1],
        )
    )
    if response is None:
        raise NotFound("no_such_answer", "This answer is not here any more.")
    return response
