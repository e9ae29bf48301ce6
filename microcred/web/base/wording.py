"""Dates, sizes and counts in plain words, for templates and messages."""

from datetime import datetime
from zoneinfo import ZoneInfo

_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def day(moment: datetime, zone: ZoneInfo) -> str:
    """`Monday, October 5`."""
    local = moment.astimezone(zone)
    return f"{local:%A, %B} {local.day}"


def date(moment: datetime, zone: ZoneInfo) -> str:
    """`October 5, 2026`."""
    local = moment.astimezone(zone)
    return f"{local:%B} {local.day}, {local.year}"


def clock_time(moment: datetime, zone: ZoneInfo) -> str:
    """`10:42 AM`."""
    local = moment.astimezone(zone)
    return f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"


def when(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`today at 10:42 AM`, `yesterday at 4:06 PM`, else `October 5 at 4:06 PM`."""
    days = (now.astimezone(zone).date() - moment.astimezone(zone).date()).days
    local = moment.astimezone(zone)
    name = {0: "today", 1: "yesterday"}.get(days, f"{local:%B} {local.day}")
    return f"{name} at {clock_time(moment, zone)}"


def size(count: int) -> str:
    """Bytes as people say them: `1.5 GB`, `640 MB`, `2.1 MB`, `12 KB`."""
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))} KB"
    megabytes = count / 1_000_000
    if megabytes >= 1000:
        return f"{megabytes / 1000:.1f} GB"
    return f"{megabytes:.1f} MB" if megabytes < 10 else f"{megabytes:.0f} MB"


def number(count: int) -> str:
    """A small number as a word, a larger one as digits."""
    return _NUMBERS[count] if 0 <= count < len(_NUMBERS) else str(count)


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 piece`, `2 pieces`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def listed(words: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def ordinal(count: int) -> str:
    """`First`, `Second` ... for tries."""
    names = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")
    return names[count - 1] if 0 < count <= len(names) else f"{count}th"
