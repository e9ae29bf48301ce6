"""The figures of runs as a page, docs/reliability.md."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.run import Outcome
from tests.chaos.stores import Engine

_SETUPS: dict[Engine, str] = {
    "sqlite": "SQLite, one process",
    "postgresql": "PostgreSQL and Redis, three workers",
}
_TITLE = """# Reliability

What becomes of grades while everything around the tool breaks. Written by `make chaos`; do not edit.

Demo teachers on four platforms (plain specification, Canvas, Moodle, Schoology) hand in and are decided
on; decisions are revised meanwhile. Each of these happens during the same minutes:

- {server_error:.0%} of all answers of the platforms, tokens and results included, are 5xx, some of them
  after the work was done; {dropped:.0%} of connections end after the platform has taken the score;
  {silent:.1%} of requests are never answered (a time-out of 20 s, after the score was taken);
  {throttled:.0%} are "slow down" (429, Canvas: 403).
- Processes that deliver are killed with SIGKILL and started again; on SQLite that is the one process
  that also writes the decisions.
- PostgreSQL is stopped and started, every second time without warning; Redis is killed and comes back
  empty.
- The clock is an hour slow for a tenth of the time, is set right, and later stays 20 s slow.
- The column of one platform does not exist yet and is made in the middle of all this.

The outbox's own waiting times (back-off, breaker, lease) are divided by {haste:g} so that a run takes
minutes. Nobody presses anything: a row that needs a person counts as a fault.
"""


def write(file: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the page to `file`."""
    size = outcomes[0].size
    title = _TITLE.format(haste=size.haste, **vars(size.faults))
    date = datetime.now(UTC).date().isoformat()
    parts = [
        title,
        f"Last run: {date}, seed {size.seed}, platforms with {size.latency * 1000:g} ms latency.\n",
    ]
    parts.append(_table("What happened", outcomes, _HAPPENED))
    wrong = [(name.replace("_", " "), _fault(name)) for name in outcomes[0].verdict.faults]
    parts.append(_table("What must be zero", outcomes, wrong))
    parts.append(_NOTES)
    file.write_text("\n".join(parts))


_Line = tuple[str, Callable[[Outcome], str]]
_HAPPENED: Sequence[_Line] = (
    ("awards, each in its gradebook", lambda o: str(o.verdict.awards)),
    ("scores delivered", lambda o: str(o.verdict.rows.get("delivered", 0))),
    (
        "scores replaced by a newer decision before they left",
        lambda o: str(o.verdict.rows.get("superseded", 0)),
    ),
    ("processes killed", lambda o: str(o.kills)),
    (
        "restarts of PostgreSQL / Redis",
        lambda o: f"{o.restarts.get('postgresql', 0)} / {o.restarts.get('redis', 0)}",
    ),
    ("steps of the clock", lambda o: str(o.clock_steps)),
    ("requests to the platforms", lambda o: _count(o, "requests")),
    ("answered 5xx", lambda o: str(_number(o, "server_error") + _number(o, "server_error_after"))),
    ("answers lost after the score was taken", lambda o: str(_number(o, "dropped") + _number(o, "silent"))),
    ("told to slow down", lambda o: _count(o, "throttled")),
    ("repeats that a platform recognised by their timestamp", lambda o: _count(o, "repeated")),
    ("tokens", lambda o: _count(o, "tokens")),
    ("seconds of decisions and disasters", lambda o: f"{o.writing_seconds:.0f}"),
    ("seconds until nothing was left to send", lambda o: f"{o.settled_seconds:.0f}"),
    ("comments that Canvas shows twice", lambda o: str(o.verdict.comments_repeated)),
)
_NOTES = """## Reading it

- Grades are compared with the newest decision of each learner, whose points are counted a second time
  without the code under test.
- "Out of order" counts scores that arrived with an older timestamp than one that had arrived before.
- Canvas appends the comment of every post. A hand-in carries no number, so a repeat of it after a lost
  answer cannot be told from the first one by reading the gradebook; its "Received." may then stand
  there twice. The attempt does not: it is named by the time of the hand-in.
- A clock that stays an hour slow delays what was due by up to an hour; nothing else follows from it.
"""


def _table(title: str, outcomes: Sequence[Outcome], lines: Sequence[_Line]) -> str:
    head = " | ".join(["", *(_SETUPS[outcome.engine] for outcome in outcomes)])
    rows = [f"| {' | '.join([name, *(read(outcome) for outcome in outcomes)])} |" for name, read in lines]
    return "\n".join([f"## {title}", "", f"|{head} |", "|---" * (len(outcomes) + 1) + "|", *rows, ""])


def _fault(name: str) -> Callable[[Outcome], str]:
    return lambda outcome: str(outcome.verdict.faults[name])


def _number(outcome: Outcome, name: str) -> int:
    return outcome.verdict.answers.get(name, 0)


def _count(outcome: Outcome, name: str) -> str:
    return str(_number(outcome, name))
