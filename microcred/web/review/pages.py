"""Pages of reviewers: the queue, the desk, evidence. On both surfaces, below `review/`."""

from collections.abc import Sequence
from mimetypes import guess_extension

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from microcred.operations import (
    commenting,
    flagging,
    reading_calibration,
    reading_queue,
    reading_review,
    review,
)
from microcred.operations.access import Relation
from microcred.operations.errors import OperationRefused
from microcred.operations.opening_evidence import opening_stands
from microcred.web.base import wording
from microcred.web.base.files import first_byte_asked, send_stored
from microcred.web.base.incoming import wants_fragment
from microcred.web.base.surface import actor, page_url, surface
from microcred.web.review.desk_page import chosen_part, desk_page, part_url, piece_url
from microcred.web.review.words import amount, due, first_capital, which_try
from microcred.web.services import services

blueprint = Blueprint("review", __name__, url_prefix="/review")

_CASE_PAGES = {Relation.APPROVER: "approve.case", Relation.APPEAL_READER: "approve.appeal"}
LEVEL = "level_"
COMMENT = "text_comment_"
NOTE = "text_note"


@blueprint.get("/")
def queue() -> ResponseReturnValue:
    """What waits for this reviewer, due soonest first."""
    after = request.args.get("after")
    with services().database.reading() as session:
        now = services().clock.now()
        found = reading_queue.queue(session, actor(), now, after=after)
        standing = reading_calibration.standing(session, actor(), now)
    rows = [_queue_row(row) for row in found.rows]
    soon = sum(bool(row["urgent"]) for row in rows)
    return render_template(
        "review/queue.html",
        rows=rows,
        heading=_heading(len(rows), soon, more=found.after is not None),
        more_url=page_url("review.queue", after=found.after) if found.after else None,
        is_first_page=after is None,
        practice=_practice(standing),
        must_practise=any(row.state != "ready" for row in standing),
    )


@blueprint.get("/<public_id>")
def desk(public_id: str) -> ResponseReturnValue:
    """The desk of a try; where nobody reads it yet, what starting means."""
    with services().database.reading() as session:
        waiting = reading_review.waiting(session, actor(), public_id)
        found = reading_review.desk(session, actor(), public_id) if waiting is None else None
    if waiting is not None and waiting.checking:
        return redirect(page_url("review.check", public_id=public_id), 303)
    if waiting is not None:
        return _start_page(waiting)
    assert found is not None
    return _desk(found, request.args.get("part"))


@blueprint.post("/<public_id>/start")
def start(public_id: str) -> ResponseReturnValue:
    """Take the try and begin to read."""
    with services().database.writing() as session:
        review.start(session, actor(), public_id, services().clock.now())
    return redirect(page_url("review.desk", public_id=public_id), 303)


@blueprint.post("/<public_id>/ratings")
def save(public_id: str) -> ResponseReturnValue:
    """Save the ratings that were sent: all of a part from the plain form, one from the script."""
    entries = {
        name.removeprefix(prefix): None
        for name in request.form
        for prefix in (LEVEL, COMMENT)
        if name.startswith(prefix)
    }
    ratings = {
        criterion_id: review.Entry(
            request.form.get(LEVEL + criterion_id), request.form.get(COMMENT + criterion_id)
        )
        for criterion_id in entries
    }
    with services().database.writing() as session:
        review.save_ratings(
            session,
            actor(),
            public_id,
            ratings,
            private_note=request.form.get(NOTE),
            now=services().clock.now(),
        )
        at = _comment_bank(session, public_id)
    part_id = request.form.get("part", "")
    if not wants_fragment():
        return redirect(part_url(public_id, part_id, at), 303)
    with services().database.reading() as session:
        found = reading_review.desk(session, actor(), public_id)
    part = chosen_part(found, part_id)
    return render_template(
        "review/fresh.html", **desk_page(found, part, {}, services().clock.now(), surface().zone)
    )


def _comment_bank(session: Session, public_id: str) -> str | None:
    """What the buttons of the comment bank do after saving; the criterion they were pressed at."""
    form, now = request.form, services().clock.now()
    if criterion_id := form.get("keep"):
        commenting.keep(session, actor(), public_id, criterion_id, now)
        return criterion_id
    if saved_id := _row_id("use"):
        criterion_id, text = commenting.use(session, actor(), public_id, saved_id)
        entry = {criterion_id: review.Entry(comment=text)}
        review.save_ratings(session, actor(), public_id, entry, now=now)
        return criterion_id
    if saved_id := _row_id("drop"):
        return commenting.drop(session, actor(), saved_id)
    return None


def _row_id(field: str) -> int:
    """A row's number from the form; 0 where there is none."""
    text = request.form.get(field, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0


@blueprint.post("/<public_id>/flag")
def flag(public_id: str) -> ResponseReturnValue:
    """Tell the issuer that something is wrong."""
    with services().database.writing() as session:
        flagging.raise_flag(
            session,
            actor(),
            public_id,
            request.form.get("kind", ""),
            request.form.get("text_detail", ""),
            services().clock.now(),
        )
    return redirect(page_url("review.desk", public_id=public_id), 303)


@blueprint.post("/<public_id>/conflict")
def conflict(public_id: str) -> ResponseReturnValue:
    """Give the try back: the reviewer knows whose it is."""
    with services().database.writing() as session:
        flagging.declare_conflict(session, actor(), public_id, services().clock.now(), services().chance)
    return redirect(page_url("review.queue"), 303)


@blueprint.post("/<public_id>/finish")
def finish(public_id: str) -> ResponseReturnValue:
    """Finish the review with what the passing rule makes of the ratings."""
    try:
        with services().database.writing() as session:
            review.finish(
                session,
                actor(),
                public_id,
                request.form.get("outcome", ""),
                services().clock.now(),
                chance=services().chance,
            )
    except review.NotReady as problem:
        with services().database.reading() as session:
            found = reading_review.desk(session, actor(), public_id)
        return _desk(found, None, problem=problem)
    return redirect(page_url("review.desk", public_id=public_id), 303)


@blueprint.get("/<public_id>/evidence/<item_id>")
def piece(public_id: str, item_id: str) -> ResponseReturnValue:
    """A piece of evidence by itself. A link's address stands only here: its opening is on record."""
    used = services()
    with used.database.reading() as session:
        found = reading_review.piece(session, actor(), public_id, item_id)
    if found.url is not None:
        with used.database.writing() as session:
            review.record_opening(session, actor(), found, used.clock.now())
    if found.seen_as is Relation.PRACTISING:
        back = page_url("review.practice")
    elif found.seen_as in _CASE_PAGES:
        back = page_url(_CASE_PAGES[found.seen_as], public_id=public_id, _anchor=f"part-{found.part_id}")
    else:
        back = part_url(public_id, found.part_id)
    return render_template(
        "review/piece.html",
        piece=found,
        file_url=piece_url(public_id, found.item, file=True),
        evidence_url=lambda item, file=False: piece_url(public_id, item, file=file),
        back_url=back,
    )


@blueprint.get("/<public_id>/evidence/<item_id>/file")
def piece_file(public_id: str, item_id: str) -> ResponseReturnValue:
    """The bytes of a piece, under its neutral name; the opening is put on record."""
    used = services()
    with used.database.reading() as session:
        found = reading_review.piece(session, actor(), public_id, item_id)
        stands = opening_stands(session, actor(), found.row_id, used.clock.now())
    if found.storage_key is None:
        raise NotFound
    if first_byte_asked() or not stands:
        with used.database.writing() as session:
            review.record_opening(session, actor(), found, used.clock.now())
    item = found.item
    name = item.name + (guess_extension(item.media_type) or "")
    return send_stored(
        used.storage, found.storage_key, size=item.size or 0, media_type=item.media_type, name=name
    )


@blueprint.get("/<public_id>/evidence/<item_id>/captions.vtt")
def piece_captions(public_id: str, item_id: str) -> Response:
    """The captions of a recording, for its player."""
    with services().database.reading() as session:
        found = reading_review.piece(session, actor(), public_id, item_id)
    if not found.item.has_captions:
        raise NotFound
    return Response(found.item.transcript + "\n", mimetype="text/vtt")


def _desk(
    found: reading_review.Desk, part_id: str | None, problem: OperationRefused | None = None
) -> ResponseReturnValue:
    part = chosen_part(found, part_id)
    with services().database.reading() as session:
        bank = commenting.bank(session, actor(), found.public_id)
    values = desk_page(found, part, bank, services().clock.now(), surface().zone)
    page = render_template("review/desk.html", **values, problem=problem.message if problem else None)
    return page, problem.status if problem else 200


def _start_page(waiting: reading_review.Waiting) -> ResponseReturnValue:
    return render_template(
        "review/start.html",
        waiting=waiting,
        due_text=due(waiting.due_at, services().clock.now(), surface().zone).text,
        which_try=which_try(waiting.number).lower(),
        amount=amount(waiting.words, waiting.items),
        start_url=page_url("review.start", public_id=waiting.public_id),
        check_url=page_url("review.begin_check", public_id=waiting.public_id) if waiting.first else None,
    )


def _queue_row(row: reading_queue.QueueRow) -> dict[str, object]:
    when = due(row.due_at, services().clock.now(), surface().zone)
    state = (
        ["sent back by the approver"]
        if row.returned
        else ["with you"]
        if row.started
        else ["assigned to you"]
        if row.mine
        else ["free to take"]
    )
    return {
        "alias": row.alias,
        "definition": row.definition,
        "mine": row.started,
        "note": ", ".join([which_try(row.number), *_reading(row.place), *state]),
        "amount": amount(row.words, row.items),
        "due_text": first_capital(when.text),
        "urgent": when.urgent,
        "url": page_url("review.desk", public_id=row.public_id),
        "start_url": page_url("review.start", public_id=row.public_id),
    }


def _practice(standing: Sequence[reading_calibration.StandingRow]) -> str:
    """The button to the practice pages; empty where nothing is to practise."""
    if not standing:
        return ""
    waiting = sum(row.state != "ready" for row in standing)
    if not waiting:
        return "Your practice"
    return f"Practise {wording.plural(waiting, 'credential')} to get its work"


def _reading(place: str) -> list[str]:
    """A second or third reading is named; it is read like a first one."""
    return [] if place == "first" else [f"{place} reading"]


def _heading(shown: int, soon: int, *, more: bool) -> str:
    if not shown:
        return "Nothing to read now"
    count = f"More than {shown}" if more else first_capital(wording.number(shown))
    return f"{count} to read" + (f", {wording.number(soon)} due by tomorrow" if soon else "")
