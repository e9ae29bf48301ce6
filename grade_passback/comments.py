"""What a learner reads beside the grade: plain text, short, without anything that is for reviewers alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser

from microcred.credentials import StackProgress

LONGEST = 2000
"""Characters. Gradebooks show a line or two; AGS names no limit, so one of our own keeps a row small."""


@dataclass(frozen=True)
class CommentFacts:
    """What a comment may mention. Dates are those of the organization's own time zone."""

    decision_due: date | None = None
    missing: str | None = None
    """What is incomplete, such as "Part 2 is missing one item"."""
    parts_to_revise: Sequence[int] = ()
    """Numbers of the parts that need revisions."""
    decided_on: date | None = None
    verify_url: str | None = None
    appeal_until: date | None = None
    reason: str | None = None
    """A class of reason that the learner may read (revocation); never a reviewer's note."""


def comment_for(moment: str, facts: CommentFacts) -> str | None:
    """The comment of a moment (product table "Moment"), None where it has none."""
    match moment:
        case "submitted":
            due = f" Decision due by {in_words(facts.decision_due)}." if facts.decision_due else ""
            return "Received." + due
        case "incomplete":
            return plain_text(facts.missing or "Something is missing. Open to see what.")
        case "revisions_requested":
            return f"Revisions needed{_parts(facts.parts_to_revise)}. Open to read feedback."
        case "withdrawn":
            return "Withdrawn by you."
        case "awarded" | "appeal_won":
            return _earned(facts)
        case "denied":
            appeal = f" You may appeal until {in_words(facts.appeal_until)}." if facts.appeal_until else ""
            return "Not awarded." + appeal
        case "appeal_opened":
            return "Appeal received."
        case "appeal_lost":
            return "Appeal decided: the earlier decision stands."
        case "revoked":
            on = f" {in_words(facts.decided_on)}" if facts.decided_on else ""
            return plain_text(f"Revoked{on}." + (f" {facts.reason}." if facts.reason else ""))
    return None


def stack_comment(moment: str, progress: StackProgress, on: date) -> str:
    """How far a stack is. A number that fell says why."""
    why = f"Revoked {in_words(on)}. " if moment == "revoked" else ""
    if progress.is_complete:
        return f"{why}All {progress.needed} of the stack earned."
    return f"{why}{progress.earned} of {progress.needed} of the stack earned."


def plain_text(text: str, longest: int = LONGEST) -> str:
    """`text` without markup, its white space tidied, cut at a character border to `longest` characters."""
    reader = _TextOnly()
    reader.feed(text)
    reader.close()
    tidy = " ".join("".join(reader.pieces).split())
    # A lone half of a surrogate pair cannot be written as UTF-8 and would break the row for good.
    tidy = tidy.encode("utf-8", "ignore").decode()
    return tidy if len(tidy) <= longest else tidy[: longest - 1].rstrip() + "…"


def in_words(day: date) -> str:
    """`March 3, 2026`."""
    return f"{day:%B} {day.day}, {day.year}"


def _earned(facts: CommentFacts) -> str:
    on = f" {in_words(facts.decided_on)}" if facts.decided_on else ""
    return f"Earned{on}." + (f" {facts.verify_url}" if facts.verify_url else "")


def _parts(numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    names = [str(number) for number in numbers]
    if len(names) == 1:
        return f" in Part {names[0]}"
    return f" in Parts {', '.join(names[:-1])} and {names[-1]}"


class _TextOnly(HTMLParser):
    """Collects the text of a document; what scripts and styles hold is not text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")
        self.pieces.append(" " if tag in ("p", "br", "div", "li", "tr", "h1", "h2", "h3") else "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)
