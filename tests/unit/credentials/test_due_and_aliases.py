"""Business days in an organization's zone, and names for reviewers to use."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcred.credentials.aliases import BIRDS, alias_for
from microcred.credentials.due import add_business_days

CHICAGO = ZoneInfo("America/Chicago")


def due(moment: str, days: int, holidays: frozenset[date] = frozenset()) -> str:
    local = add_business_days(datetime.fromisoformat(moment), days, CHICAGO, holidays).astimezone(CHICAGO)
    return local.strftime("%a %Y-%m-%d %H:%M:%S")


def test_five_business_days_from_a_monday_is_the_next_monday() -> None:
    assert due("2026-09-28T15:00:00+00:00", 5) == "Mon 2026-10-05 23:59:59"


def test_a_weekend_counts_for_nothing() -> None:
    assert due("2026-10-03T15:00:00+00:00", 1) == "Mon 2026-10-05 23:59:59"
    assert due("2026-10-03T15:00:00+00:00", 0) == "Mon 2026-10-05 23:59:59"
    assert due("2026-10-02T15:00:00+00:00", 0) == "Fri 2026-10-02 23:59:59"


def test_holidays_are_left_out() -> None:
    thanksgiving = frozenset({date(2026, 11, 26), date(2026, 11, 27)})
    assert due("2026-11-24T15:00:00+00:00", 3, thanksgiving) == "Tue 2026-12-01 23:59:59"


def test_the_day_is_the_organizations_own() -> None:
    # Already Tuesday in UTC, still Monday evening in Chicago.
    assert due("2026-09-29T02:00:00+00:00", 1) == "Tue 2026-09-29 23:59:59"


def test_the_clock_change_moves_the_moment_not_the_day() -> None:
    before = add_business_days(datetime(2026, 10, 29, 15, tzinfo=UTC), 1, "America/Chicago")
    after = add_business_days(datetime(2026, 10, 30, 15, tzinfo=UTC), 1, "America/Chicago")
    assert (before.hour, after.hour) == (4, 5)


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        add_business_days(datetime(2026, 1, 1), 1, UTC)  # noqa: DTZ001
    with pytest.raises(ZoneInfoNotFoundError):
        add_business_days(datetime(2026, 1, 1, tzinfo=UTC), 1, "Mars/Olympus")


@given(
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001
    days=st.integers(0, 30),
    holidays=st.frozensets(st.dates(date(2020, 1, 1), date(2035, 2, 1)), max_size=8),
)
def test_it_is_always_a_business_day_ahead(moment: datetime, days: int, holidays: frozenset[date]) -> None:
    start = moment.replace(tzinfo=CHICAGO)
    found = add_business_days(start, days, CHICAGO, holidays).astimezone(CHICAGO)
    assert found.weekday() < 5
    assert found.date() not in holidays
    assert (found.date() - start.date()).days >= days
    assert add_business_days(start, days + 1, CHICAGO, holidays) >= found


def test_aliases_differ_and_stay() -> None:
    aliases = [alias_for(number) for number in range(1, 30_000)]
    assert len(set(aliases)) == len(aliases)
    assert alias_for(7) == alias_for(7)
    assert len(set(BIRDS)) == len(BIRDS)
    assert max(map(len, aliases)) <= 60


def test_neighbours_do_not_look_alike() -> None:
    assert len({alias_for(number).split()[0] for number in range(1, 9)}) == 8
