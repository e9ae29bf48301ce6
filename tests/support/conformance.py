"""The numbered LTI cases, and the table of those that pass.

A test says which case it is with `@pytest.mark.case("LI-05")`, and, where the case leaves a choice, which one
was made: `@pytest.mark.case("LI-18", choice="refused at launch")`. `make cases` (`pytest --conformance FILE`)
writes the table: a case is passed when every test of it has passed, open when it has none.
"""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

CASES = Path(__file__).with_name("lti_cases.tsv")
INTRODUCTION = """# Conformance

Every numbered case of the LTI tool and of grade delivery: what it checks, and whether a test of it passes
today. Written by `make cases`; do not edit.
"""


@dataclass(frozen=True)
class Case:
    """One numbered case: what is done, and what must be seen."""

    id: str
    category: str
    input: str
    result: str


def known_cases() -> dict[str, Case]:
    """All cases by id, in the order of their list."""
    with CASES.open(newline="") as file:
        rows = csv.DictReader(file, dialect="excel-tab", quoting=csv.QUOTE_NONE)
        return {row["id"]: Case(**row) for row in rows}


class Conformance:
    """A pytest plugin that notes the outcome of every case and writes the table at the end."""

    def __init__(self, target: Path | None) -> None:
        self._target = target
        self._cases = known_cases()
        self._passed: defaultdict[str, list[bool]] = defaultdict(list)
        self._choices: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Lets reports carry the ids of their cases, also from another process."""
        for item in items:
            for mark in item.iter_markers("case"):
                if mark.args[0] not in self._cases:
                    raise pytest.UsageError(f"{item.nodeid}: there is no case {mark.args[0]}")
                item.user_properties.append(("case", mark.args[0]))
                item.user_properties.append((f"choice {mark.args[0]}", mark.kwargs.get("choice", "")))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes the outcome of a test, or of its set-up where that went wrong."""
        if report.when != "call" and report.passed:
            return
        for name, value in report.user_properties:
            if name == "case":
                self._passed[str(value)].append(report.passed)
            elif name.startswith("choice ") and value:
                self._choices[name.removeprefix("choice ")] = str(value)

    def pytest_sessionfinish(self) -> None:
        """Writes the table, in the process that has all reports."""
        if self._target and self._passed:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._target.write_text(self.table())

    def state(self, case_id: str) -> str:
        """`passed`, `failed` or `open`."""
        outcomes = self._passed.get(case_id)
        if not outcomes:
            return "open"
        return "passed" if all(outcomes) else "failed"

    def table(self) -> str:
        """The page, as Markdown."""
        states = [self.state(case_id) for case_id in self._cases]
        counts = ", ".join(f"{states.count(state)} {state}" for state in ("passed", "failed", "open"))
        lines = [INTRODUCTION, f"{len(states)} cases: {counts}.", ""]
        lines += [
            "| Id | Category | Input | Required result | Choice made | State |",
            "|---|---|---|---|---|---|",
        ]
        for case in self._cases.values():
            cells = [case.id, case.category, case.input, case.result, self._choices.get(case.id, "")]
            lines.append(f"| {' | '.join(map(_cell, cells))} | {self.state(case.id)} |")
        return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
