"""How a credential goes in one course: who stands where, what the gradebook was told, sending again."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

import grade_passback
from grade_passback import self_test
from microcred.operations import coordinating, reading_learner, self_testing, syncing
from microcred.web.base import page_url, surface, wording
from microcred.web.coordinator.export import csv_response
from microcred.web.services import services

blueprint = Blueprint("course", __name__)

_SAID = {
    "again": "It is on its way again.",
    "ours": "Ours is on its way to the gradebook.",
    "stopped": "Everything that had stopped is on its way again.",
    "none": "Nothing had stopped.",
    "all": "All grades are being sent again. What the gradebook shows already stays as it is.",
}


@blueprint.get("/course")
def course() -> ResponseReturnValue:
    """Each learner with state, dates and grade delivery."""
    return _page(said=_SAID.get(request.args.get("ok", ""), ""))


@blueprint.get("/learner")
def learner() -> ResponseReturnValue:
    """The learner whom a submission review was opened for: state, dates, decision and badge."""
    with services().database.reading() as session:
        found = reading_learner.one_learner(session, surface().actor)
    return render_template("coordinator/learner.html", found=found, one=found.learner)


@blueprint.post("/course/compare")
def compare() -> ResponseReturnValue:
    """The same page, with what the gradebook shows now beside what was sent. Changes nothing."""
    here, used = surface(), services()
    with used.database.reading() as session:
        sent = syncing.to_compare(session, here.actor, after=request.form.get("after"))
    return _page(compared=grade_passback.compare(used.lti.services, sent))


@blueprint.post("/course/self-test")
def try_connection() -> ResponseReturnValue:
    """The same page, with what came of trying the LMS. No grade changes."""
    here, used = surface(), services()
    with used.database.reading() as session:
        subject = self_testing.of_course(session, here.actor)
    now = used.clock.now()
    when = wording.when(subject.launched_at, now, here.zone) if subject.launched_at else ""
    return _page(tried=self_test.try_all(used.lti.services, subject, when, now))


@blueprint.post("/course/send-again/<int:row_id>")
def send_again(row_id: int) -> ResponseReturnValue:
    """Send a grade once more that stopped, or that the LMS shows otherwise."""
    here, used = surface(), services()
    over_theirs = request.form.get("ours") == "yes"
    with used.database.writing() as session:
        syncing.send_again(session, here.actor, row_id, used.clock.now(), over_theirs=over_theirs)
    return _done("ours" if over_theirs else "again")


@blueprint.post("/course/send-stopped")
def send_stopped() -> ResponseReturnValue:
    """Send everything once more that stopped."""
    here, used = surface(), services()
    with used.database.writing() as session:
        count = syncing.send_stopped(session, here.actor, used.clock.now())
    return _done("stopped" if count else "none")


@blueprint.post("/course/send-all")
def send_all() -> ResponseReturnValue:
    """Send every grade of the course once more."""
    here, used = surface(), services()
    with used.database.writing() as session:
        syncing.send_all(session, here.actor, used.clock.now())
    return _done("all")


@blueprint.get("/course/progress")
def progress() -> ResponseReturnValue:
    """The bar alone, for the script that keeps it fresh."""
    here = surface()
    with services().database.reading() as session:
        how_far = syncing.progress(session, here.actor)
    return render_template("coordinator/_progress.html", progress=how_far)


@blueprint.get("/course/results.csv")
def export() -> ResponseReturnValue:
    """Everybody's results as a table: for a course that has ended, or an LMS that takes no grades."""
    here, used = surface(), services()

    def read(after: int) -> syncing.Results:
        with used.database.reading() as session:
            return syncing.results(session, here.actor, used.settings.badge_url, after=after)

    return csv_response(read, here.zone)


def _page(
    *,
    said: str = "",
    compared: grade_passback.Compared | None = None,
    tried: Sequence[self_test.Tried] = (),
) -> ResponseReturnValue:
    here, after = surface(), request.values.get("after")
    with services().database.reading() as session:
        view = coordinating.course(session, here.actor, after=after)
    if view is None:
        return redirect(page_url("choosing.choose"), 303) if "place" in here.actor.rights else _empty()
    return render_template(
        "coordinator/course.html",
        view=view,
        said=said,
        compared=compared,
        tried=tried,
        progress=view.progress,
        after=after,
    )


def _done(code: str) -> ResponseReturnValue:
    return redirect(page_url("course.course", ok=code), 303)


def _empty() -> ResponseReturnValue:
    return render_template("coordinator/empty.html")
