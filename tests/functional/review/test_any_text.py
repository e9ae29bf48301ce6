"""Whatever a reviewer or an approver types: kept as text or refused in words, never an error of ours."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcred.app import schema
from microcred.app.factory import create_app
from microcred.app.settings import Settings
from microcred.app.wiring import assemble
from microcred.database import Database
from tests.functional.review.visitor import ORIGIN, Visitor
from tests.functional.review.world import NOT_DRAWN, PASSING, StoppedClock, build
from tests.support import engines

WORDS = (
    "",
    "\0",
    "a\0b",
    "\u202e",
    "9" * 400,
    "strong",
    "passing",
    "yes",
    "award",
    "return",
    "deny",
    "revise",
    "p1",
)
texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=40))
CRITERIA = sorted(PASSING)
FIELDS = [f"{kind}_{name}" for name in CRITERIA[:3] for kind in ("level", "text_comment")]
_numbers = itertools.count()


@pytest.fixture(scope="module")
def people(postgres_port: int, worker_id: str) -> Iterator[tuple[Visitor, Visitor, str, str]]:
    """Reviewer and approver at their desks, a try in review and one to decide, on PostgreSQL."""
    name = f"any_review_{worker_id}_{next(_numbers)}"
    with engines.postgres_database(postgres_port, name) as url, TemporaryDirectory() as folder:
        database = Database(url)
        schema.upgrade(database)
        world = build(database, StoppedClock())
        settings = Settings(
            public_url=ORIGIN,
            database_url=url,
            secret_keys=["a secret for tests that is long enough"],
            storage_url=f"{folder}/files",
            data_dir=Path(folder),
        )
        assembled = assemble(settings, world.clock, lambda: NOT_DRAWN)
        app = create_app(assembled)
        decided = world.recommended()
        read = world.submitted(world.stranger)
        world.start(read)
        reviewer = Visitor.at_desk(app, database, world.clock, world.reviewer)
        approver = Visitor.at_desk(app, database, world.clock, world.approver)
        yield reviewer, approver, read, decided
        assembled.close()
        database.dispose()


@given(
    fields=st.dictionaries(
        st.one_of(st.sampled_from([*FIELDS, "part", "outcome"]), texts), texts, max_size=5
    ),
    decision=st.sampled_from(["deny", "return", "award!", "", "\0"]),
    path=st.sampled_from(["ratings", "finish", "decide"]),
)
def test_forms_of_reviewers_and_approvers(
    people: tuple[Visitor, Visitor, str, str], fields: dict[str, Any], decision: str, path: str
) -> None:
    reviewer, approver, read, decided = people
    fields = {name: text for name, text in fields.items() if name not in ("path", "fragment", "form_token")}
    if path == "decide":
        approver.get(f"/desk/approve/{decided}")
        answer = approver.post(f"/desk/approve/{decided}", **{**fields, "decision": decision})
    else:
        reviewer.get(f"/desk/review/{read}")
        answer = reviewer.post(f"/desk/review/{read}/{path}", **fields)

    assert answer.status_code < 500, answer.get_data(as_text=True)[:400]
    assert reviewer.get(f"/desk/review/{read}").status_code == 200
