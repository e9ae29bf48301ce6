"""Awards of one course whose badges wait in the outbox, kept back until their destination is let go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, inspect, select
from sqlalchemy.orm import Session

from benchmarks import rows
from benchmarks.engines import ports
from microcred.app.wiring import Assembly
from microcred.badges import lifecycle
from microcred.credentials import Definition, definition_of
from microcred.credentials.models import Attempt, Award, CredentialVersion, Decision, Pursuit, Rating, Review
from microcred.outbox import OutboxRow
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
        reviewer_id, approver_id = (officer.id for officer in officers)
    for first in range(0, count, _TOGETHER):
        with app.database.writing() as session:
            found = session.execute(
                select(Attempt, Pursuit)
                .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
                .where(Attempt.id.in_(course.attempts[first : first + _TOGETHER]))
                .order_by(Attempt.id)
            )
            _awards(session, [(row.Attempt, row.Pursuit) for row in found], reviewer_id, approver_id, now)


def _awards(
    session: Session,
    tries: Sequence[tuple[Attempt, Pursuit]],
    reviewer_id: int,
    approver_id: int,
    now: datetime,
) -> None:
    """Reviews, ratings, decisions, awards and what waits in the outbox, table by table."""
    definition = definition_of(session, session.get_one(CredentialVersion, tries[0][1].version_id))
    issuer_id = session.scalars(select(Organization.id).where(Organization.code == "iss-riverbend")).one()
    read = dict.fromkeys(("due_at", "assigned_at", "started_at", "finished_at"), now)
    review_ids = _inserted(
        session,
        Review,
        [
            {"attempt_id": attempt.id, "reviewer_id": reviewer_id, "recommendation": "award", **read}
            for attempt, _ in tries
        ],
    )
    session.execute(insert(Rating), [one for id_ in review_ids for one in _ratings(definition, id_, now)])
    decision_ids = _inserted(
        session,
        Decision,
        [
            {
                "attempt_id": attempt.id,
                "kind": "award",
                "decided_by_id": approver_id,
                "review_id": review_id,
                "decided_at": now,
            }
            for (attempt, _), review_id in zip(tries, review_ids, strict=True)
        ],
    )
    award_ids = _inserted(
        session,
        Award,
        [
            {
                "decision_id": decision_id,
                "person_id": pursuit.person_id,
                "pursuit_id": pursuit.id,
                "version_id": pursuit.version_id,
                "issuer_id": issuer_id,
                "approved_by_id": approver_id,
                "awarded_at": now,
                "clock_hours": definition.document.effort.clock_hours,
            }
            for (_, pursuit), decision_id in zip(tries, decision_ids, strict=True)
        ],
    )
    _ask(session, award_ids, now)


def _ask(session: Session, award_ids: Sequence[int], now: datetime) -> None:
    """Ask for the badges: of the first as a decision does, of the others by copies of its row."""
    lifecycle.request(session, session.get_one(Award, award_ids[0]), now=now)
    key = f"badge:{award_ids[0]}"
    asked = session.scalars(select(OutboxRow).where(OutboxRow.order_key == key)).one()
    same = {one.key: getattr(asked, one.key) for one in inspect(OutboxRow).column_attrs if one.key != "id"}
    copies: list[dict[str, Any]] = [
        {
            **same,
            "order_key": f"badge:{award_id}",
            "subject_id": str(award_id),
            "payload": {"award_id": award_id},
        }
        for award_id in award_ids[1:]
    ]
    if copies:
        session.execute(insert(OutboxRow), copies)


def _inserted(session: Session, table: Any, values: list[dict[str, Any]]) -> Sequence[int]:
    """The ids of new rows, in their order."""
    return session.scalars(insert(table).returning(table.id, sort_by_parameter_order=True), values).all()


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
