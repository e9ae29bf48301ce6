"""Days that count: business days in an organization's own zone, its holidays left out."""

from calendar import monthrange
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

_END_OF_DAY = time(23, 59, 59)
_SATURDAY = 5


def add_business_days(
    moment: datetime, days: int, zone: tzinfo | str, holidays: Collection[date] = frozenset()
) -> datetime:
    """The end (23:59:59 local) of the `days`-th business day after `moment`, in UTC.

    The day of `moment` itself does not count. With 0 days: the end of that day, or of the next business day.
    Raises ValueError for a moment without a zone or fewer than 0 days, ZoneInfoNotFoundError for an unknown
    zone.
    """
    if moment.tzinfo is None or days < 0:
        raise ValueError("needs an aware moment and 0 days or more")
    zone = ZoneInfo(zone) if isinstance(zone, str) else zone
    day = moment.astimezone(zone).date()
    for _ in range(days):
        day = _next_business_day(day + timedelta(days=1), holidays)
    day = _next_business_day(day, holidays)
    return datetime.combine(day, _END_OF_DAY, zone).astimezone(UTC)


def add_months(moment: datetime, months: int) -> datetime:
    """The same day and time `months` later; the last day of a month that is shorter (an award of August 31
    plus six months).
    """
    count = moment.month - 1 + months
    year, month = moment.year + count // 12, count % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def _next_business_day(day: date, holidays: Collection[date]) -> date:
    while day.weekday() >= _SATURDAY or day in holidays:
        day += timedelta(days=1)
    return day
