"""Short texts about a credential that pages, mails and gradebook comments share."""

from collections.abc import Iterable, Sequence

from microcred.credentials.definition import Definition
from microcred.credentials.passing import Outcome, PartState
from microcred.credentials.schema import Part

PART_STATE_WORDS = {
    PartState.PASSING: "Passing",
    PartState.YES: "Yes",
    PartState.NOT_PASSING: "Revisions needed",
    PartState.NO: "No",
    PartState.UNRATED: "Not rated yet",
}


def part_label(part: Part) -> str:
    """`Part 2: Work from two students`."""
    return f"Part {part.number}: {part.title}"


def joined(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; empty for nothing."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def parts_in_words(definition: Definition, part_ids: Iterable[str]) -> str:
    """`Part 1`, `Parts 1 and 4`; empty for none."""
    chosen = set(part_ids)
    numbers = [str(part.number) for part in definition.parts if part.id in chosen]
    return f"Part{'s' if len(numbers) > 1 else ''} {joined(numbers)}" if numbers else ""


def outcome_in_words(definition: Definition, outcome: Outcome) -> str:
    """The outcome in one sentence, such as `Revisions needed in Parts 1 and 4.`"""
    if outcome.passed is None:
        return f"{counted(outcome.unrated, 'point')} still to rate."
    if outcome.passed:
        return "Everything that is asked for is shown."
    failed = parts_in_words(definition, outcome.failed_parts)
    return f"Revisions needed in {failed}." if failed else "A higher level is asked for than was shown."


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 piece`, `2 pieces`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def hours_in_words(definition: Definition) -> str:
    """`10 hours (1.0 CEU)`."""
    effort = definition.document.effort
    return f"{counted(effort.clock_hours, 'hour')} ({effort.ceu:.1f} CEU)"
