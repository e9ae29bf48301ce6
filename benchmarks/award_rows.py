"""Awards of one course whose badges wait in the outbox, kept back until their destination is let go."""

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from benchmarks import rows
from benchmarks.engines import ports
from microcred.app.wiring import Assembly
from microcred.badges import lifecycle
from microcred.credentials import Definition, definition_of
from microcred.credentials.models import Attempt, Award, CredentialVersion, Decision, Pursuit, Rating, Review
from microcred.outbox.admin import stop_destination
from microcred.people.models import Organization, Person

_TOGETHER = 500


def fill(app: Assembly, count: int) -> None:
    """A fresh database with so many awards, each with ratings, whose badges wait."""
    (course,) = rows.prepare(app, ports(1), count)
    now = app.clock.now()
    with app.database.writing() as session:
        stop_destination(session, lifecycle.DESTINATION)
        officers = [Person(name=f"Demo {name}", created_at=now) for name in ("Reviewer", "Approver")]
        session.add_all(officers)
        session.flush()
        officer_ids = [officer.id for officer in officers]
    for first in range(0, count, _TOGETHER):
        with app.database.writing() as session:
            ids = course.attempts[first : first + _TOGETHER]
            query = select(Attempt, Pursuit).join(Pursuit, Pursuit.id == Attempt.pursuit_id)
            for attempt, pursuit in session.execute(query.where(Attempt.id.in_(ids)).order_by(Attempt.id)):
                _award(session, attempt, pursuit, officer_ids, now)


def _award(
    session: Session, attempt: Attempt, pursuit: Pursuit, officer_ids: list[int], now: datetime
) -> None:
    reviewer_id, approver_id = officer_ids
    definition = definition_of(session, session.get_one(CredentialVersion, pursuit.version_id))
    review = Review(
        attempt_id=attempt.id,
        reviewer_id=reviewer_id,
        due_at=now,
        assigned_at=now,
        started_at=now,
        finished_at=now,
        recommendation="award",
    )
    session.add(review)
    session.flush()
    session.execute(insert(Rating), _ratings(definition, review.id, now))
    decision = Decision(
        attempt_id=attempt.id, kind="award", decided_by_id=approver_id, review_id=review.id, decided_at=now
    )
    session.add(decision)
    session.flush()
    award = Award(
        decision_id=decision.id,
        person_id=pursuit.person_id,
        pursuit_id=pursuit.id,
        version_id=pursuit.version_id,
        issuer_id=session.scalars(select(Organization.id).where(Organization.code == "iss-riverbend")).one(),
        approved_by_id=approver_id,
        awarded_at=now,
        clock_hours=definition.document.effort.clock_hours,
    )
    session.add(award)
    session.flush()
    lifecycle.request(session, award, now=now)


def _ratings(definition: Definition, review_id: int, now: datetime) -> list[dict[str, object]]:
    """The best level on every criterion."""
    return [
        {
            "review_id": review_id,
            "part_id": part.id,
            "criterion_id": one.id,
            "level": definition.levels(one)[0][0].key,
            "rated_at": now,
        }
        for part, one in definition.criteria()
    ]
