"""How a credential goes in one course: who stands where, and what the gradebook was told."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import coordinating
from microcred.web.base import page_url, surface
from microcred.web.services import services

blueprint = Blueprint("course", __name__)


@blueprint.get("/course")
def course() -> ResponseReturnValue:
    """Each learner with state, dates and grade delivery."""
    here = surface()
    with services().database.reading() as session:
        view = coordinating.course(session, here.actor, after=request.args.get("after"))
    if view is None:
        return redirect(page_url("choosing.choose"), 303) if "place" in here.actor.rights else _empty()
    return render_template("coordinator/course.html", view=view)


@blueprint.post("/course/send-again/<int:row_id>")
def send_again(row_id: int) -> ResponseReturnValue:
    """Send a grade that stopped once more."""
    here, used = surface(), services()
    with used.database.writing() as session:
        coordinating.send_again(session, here.actor, row_id, used.clock.now())
    return redirect(page_url("course.course"), 303)


def _empty() -> ResponseReturnValue:
    return render_template("coordinator/empty.html")
