"""Writing what the gradebook hears of a moment, in the transaction of the decision behind it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, cast
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from grade_passback.comments import CommentFacts, comment_for
from grade_passback.gradebook import Gradebook
from grade_passback.scores import facts_of, score_for
from microcred.credentials import Definition
from microcred.credentials.models import Attempt, Award, Pursuit
from microcred.outbox import OutboxRow
from microcred.people import policies
from microcred.placements import Placement

ZERO_WAITS = timedelta(days=30)
"""How long a zero for "not awarded" is kept back where nobody said how long one may appeal."""


def enqueue(
    session: Session,
    *,
    placement: Placement,
    pursuit: Pursuit,
    attempt: Attempt,
    definition: Definition,
    moment: str,
    ratings: Mapping[str, str],
    now: datetime,
    locked_parts: Sequence[str] = (),
    award: Award | None = None,
    verify_url: str | None = None,
    appeal_until: datetime | None = None,
    missing: str | None = None,
) -> list[OutboxRow]:
    """Write what the gradebook hears of `moment`; the rows made. Part of the decision's own transaction.

    Nothing is written for what the LMS knows already, for a learner whom no launch has named, for an LMS
    test user, or where
    the link has no grade column. `ratings` are levels by criterion of the review it rests on; `missing`
    says what an incomplete try lacks; `verify_url` is the public page of the award's badge. Raises
    ValueError for a moment that is none.
    """
    gradebook = Gradebook.of(session, placement, pursuit.person_id, now)
    if gradebook is None:
        return []
    rules = policies.reviewing_of(session, placement.organization_id)
    facts = facts_of(
        definition,
        ratings,
        scheme=placement.grade_scheme,
        tags=gradebook.tags,
        locked_parts=(*attempt.locked_parts, *locked_parts),
        denied_as=cast(Literal["blank", "zero"], placement.denied_as),
        zero_from=appeal_until or now + ZERO_WAITS,
        revoked_as="zero" if rules.zero_when_withdrawn else "keep",
        previous=gradebook.scores,
        submitted_at=attempt.submitted_at,
    )
    zone = policies.zone_of(session, placement.organization_id)
    words = CommentFacts(
        decision_due=_day(attempt.decision_due_at, zone),
        missing=missing,
        parts_to_revise=[part.number for part in definition.parts if part.id not in facts.passed_parts],
        decided_on=_day(award.awarded_at if award and moment != "revoked" else now, zone),
        verify_url=verify_url,
        appeal_until=_day(appeal_until, zone),
    )
    drafts = score_for(moment, facts, comment_for(moment, words), gradebook.dialect)
    rows = [gradebook.write(draft, moment) for draft in drafts]
    return [row for row in rows if row is not None]


def _day(moment: datetime | None, zone: ZoneInfo) -> date | None:
    return moment.astimezone(zone).date() if moment is not None else None
