"""Days, amounts and levels in the words that reviewers and approvers read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from microcred.credentials.definition import Definition
from microcred.credentials.schema import Criterion, Level
from microcred.web.base import wording


@dataclass(frozen=True)
class Due:
    """When something is due: words for a person, and whether it is now or soon."""

    text: str
    urgent: bool


def due(moment: datetime, now: datetime, zone: ZoneInfo) -> Due:
    """`today`, `tomorrow`, `2 days late`, else `Thu, Oct 8`, all in the organization's own time."""
    day, today = moment.astimezone(zone).date(), now.astimezone(zone).date()
    left = (day - today).days
    if left < 0 or moment < now:
        return Due(f"{wording.plural(-left, 'day')} late" if left else "late", True)
    if left <= 1:
        return Due("tomorrow" if left else "today", True)
    year = f", {day.year}" if day.year != today.year else ""
    return Due(f"{day:%a, %b} {day.day}{year}", False)


def which_try(number: int) -> str:
    """`First try`, `Second try` ..."""
    return f"{wording.ordinal(number)} try"


def amount(words: int, items: int) -> str:
    """`1,040 words, 4 items`."""
    said = [f"{words:,} word{'' if words == 1 else 's'}"] if words else []
    if items:
        said.append(wording.plural(items, "item"))
    return ", ".join(said)


def first_capital(text: str) -> str:
    """`text` with its first letter in upper case."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class ShownLevel:
    """A level of a criterion as pages show it; `number` is its key on the keyboard, highest for the best."""

    key: str
    label: str
    descriptor: str
    tone: str
    """`strong`, `pass`, `revise` or `notyet`: colour and icon."""
    number: int
    passes: bool
    chosen: bool


def shown_levels(definition: Definition, criterion: Criterion, chosen: str | None) -> tuple[ShownLevel, ...]:
    """The levels of a criterion, best first."""
    levels = definition.levels(criterion)
    return tuple(
        ShownLevel(
            key=level.key,
            label=level.label,
            descriptor=descriptor,
            tone=tone([each for each, _ in levels], level),
            number=len(levels) - place,
            passes=level.passes,
            chosen=level.key == chosen,
        )
        for place, (level, descriptor) in enumerate(levels)
    )


def tone(levels: Sequence[Level], level: Level) -> str:
    """How a level looks: the best of several that pass is `strong`, the last that does not is `notyet`."""
    if level.passes:
        several = sum(each.passes for each in levels) > 1
        return "strong" if several and level == levels[0] else "pass"
    return "notyet" if level == levels[-1] else "revise"
