"""The short form of `make term`: what must be zero after weeks of work is zero; the judge would see it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from microcred.credentials.models import Response
from microcred.outbox import OutboxRow
from microcred.people.models import AuditEvent, Notice
from tests.term.figures import figures
from tests.term.judge import judge
from tests.term.people import settle
from tests.term.plan import Size
from tests.term.run import Engine, run
from tests.term.world import opened


def _lose_a_sentence(session: Session) -> None:
    row = session.scalars(select(Response).where(Response.words > 5).limit(1)).one()
    row.body = row.body.splitlines()[-1] if "\n" in row.body else "Nothing."


def _let_a_day_slip(session: Session) -> None:
    for event in session.scalars(select(AuditEvent).where(AuditEvent.action == "try_submitted")):
        event.at -= timedelta(days=20)


def _forget_a_turn(session: Session) -> None:
    session.execute(delete(AuditEvent).where(AuditEvent.action == "review_started"))


def _lose_a_notice(session: Session) -> None:
    session.execute(delete(Notice).where(Notice.kind == "try_submitted"))


def _leave_a_row(session: Session) -> None:
    row = session.scalars(select(OutboxRow).where(OutboxRow.state == "waiting").limit(1)).one()
    row.due_at -= timedelta(days=60)


HARM: dict[str, Callable[[Session], None]] = {
    "draft words lost": _lose_a_sentence,
    "late decision unannounced": _let_a_day_slip,
    "change of state without audit event": _forget_a_turn,
    "notices lost": _lose_a_notice,
    "timed rows overdue": _leave_a_row,
}


def test_weeks_of_work_leave_nothing_lost_late_or_untold(migrated_sqlite_url: str, tmp_path: Path) -> None:
    size = Size(teachers=3, reviewers=3, approvers=2, coordinators=1, weeks=2, seed=2)
    with opened(size, migrated_sqlite_url, tmp_path) as term:
        people = settle(term)
        term.go(size.end)
        with term.world.database.reading() as session:
            verdict = judge(session, people.teachers, term.mails, term.now)
            found = figures(session)
        assert verdict.is_clean, verdict.examples
        assert found.states["awarded"]
        assert term.views
        assert not term.named
        for fault, harm in HARM.items():
            with term.world.database.reading() as session:
                harm(session)
                session.flush()
                assert judge(session, people.teachers, term.mails, term.now).faults[fault], fault


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_term_of_many_is_clean(engine: Engine) -> None:
    outcome = run(engine, Size(teachers=40, reviewers=5, seed=3))
    assert outcome.verdict.is_clean, outcome.verdict.examples
    assert outcome.figures.states["revisions_requested"]
    assert outcome.figures.counts["second readings"]
