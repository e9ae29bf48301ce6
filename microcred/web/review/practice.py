"""Practice: how a reviewer stands, a round of anchors, and what came of it."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import calibrating, reading_calibration
from microcred.operations.calibrating import Sheet
from microcred.operations.reading_calibration import StandingRow
from microcred.operations.reading_work import Item
from microcred.web.base import wording
from microcred.web.base.surface import actor, page_url, surface
from microcred.web.review.desk_page import piece_url
from microcred.web.review.pages import LEVEL, blueprint
from microcred.web.review.words import ShownLevel, first_capital, shown_levels
from microcred.web.services import services


@blueprint.get("/practice")
def practice() -> ResponseReturnValue:
    """How the reviewer stands with each credential that asks for practice."""
    with services().database.reading() as session:
        rows = reading_calibration.standing(session, actor(), services().clock.now())
    return render_template("review/practice.html", rows=[_row(row) for row in rows])


@blueprint.post("/practice/<credential_key>")
def begin_practice(credential_key: str) -> ResponseReturnValue:
    """Start a round, or go on with the open one."""
    with services().database.writing() as session:
        round_id = calibrating.begin(
            session, actor(), credential_key, services().clock.now(), services().chance
        )
    return redirect(page_url("review.practice_sheet", round_id=round_id), 303)


@blueprint.get("/practice/rounds/<round_id>")
def practice_sheet(round_id: str) -> ResponseReturnValue:
    """An anchor to rate."""
    with services().database.reading() as session:
        sheet = calibrating.sheet(session, actor(), round_id, request.args.get("anchor"))
    return _sheet(sheet)


@blueprint.post("/practice/rounds/<round_id>")
def rate_practice(round_id: str) -> ResponseReturnValue:
    """Keep the levels of one anchor; the last one finishes the round."""
    levels = {
        name.removeprefix(LEVEL): value for name, value in request.form.items() if name.startswith(LEVEL)
    }
    with services().database.writing() as session:
        finished = calibrating.rate(
            session,
            actor(),
            round_id,
            request.form.get("anchor", ""),
            levels,
            services().clock.now(),
        )
    endpoint = "review.practice_result" if finished else "review.practice_sheet"
    return redirect(page_url(endpoint, round_id=round_id), 303)


@blueprint.get("/practice/rounds/<round_id>/result")
def practice_result(round_id: str) -> ResponseReturnValue:
    """A finished round: what was given beside what was agreed, and why."""
    with services().database.reading() as session:
        result = reading_calibration.result(session, actor(), round_id)
    return render_template("review/practice_result.html", result=result)


def _row(row: StandingRow) -> dict[str, object]:
    zone = surface().zone
    until = wording.date(row.until, zone) if row.until is not None else ""
    words = {
        "ready": f"You are ready until {until}.",
        "lapsed": f"Your practice counted until {until}. Do a round to get work again.",
        "open": "You have begun a round.",
        "due": "Do a round before you get work.",
    }[row.state]
    return {
        "title": row.title,
        "code": row.code,
        "state": row.state,
        "words": words,
        "exact": row.exact_percent,
        "button": "Go on"
        if row.state == "open"
        else "Practise again"
        if row.exact_percent
        else "Start a round",
        "start_url": page_url("review.begin_practice", credential_key=row.credential_key),
        "result_url": page_url("review.practice_result", round_id=row.round_id)
        if row.exact_percent is not None and row.state != "open"
        else None,
    }


def _sheet(sheet: Sheet) -> str:
    def evidence_url(item: Item, file: bool = False) -> str:
        return piece_url(sheet.attempt_public_id, item, file=file)

    def levels(criterion_id: str) -> tuple[ShownLevel, ...]:
        criterion = sheet.definition.criterion(criterion_id)[1]
        return shown_levels(sheet.definition, criterion, sheet.given.get(criterion_id))

    steps = [
        {
            "number": number,
            "url": page_url("review.practice_sheet", round_id=sheet.round_id, anchor=anchor_id),
            "done": done,
            "current": anchor_id == sheet.anchor_id,
        }
        for number, (anchor_id, done) in enumerate(sheet.neighbours, start=1)
    ]
    return render_template(
        "review/practice_sheet.html",
        sheet=sheet,
        works={work.part_id: work for work in sheet.parts},
        levels=levels,
        steps=steps,
        heading=first_capital(sheet.name),
        evidence_url=evidence_url,
        save_url=page_url("review.rate_practice", round_id=sheet.round_id),
    )
