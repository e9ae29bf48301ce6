"""The look before a review: whether everything is here and can be opened. What cannot be read goes back to
its teacher with a sentence, and no try is used up. Until it begins, the teacher may take the work back.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from microcred.credentials.models import Attempt
from microcred.credentials.steps import Action, State
from microcred.credentials.workflow import Party
from microcred.operations import consequences, review
from microcred.operations.access import Access, require
from microcred.operations.actor import Actor
from microcred.operations.judging import clean, facts, planned
from microcred.operations.reading_review import find_attempt, review_of


def begin(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Take a waiting try to look whether it is complete. A second press changes nothing.

    Raises NotFound, NotAllowed, and OperationRefused (`taken`, `wrong_state` once it is being read).
    """
    attempt = find_attempt(session, public_id, lock=True)
    if review_of(session, actor, attempt) is None:
        review.take(session, actor, attempt, now)
    else:
        require(session, actor, attempt, Access.RATE)
    if attempt.state != State.CHECKING:
        _turn(session, actor, attempt, Action.START_CHECK, now)


def send_back(session: Session, actor: Actor, public_id: str, words: str, now: datetime) -> None:
    """Give an incomplete try back; the teacher reads `words`.

    Raises NotFound, NotAllowed, and OperationRefused (`reason_missing`, `wrong_state` once it is being read).
    """
    attempt = find_attempt(session, public_id, lock=True)
    require(session, actor, attempt, Access.RATE)
    _turn(session, actor, attempt, Action.RETURN_INCOMPLETE, now, clean(words))


def _turn(
    session: Session, actor: Actor, attempt: Attempt, action: Action, now: datetime, reason: str = ""
) -> None:
    """The actor is the assigned reviewer, which makes them the checker."""
    about = facts(session, attempt, reviewer_ids=[actor.person_id], reason=reason)
    plan = planned(about, action, Party(actor.person_id, is_checker=True))
    consequences.apply(session, attempt, plan, actor_id=actor.own_id, now=now, reason=about.reason)
