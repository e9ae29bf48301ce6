"""What teachers ask of the issuer: a coach, or the renewal of an award."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import asking
from microcred.operations.errors import OperationRefused
from microcred.web.approve.blueprint import blueprint
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services


@blueprint.get("/requests")
def requests() -> ResponseReturnValue:
    """Open requests, oldest first."""
    return _page()


@blueprint.post("/requests/<int(max=999999999999999):request_id>")
def answer_request(request_id: int) -> ResponseReturnValue:
    """Answer one."""
    words = request.form.get("text_answer", "")
    try:
        with services().database.writing() as session:
            asking.answer(session, actor(), request_id, words, services().clock.now())
    except OperationRefused as problem:
        if problem.code not in ("words_missing", "text_too_long"):
            raise
        return _page(problem.message), problem.status
    return redirect(page_url("approve.requests", ok="answered"), 303)


def _page(problem: str | None = None) -> str:
    with services().database.reading() as session:
        rows = asking.open_requests(session, actor())
    return render_template(
        "approve/requests.html", rows=rows, problem=problem, done="ok" in request.args and problem is None
    )
