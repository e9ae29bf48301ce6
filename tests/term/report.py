"""The figures of a term as a page, docs/term.md."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from microcred.credentials.steps import State
from tests.term import plan
from tests.term.figures import Agreement, middle, share_of
from tests.term.plan import CHANCES
from tests.term.promises import APPEAL_DAYS, DECISION_DAYS, MORE_DAYS
from tests.term.run import Outcome

_ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_TITLE = """# A term

What becomes of a term of work: {teachers} teachers, {reviewers} reviewers, {approvers} approvers and
{coordinators} coordinators for {weeks} weeks, on a clock that is moved. Written by `make term`; do not edit.

Everybody acts through the functions that the pages call, one transaction a request; the tool's own worker
does the timed work through the outbox, and mails go into a folder. The people are made up, and so is how
they behave; how they are treated is not.

- Teachers begin within four weeks, write over several evenings, add links and files, give permissions and
  send in. {line_breaks:.0%} of their saves meet a broken line and are repeated; before {second_tab:.0%}
  another tab has saved. {takes_back:.0%} take their work back, {slips:.0%} make a slip (a name, a face, a
  piece that does not open, words copied), {struggles:.0%} need many tries, {appeals:.0%} of those who were
  refused appeal.
- Reviewers work most school days, a few tries a day; one in five is away for a week or more with work on the
  desk, and every second one takes no mail. They see one level beside what the work shows in about
  {misjudges:.0%} of all points. Practice counts for {practice} month here, so that it lapses.
- Approvers award what is recommended, send {returned:.1%} back to the reviewer, do not award what is flagged,
  judge appeals, withdraw awards, renew what expired.
- Weekends, {holidays} and the end of summer time lie in these weeks ({zone}).
- A decision is promised within {decision_days} business days, the answer to an appeal within {appeal_days};
  when a day slips, {more_days} are added and the teacher is told before.

Afterwards a judge reads the database and the folder of mails. It counts business days, turns and notices by
its own rules, and compares every draft with what its teacher was told is saved.
"""
_NOTES = """## Reading it

- A decision is late unannounced when the day that its teacher had been told last passed before it was made,
  or before a new day was told; open tries and appeals count too.
- Draft words are marked sentence by sentence. A sentence that a save confirmed and that does not stand in the
  teacher's newest try is lost.
- Names are looked for in everything that a reviewer or an appeal reader was given to read: name, e-mail
  address, course account, file names.
- A row that needed a second go counts as broken: nothing outside fails in a term.
- Agreement is that of first and second readings of the same try; kappa has quadratic weights and is left out
  below 20 pairs. It measures these made-up reviewers, not people.
- Courses of a term have no gradebook. What becomes of grades is in [reliability.md](reliability.md).
"""


def write(file: Path, outcome: Outcome) -> None:
    """Write the page to `file`."""
    date = datetime.now(UTC).date().isoformat()
    parts = [
        _title(outcome),
        f"Last run: {date}, seed {outcome.size.seed}, {_ENGINES[outcome.engine]}; it took "
        f"{outcome.seconds / 60:.1f} minutes, {outcome.cpu / 60:.1f} of them at work.\n",
        _table("What must be zero", ("", "found"), _zeros(outcome)),
        _table("What happened", ("", ""), _happened(outcome)),
        _table("Time", ("days", "median", "90 % within", "longest"), _times(outcome)),
        _table("Reviewers", ("", ""), _reviewing(outcome)),
        _table("Agreement", ("credential", "pairs", "same level", "same result", "kappa"), _agreed(outcome)),
        _table("Mails a person", ("", "median", "most", "all"), _mails(outcome)),
        _table("How often each state was reached", ("state", "times"), _states(outcome)),
        _table("Turns", ("turn", "times"), _turns(outcome)),
        _NOTES,
    ]
    file.write_text("\n".join(parts))


def _title(outcome: Outcome) -> str:
    size = outcome.size
    days = [f"{day:%B} {day.day}" for day in plan.HOLIDAYS]
    return _TITLE.format(
        **vars(size) | vars(CHANCES),
        slips=CHANCES.names_somebody + CHANCES.does_not_open + CHANCES.copied,
        practice="one" if plan.PRACTICE_MONTHS == 1 else plan.PRACTICE_MONTHS,
        holidays=f"{len(days)} holidays ({', '.join(days)})",
        zone=plan.ZONE.key,
        decision_days=DECISION_DAYS,
        appeal_days=APPEAL_DAYS,
        more_days=MORE_DAYS,
    )


_Row = Sequence[object]


def _table(title: str, head: Sequence[str], rows: Sequence[_Row]) -> str:
    lines = [f"| {' | '.join(str(cell) for cell in row)} |" for row in (head, *rows)]
    lines.insert(1, "|---" * len(head) + "|")
    return "\n".join([f"## {title}", "", *lines, ""])


def _zeros(outcome: Outcome) -> list[_Row]:
    return list(outcome.verdict.faults.items())


def _happened(outcome: Outcome) -> list[_Row]:
    done = outcome.done
    return [
        *((name, number) for name, number in outcome.figures.counts.items() if "reading" not in name),
        ("requests", sum(done.values())),
        ("saves of an answer", done["save"]),
        ("saves that met another tab's, both texts kept", outcome.refused["save: text_changed_elsewhere"]),
        ("pieces of evidence added", done["add piece"]),
        ("pages searched for names", outcome.views),
        ("requests refused in words", sum(outcome.refused.values())),
    ]


def _times(outcome: Outcome) -> list[_Row]:
    found = outcome.figures
    return [
        (
            f"{name} ({len(days)})",
            f"{middle(days):.1f}",
            f"{share_of(0.9, days):.1f}",
            f"{max(days, default=0):.1f}",
        )
        for name, days in (("decisions", found.turnaround), ("appeals", found.appeal_days))
    ]


def _reviewing(outcome: Outcome) -> list[_Row]:
    found, counts = outcome.figures, outcome.figures.counts
    each = list(found.readings.values())
    decided, first = len(found.turnaround), counts["first readings"]
    return [
        *((name, number) for name, number in counts.items() if "readings" in name),
        ("share read twice", _percent(counts["second readings"], first)),
        (
            "decisions by the day promised first",
            f"{found.on_first_day} ({_percent(found.on_first_day, decided)})",
        ),
        ("readings of one reviewer: fewest / median / most", f"{min(each)} / {middle(each):g} / {max(each)}"),
    ]


def _agreed(outcome: Outcome) -> list[_Row]:
    def row(one: Agreement) -> _Row:
        if one.exact is None or one.same_result is None:
            return (one.credential, one.pairs, "", "", "")
        kappa = "" if one.kappa is None else f"{one.kappa:.2f}"
        return (one.credential, one.pairs, f"{one.exact:.0%}", f"{one.same_result:.0%}", kappa)

    return [row(one) for one in outcome.figures.agreement]


def _mails(outcome: Outcome) -> list[_Row]:
    rows: list[_Row] = []
    for role in ("teacher", "reviewer", "approver"):
        each = [
            outcome.figures.mails.get(person, 0) for person, theirs in outcome.roles.items() if theirs == role
        ]
        rows.append((f"{role}s", f"{middle(each):g}", max(each), sum(each)))
    return rows


def _states(outcome: Outcome) -> list[_Row]:
    return [(state.value, outcome.figures.states[state]) for state in State]


def _turns(outcome: Outcome) -> list[_Row]:
    taken: Mapping[str, int] = outcome.figures.turns
    return [
        *sorted(taken.items(), key=lambda row: -row[1]),
        *((name, 0) for name in outcome.figures.not_taken),
    ]


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else ""
