"""How this course holds its credential: last day, grade option, version. The LMS is not asked."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import placement_settings
from microcred.operations.errors import OperationRefused
from microcred.web.base import page_url, surface
from microcred.web.services import services

blueprint = Blueprint("settings", __name__)

_SAID = {"saved": "Saved.", "version": "Teachers who start from now on get the new version."}


@blueprint.get("/course/settings")
def settings() -> ResponseReturnValue:
    """The form with what is set now."""
    return _page(said=_SAID.get(request.args.get("ok", ""), ""))


@blueprint.post("/course/settings")
def save() -> ResponseReturnValue:
    """Set last day and grade option."""
    here, used, form = surface(), services(), request.form
    try:
        with used.database.writing() as session:
            placement_settings.change(
                session,
                here.actor,
                scheme=form.get("scheme", ""),
                denied_as=form.get("denied_as", ""),
                open_from=form.get("open_from", ""),
                submit_by=form.get("submit_by", ""),
                pool=form.get("reviewers", ""),
                counts_stack=form.get("counts_stack") == "yes",
                zone=here.zone,
                now=used.clock.now(),
            )
    except OperationRefused as refused:
        return _refused(refused)
    return redirect(page_url("settings.settings", ok="saved"), 303)


@blueprint.post("/course/settings/version")
def take_version() -> ResponseReturnValue:
    """Use the newest version for teachers who start from now on."""
    here, used = surface(), services()
    try:
        with used.database.writing() as session:
            version = request.form.get("version", "")
            placement_settings.take_version(session, here.actor, version, used.clock.now())
    except OperationRefused as refused:
        return _refused(refused)
    return redirect(page_url("settings.settings", ok="version"), 303)


def _page(*, said: str = "", problem: str = "") -> str:
    here, used = surface(), services()
    assert here.launch is not None
    with used.database.reading() as session:
        found = placement_settings.settings(session, here.actor, used.clock.now())
    open_from, submit_by = (
        moment.astimezone(here.zone).date().isoformat() if moment else ""
        for moment in (found.open_from, found.submit_by)
    )
    return render_template(
        "coordinator/settings.html",
        found=found,
        open_from=request.form.get("open_from", open_from),
        submit_by=request.form.get("submit_by", submit_by),
        denied_labels=placement_settings.DENIED_LABELS,
        pools=found.pools,
        said=said,
        problem=problem,
    )


def _refused(refused: OperationRefused) -> ResponseReturnValue:
    if refused.status != 409:
        raise refused
    return _page(problem=refused.message), 409
