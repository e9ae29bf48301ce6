"""The look before a review: is everything here, and does it open?"""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import checking, reading_review
from microcred.operations.errors import OperationRefused
from microcred.web.base.surface import actor, page_url, surface
from microcred.web.review.desk_page import piece_url
from microcred.web.review.pages import blueprint
from microcred.web.review.words import due, which_try
from microcred.web.services import services

_ASK_AGAIN = ("reason_missing", "text_too_long")


@blueprint.post("/<public_id>/check")
def begin_check(public_id: str) -> ResponseReturnValue:
    """Take the try for a look."""
    with services().database.writing() as session:
        checking.begin(session, actor(), public_id, services().clock.now())
    return redirect(page_url("review.check", public_id=public_id), 303)


@blueprint.get("/<public_id>/check")
def check(public_id: str) -> ResponseReturnValue:
    """All of the work, to be sent back or read."""
    return _page(public_id)


@blueprint.post("/<public_id>/incomplete")
def send_back(public_id: str) -> ResponseReturnValue:
    """Give the try back to its teacher."""
    words = request.form.get("text_missing", "")
    try:
        with services().database.writing() as session:
            checking.send_back(session, actor(), public_id, words, services().clock.now())
    except OperationRefused as problem:
        if problem.code not in _ASK_AGAIN:
            raise
        return _page(public_id, problem, words)
    return redirect(page_url("review.queue"), 303)


def _page(public_id: str, problem: OperationRefused | None = None, typed: str = "") -> ResponseReturnValue:
    with services().database.reading() as session:
        waiting = reading_review.waiting(session, actor(), public_id)
        found = (
            reading_review.desk(session, actor(), public_id)
            if waiting is not None and waiting.checking
            else None
        )
    if found is None:  # not taken yet, or being read already
        return redirect(page_url("review.desk", public_id=public_id), 303)
    page = render_template(
        "review/check.html",
        desk=found,
        which_try=which_try(found.number).lower(),
        due_text=due(found.due_at, services().clock.now(), surface().zone).text,
        evidence_url=lambda item, file=False: piece_url(public_id, item, file=file),
        start_url=page_url("review.start", public_id=public_id),
        problem=problem.message if problem is not None else None,
        typed=typed,
    )
    return page, problem.status if problem is not None else 200
