"""One term from beginning to end, on one database."""

import gc
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from microcred.app.garbage import keep_what_is_here
from tests.functional.review.crowd import published
from tests.support import engines
from tests.term import plan
from tests.term.figures import Figures, figures
from tests.term.judge import Verdict, judge
from tests.term.people import settle
from tests.term.plan import Size
from tests.term.world import opened

Engine = Literal["sqlite", "postgresql"]


@dataclass(frozen=True)
class Outcome:
    """What a term showed."""

    engine: Engine
    size: Size
    verdict: Verdict
    figures: Figures
    done: Mapping[str, int]
    """Requests by what they were for."""
    refused: Mapping[str, int]
    """Refusals in words, by request and code."""
    views: int
    """Pages shown to reviewers and appeal readers, each searched for names."""
    seconds: float
    cpu: float
    """Seconds of this process alone; a database server's own come on top."""
    roles: Mapping[int, str]
    """Person to `teacher`, `reviewer` or `approver`."""


def run(engine: Engine, size: Size, say: Callable[[str], None] = print) -> Outcome:
    """A term in a new database of its own, which is removed afterwards."""
    keep_what_is_here()
    gc.set_threshold(50_000, 20, 50)
    with tempfile.TemporaryDirectory(prefix="term-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # run by root, PostgreSQL works as another user and must pass through
        with database(engine, folder) as url:
            return run_in(engine, url, folder, size, say)


def run_in(engine: Engine, url: str, folder: Path, size: Size, say: Callable[[str], None]) -> Outcome:
    """A term in an empty database, with or without this version's schema."""
    started, worked = time.monotonic(), time.process_time()
    with opened(size, url, folder) as term:
        before = published(term.world)
        people = settle(term)
        for week in range(1, size.weeks + 1):
            term.go(plan.BEGIN + timedelta(weeks=week))
            say(f"  week {week}: {term.done.total()} requests, {time.process_time() - worked:.0f} s")
        with term.world.database.reading() as session:
            verdict = judge(session, people.teachers, term.mails, term.now)
            found = figures(session)
        verdict.found("pages that named somebody to a reviewer", times=term.named)
        verdict.found("refusals without words", times=term.wordless)
        verdict.found("published versions changed", times=int(published(term.world) != before))
        roles = {one.person_id: "teacher" for one in people.teachers}
        roles |= {one.person_id: "reviewer" for one in people.reviewers}
        roles |= {one.person_id: "approver" for one in people.approvers}
        return Outcome(
            engine,
            size,
            verdict,
            found,
            Counter(term.done),
            Counter(term.refused),
            term.views,
            time.monotonic() - started,
            time.process_time() - worked,
            roles,
        )


@contextmanager
def database(engine: Engine, folder: Path) -> Iterator[str]:
    """An empty database as an SQLAlchemy address."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'microcred.sqlite3'}"
        return
    place = folder / "postgres"
    place.mkdir()
    server = engines.start_postgres(place)
    try:
        with engines.postgres_database(server.port, "term") as url:
            yield url
    finally:
        server.stop()
