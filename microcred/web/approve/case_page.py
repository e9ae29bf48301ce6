"""What the decision page shows, worked out from the reading of the operations floor."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from microcred.credentials.labels import hours_in_words
from microcred.credentials.passing import evaluate
from microcred.operations import anchors
from microcred.operations.reading_decide import Case, Reading, Waiting, WaitingList
from microcred.operations.reading_review import levels
from microcred.web.base import wording
from microcred.web.base.surface import page_url
from microcred.web.review.desk_page import piece_url
from microcred.web.review.words import ShownLevel, amount, due, first_capital, shown_levels, which_try

SAYS = {"award": "Award", "revise": "Revisions", "deny": "Not awarded"}


@dataclass(frozen=True)
class Cell:
    """What one reviewer gave for one criterion."""

    level: ShownLevel | None
    comment: str


@dataclass(frozen=True)
class Row:
    """One criterion in the grid of ratings."""

    part_number: int
    title: str
    kept: bool
    attention: bool
    """Where it does not pass, or readings differ."""
    cells: tuple[Cell, ...]


def list_row(row: Waiting, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """A waiting recommendation as the list shows it."""
    when = due(row.due_at, now, zone)
    return {
        "public_id": row.public_id,
        "name": row.name,
        "definition": row.definition,
        "which_try": which_try(row.number).lower(),
        "says": SAYS[row.recommendation],
        "differ": row.differ,
        "due_text": first_capital(when.text),
        "urgent": when.urgent,
        "url": page_url("approve.case", public_id=row.public_id),
    }


def case_page(case: Case, waiting: WaitingList, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The template's values."""
    rows = [list_row(row, now, zone) for row in waiting.rows]
    here = next((place for place, row in enumerate(rows) if row["public_id"] == case.public_id), None)
    following = rows[here + 1] if here is not None and here + 1 < len(rows) else None
    passed = _passed(case)
    return {
        "case": case,
        "rows": rows,
        "here": here,
        "next_url": following["url"] if following else None,
        "more_waiting": waiting.after is not None,
        "summary": _summary(case),
        "columns": [
            f"{first_capital(reading.place)} reader" if len(case.readings) > 1 else "Reviewer"
            for reading in case.readings
        ],
        "grid": tuple(_grid(case)),
        "private_notes": [reading.private_note for reading in case.readings if reading.private_note],
        "works": [
            {
                "work": work,
                "kept": work.part_id in case.locked_parts,
                "amount": amount(work.words, len(work.items)),
            }
            for work in case.parts
        ],
        "evidence_url": lambda item, file=False: piece_url(case.public_id, item, file=file),
        "can_award": passed is True,
        "can_revise": passed is False,
        "grade_words": _grade_words(case),
        "badge_words": "A test: no real badge" if case.is_test else "Signed and sent to the teacher’s page",
        "hours_words": hours_in_words(case.definition),
        "decided": _decided(case),
        "anchor_points": tuple(_anchor_points(case)) if case.state in anchors.DECIDED else (),
    }


def _passed(case: Case) -> bool | None:
    return evaluate(case.definition, levels(case.readings[-1].ratings)).passed if case.readings else None


def _summary(case: Case) -> str:
    said = [f"{which_try(case.number)}."]
    if len(case.readings) == 1:
        said.append(f"The reviewer recommends: {SAYS[case.readings[0].recommendation].lower()}.")
    elif case.readings:
        said.append(_readings_said(case))
    if case.is_test:
        said.append("This is a test user’s work: an award here issues no real badge.")
    return " ".join(said)


WHY_AGAIN = {
    "drawn": "It was drawn for a second reading.",
    "borderline": "Its result was close to the line, so a second reviewer read it.",
    "policy": "This credential is read by two reviewers.",
}


def _readings_said(case: Case) -> str:
    """How many read it, why, and whether they came to the same."""
    readers = first_capital(wording.number(len(case.readings)))
    why = WHY_AGAIN.get(case.readings[1].because or "", "")
    results = [SAYS[reading.recommendation].lower() for reading in case.readings]
    if len(set(results)) == 1:
        return f"{readers} reviewers have read it, each on their own, and say the same. {why}".strip()
    last = " The third reading settles it." if len(results) > 2 else ""
    said = f"{readers} reviewers have read it, each on their own, and differ: {wording.listed(results)}."
    return f"{said}{last} {why}".strip()


def _grid(case: Case) -> Iterator[Row]:
    for part, criterion in case.definition.criteria():
        cells = tuple(
            Cell(_chosen(case, criterion.id, reading), _comment(criterion.id, reading))
            for reading in case.readings
        )
        given = [cell.level for cell in cells if cell.level is not None]
        differ = len({level.key for level in given}) > 1
        yield Row(
            part_number=part.number,
            title=criterion.title,
            kept=part.id in case.locked_parts,
            attention=differ or any(not level.passes for level in given),
            cells=cells,
        )


def _anchor_points(case: Case) -> Iterator[dict[str, Any]]:
    """Every point with its levels, for agreeing on them; those of the last reading are chosen."""
    last = case.readings[-1].ratings if case.readings else {}
    for part, criterion in case.definition.criteria():
        given = last.get(criterion.id)
        yield {
            "id": criterion.id,
            "title": f"{part.number}. {criterion.title}",
            "levels": shown_levels(case.definition, criterion, given.level if given else None),
        }


def _chosen(case: Case, criterion_id: str, reading: Reading) -> ShownLevel | None:
    _, criterion = case.definition.criterion(criterion_id)
    given = reading.ratings.get(criterion_id)
    shown = shown_levels(case.definition, criterion, given.level if given else None)
    return next((level for level in shown if level.chosen), None)


def _comment(criterion_id: str, reading: Reading) -> str:
    given = reading.ratings.get(criterion_id)
    return given.comment if given else ""


def _grade_words(case: Case) -> str:
    scheme = case.definition.grade_schemes.get(case.grade_scheme)
    return f"{first_capital(scheme.when_awarded)}, to the gradebook" if scheme else "Sent to the gradebook"


def _decided(case: Case) -> dict[str, str] | None:
    """What was decided, once it was."""
    match case.state:
        case "awarded":
            return {
                "kind": "pass",
                "title": f"You awarded this to {case.name}.",
                "text": "The grade, the badge and the hours are on their way. You can close this page.",
            }
        case "denied":
            return {
                "kind": "info",
                "title": "Not awarded.",
                "text": "The teacher reads your reason on their page.",
            }
        case "revoked":
            return {
                "kind": "info",
                "title": "The award is withdrawn.",
                "text": "Its badge is not valid any more. The teacher reads why and may appeal.",
            }
        case "expired":
            return {
                "kind": "info",
                "title": "This award has expired.",
                "text": "That it was earned stays on record.",
            }
        case "returned_to_reviewer":
            return {
                "kind": "info",
                "title": "Back with the reviewer.",
                "text": "It returns to you when they have finished.",
            }
        case _:
            return None
