"""A reviewer's privacy flag: hide at once, back to the teacher."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import privacy_flagging
from microcred.operations.errors import OperationRefused
from microcred.web.base.surface import actor, page_url
from microcred.web.review.pages import blueprint
from microcred.web.services import services


@blueprint.post("/<public_id>/privacy")
def hide(public_id: str) -> ResponseReturnValue:
    """Hide a piece or an answer, and give the try back. `what` is `item:<id>` or `answer:<prompt>:<code>`."""
    sort, _, rest = request.form.get("what", "").partition(":")
    prompt, _, code = rest.partition(":")
    if sort not in ("item", "answer"):
        raise OperationRefused("nothing_chosen", "Choose what shows it first. Nothing was changed.")
    with services().database.writing() as session:
        privacy_flagging.flag(
            session,
            actor(),
            public_id,
            because=request.form.get("because", ""),
            item_id=rest if sort == "item" else None,
            answer=(prompt, code) if sort == "answer" else None,
            now=services().clock.now(),
        )
    return redirect(page_url("review.hidden"), 303)


@blueprint.get("/hidden")
def hidden() -> ResponseReturnValue:
    """What happened."""
    return render_template("review/hidden.html")
