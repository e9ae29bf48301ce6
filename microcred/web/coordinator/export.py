"""A course's results as CSV, written while it is sent. No cell is a formula, whatever a name begins with."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Response

from microcred.operations.syncing import ResultRow, Results

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_HEAD = (
    "Name",
    "Micro-credential",
    "State",
    "Try",
    "Submitted",
    "Decided",
    "Earned",
    "Hours",
    "Badge",
    "Column",
    "Grade sent",
    "In the gradebook",
)


def csv_response(read: Callable[[int], Results], zone: ZoneInfo) -> Response:
    """The answer to a download. `read` gives the page of results after a key; the first is read at once, so
    that whoever may not see it gets a page and no half file.
    """
    first = read(0)
    return Response(
        _lines(first, read, zone),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="micro-credential-results.csv"'},
    )


def text_cell(text: str) -> str:
    """`text` as a spreadsheet shows it and does not compute it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _lines(page: Results, read: Callable[[int], Results], zone: ZoneInfo) -> Iterator[str]:
    # Excel takes a file for UTF-8 only when it begins so.
    yield "\ufeff" + _line(_HEAD)
    while True:
        for row in page.rows:
            for cells in _cells(page.title, row, zone):
                yield _line(cells)
        if page.next_key is None:
            return
        page = read(page.next_key)


def _cells(title: str, row: ResultRow, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    """A line for each column of the gradebook, one where there is none."""
    start = (
        row.name,
        title,
        row.state,
        str(row.tries),
        _day(row.submitted_at, zone),
        _day(row.decided_at, zone),
        _day(row.earned_at, zone),
        f"{row.hours:g}" if row.hours is not None else "",
        row.badge_url,
    )
    for grade in row.grades:
        yield (*start, grade.column, grade.sent, grade.words)
    if not row.grades:
        yield (*start, "", "", "")


def _day(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).date().isoformat() if moment is not None else ""


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([text_cell(cell) for cell in cells])
    return buffer.getvalue()
