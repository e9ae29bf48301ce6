"""The outbox at the operator's desk: what waits, what stopped, which platforms are in trouble."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

import grade_passback
from microcred.operations import delivering
from microcred.operations.errors import OperationRefused
from microcred.web.base import actor, page_url
from microcred.web.services import services

blueprint = Blueprint("outbox", __name__)

STATE_WORDS = {
    "blocked": "Needs somebody",
    "dead": "Given up after three days",
    "unverified": "Sent, not seen there",
    "waiting": "On the way",
    "held": "Behind an earlier one",
    "accepted": "Taken, not shown yet",
}
STATE_LOOKS = {
    "blocked": ("stop", "stop"),
    "dead": ("stop", "stop"),
    "unverified": ("revise", "info"),
    "waiting": ("notyet", "clock"),
    "held": ("notyet", "clock"),
}
KIND_WORDS = {
    "score": "Grade",
    "badge": "Badge",
    "column": "Naming a gradebook column",
    "notices": "Asking to be told of copied courses",
    "grades_again": "All grades of a course",
    "erase": "Erasing a person",
    "delete_files": "Deleting files",
    "housekeeping": "Tidying up",
}
_SAID = {
    "again": "It is on its way again.",
    "none": "Nothing had stopped there.",
    "stopped": "Nothing is sent there until you start it again. Everything is kept.",
    "started": "It is being sent there again.",
}


@blueprint.get("/outbox")
def index() -> ResponseReturnValue:
    """Counts, destinations, and rows of one state (what needs a person, if none is named)."""
    return _page(said=_SAID.get(request.args.get("ok", ""), ""))


@blueprint.post("/outbox/<int:row_id>/again")
def again(row_id: int) -> ResponseReturnValue:
    """Send one row again."""
    used = services()
    try:
        with used.database.writing() as session:
            delivering.send_again(session, actor(), row_id, used.clock.now())
    except OperationRefused as refused:
        return _refused(refused)
    return _done("again")


@blueprint.post("/outbox/again")
def all_again() -> ResponseReturnValue:
    """Send everything again that stopped, to one destination or to all."""
    used = services()
    destination = request.form.get("destination") or None
    with used.database.writing() as session:
        count = delivering.send_stopped(session, actor(), destination, used.clock.now())
    return _done("again" if count else "none")


@blueprint.post("/outbox/stop")
def stop() -> ResponseReturnValue:
    """Send nothing to a destination for now."""
    used = services()
    with used.database.writing() as session:
        delivering.stop(session, actor(), request.form.get("destination", ""), used.clock.now())
    return _done("stopped")


@blueprint.post("/outbox/start")
def start() -> ResponseReturnValue:
    """Send to a destination again."""
    used = services()
    try:
        with used.database.writing() as session:
            delivering.start(session, actor(), request.form.get("destination", ""), used.clock.now())
    except OperationRefused as refused:
        return _refused(refused)
    return _done("started")


def _page(*, said: str = "", problem: str = "") -> str:
    used = services()
    now = used.clock.now()
    state, after = request.args.get("state"), request.args.get("after", 0, type=int)
    with used.database.reading() as session:
        overview = delivering.overview(session, actor(), now)
        rows, next_key = delivering.deliveries(session, actor(), state=state, after=after)
    return render_template(
        "admin/outbox.html",
        overview=overview,
        rows=rows,
        next_key=next_key,
        state=state if state in delivering.STATES else None,
        now=now,
        said=said,
        problem=problem,
        words_for=grade_passback.words_for,
        kind_words=KIND_WORDS,
        state_words=STATE_WORDS,
        state_looks=STATE_LOOKS,
    )


def _refused(refused: OperationRefused) -> ResponseReturnValue:
    """The page again with what was wrong; whoever may not see it gets the plain answer."""
    if refused.status in (403, 404):
        raise refused
    return _page(problem=refused.message), refused.status


def _done(code: str) -> ResponseReturnValue:
    return redirect(page_url("outbox.index", ok=code), 303)
