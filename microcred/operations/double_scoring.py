"""Second and third readings: when there is one, who reads it, and what two different results lead to.

A second reviewer reads, without knowing of the first, what was drawn at random, every borderline result, and
everything where the credential asks for two assessors. Where both come to the same result it counts; where
not, a third reviewer settles it (product rules: 10 to 30 % drawn; different pass decisions go to a third
reader).
"""

from datetime import datetime

from sqlalchemy.orm import Session

from microcred.credentials.agreement import is_borderline
from microcred.credentials.definition import Definition
from microcred.credentials.models import Attempt, Review
from microcred.credentials.steps import Action, State
from microcred.operations import assigning
from microcred.operations.assigning import Chance
from microcred.operations.reading_review import levels, ratings_of
from microcred.people import audit, policies


def further_reading(
    session: Session, attempt: Attempt, review: Review, definition: Definition, now: datetime, chance: Chance
) -> Action | None:
    """What a finished review leads to beside its own recommendation: the action that sends the try to another
    reader, who is assigned here; None where the recommendation stands.
    """
    if attempt.state == State.IN_REVIEW:
        return _second(session, attempt, review, definition, now, chance)
    if attempt.state == State.SECOND_REVIEW:
        return _third(session, attempt, review, now, chance)
    return None


def read_by_another(
    session: Session, attempt: Attempt, now: datetime, chance: Chance, *, place: str, because: str | None
) -> Review | None:
    """Give the try to the next reader; None where there is nobody who may read it now."""
    reader = assigning.next_reader(session, attempt, now, chance)
    if reader is None:
        return None
    return assigning.assign(session, attempt, reader, now, place=place, because=because)


def _second(
    session: Session, attempt: Attempt, review: Review, definition: Definition, now: datetime, chance: Chance
) -> Action | None:
    others = [one for one in assigning.active_reviews(session, attempt) if one.id != review.id]
    if others or attempt.pursuit.is_test:
        return None  # sent back by the approver, who has both readings; or somebody trying things out
    because = _why(session, attempt, review, definition, chance)
    if because is None:
        return None
    if read_by_another(session, attempt, now, chance, place="second", because=because) is None:
        # A try must not hang because the issuer has one reviewer; that it was not read twice is on record.
        audit.record(
            session,
            at=now,
            actor_id=None,
            action="second_review_skipped",
            subject=("attempt", attempt.id),
            detail={"because": because, "why": "no_other_reviewer"},
        )
        return None
    return Action.SEND_TO_SECOND_REVIEW


def _why(
    session: Session, attempt: Attempt, review: Review, definition: Definition, chance: Chance
) -> str | None:
    rules = policies.reviewing_of(session, attempt.pursuit.version.credential.issuer_id)
    asked = definition.document.review_policy
    percent = asked.double_score_percent if rules.double_score_percent is None else rules.double_score_percent
    # The draw comes first: what was drawn at random tells most about how well reviewers agree.
    if chance() * 100 < percent:
        return "drawn"
    if asked.assessors_per_attempt > 1:
        return "policy"
    if rules.double_score_borderline and is_borderline(definition, levels(ratings_of(session, review))):
        return "borderline"
    return None


def _third(
    session: Session, attempt: Attempt, review: Review, now: datetime, chance: Chance
) -> Action | None:
    first = next(one for one in assigning.active_reviews(session, attempt) if one.id != review.id)
    if first.recommendation == review.recommendation:
        return None
    attempt.readings_differ = True
    # With nobody to read it now it waits, on the issuer's page, until there is somebody.
    read_by_another(session, attempt, now, chance, place="third", because="disagreement")
    return Action.SEND_TO_ADJUDICATION
