"""The referee: compares what every gradebook shows with what was decided, and looks at how it came there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
from sqlalchemy import func, select

from microcred.database import Database
from microcred.outbox import OutboxRow
from tests.chaos import plan
from tests.chaos.plan import LMS
from tests.chaos.world import newest_decisions

_DONE = ("delivered", "superseded")


@dataclass
class Verdict:
    """What a run ended with. Everything in `faults` must be zero."""

    awards: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    """Outbox rows by state."""
    answers: Mapping[str, int] = field(default_factory=dict)
    """What the platforms did, by kind."""
    faults: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    """Wrong grades, described."""
    comments_repeated: int = 0
    """Canvas appends the comment of a post that was repeated after its answer was lost."""

    @property
    def is_clean(self) -> bool:
        """Whether the gradebooks are as they must be."""
        return self.awards > 0 and not any(self.faults.values())


def judge(database: Database, ports: Sequence[int], learners: int) -> Verdict:
    """Look at every learner."""
    with database.reading() as session:
        decided = newest_decisions(session)
        rows = session.execute(select(OutboxRow.state, func.count()).group_by(OutboxRow.state))
        by_state = {row[0]: row[1] for row in rows}
    seen = [requests.get(f"http://127.0.0.1:{port}/seen", timeout=60).json() for port in ports]
    verdict = Verdict(awards=len(decided), rows=by_state)
    answers: Counter[str] = Counter()
    for platform in seen:
        answers.update(platform["counts"])
    verdict.answers = dict(answers)
    wrong: Counter[str] = Counter()
    for learner in range(learners):
        _judge_learner(learner, decided.get(learner), seen[plan.platform_of(learner)], wrong, verdict)
    names = (
        "grade_wrong",
        "grade_missing",
        "out_of_order",
        "same_stamp_other_body",
        "attempt_added_twice",
        "in_two_columns",
    )
    verdict.faults = {name: wrong[name] for name in names}
    verdict.faults["not_decided"] = learners - len(decided)
    verdict.faults["columns_made_twice"] = sum(len(platform["items"]) > 1 for platform in seen)
    verdict.faults["rows_needing_a_person"] = sum(
        count for state, count in by_state.items() if state not in _DONE
    )
    return verdict


def _judge_learner(
    learner: int,
    decided: tuple[float, float] | None,
    platform: Mapping[str, Any],
    wrong: Counter[str],
    verdict: Verdict,
) -> None:
    cells = [people[f"u-{learner}"] for people in platform["cells"].values() if f"u-{learner}" in people]
    wrong["in_two_columns"] += len(cells) > 1
    if decided is None:
        return
    if not cells or cells[0]["score"] is None:
        wrong["grade_missing"] += 1
        return
    cell = cells[0]
    if (cell["score"], cell["maximum"]) != decided:
        wrong["grade_wrong"] += 1
        verdict.examples.append(f"u-{learner} {platform['lms']}: {cell} instead of {decided}")
    wrong["out_of_order"] += cell["out_of_order"]
    wrong["same_stamp_other_body"] += cell["same_stamp_other_body"]
    if platform["lms"] == LMS[1]:
        wrong["attempt_added_twice"] += cell["attempts"] > 1
        verdict.comments_repeated += sum(
            a == b for a, b in zip(cell["comments"], cell["comments"][1:], strict=False)
        )
