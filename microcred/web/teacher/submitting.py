"""Check and submit, and taking it back."""

from datetime import datetime

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import names_check, reading_teacher, teacher
from microcred.operations.errors import OperationRefused
from microcred.operations.reading_submit import decision_by, what_is_there
from microcred.operations.statements import statements
from microcred.web.base.incoming import wants_fragment
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services
from microcred.web.teacher.blueprint import blueprint


@blueprint.get("/submit")
def check() -> ResponseReturnValue:
    """Everything once more, part by part, and the statements."""
    page = _check_page()
    return redirect(page_url("teacher.home"), 303) if page is None else page


@blueprint.post("/submit")
def submit() -> ResponseReturnValue:
    """Hand in; a second press lands on the same page."""
    confirmed = request.form.getlist("confirm")
    try:
        with services().database.writing() as session:
            teacher.submit(session, actor(), confirmed=confirmed, now=services().clock.now())
    except OperationRefused as refused:
        if refused.status != 409:
            raise
        page = _check_page(refused, confirmed)
        if page is not None:
            return page, 409
    return redirect(page_url("teacher.home", ok="submitted"), 303)


@blueprint.post("/withdraw")
def withdraw() -> ResponseReturnValue:
    """Take the try back until a reviewer starts."""
    with services().database.writing() as session:
        teacher.withdraw(session, actor(), services().clock.now())
    return redirect(page_url("teacher.home", ok="withdrawn"), 303)


@blueprint.get("/submit/names")
def names() -> ResponseReturnValue:
    """The part of that page with what was found, for the script; a page with it otherwise."""
    with services().database.reading() as session:
        loaded = reading_teacher.load(session, actor())
        looked = names_check.look(session, loaded)
    if looked is None or not wants_fragment():
        return redirect(page_url("teacher.check"), 303)
    return render_template("teacher/_names.html", looked=looked, definition=loaded.definition)


def _look_now(now: datetime) -> names_check.Looked | None:
    """Begin to look the work through, since it has changed or was never looked through."""
    with services().database.writing() as session:
        loaded = reading_teacher.load(session, actor(), lock=True)
        names_check.begin(session, loaded, now)
        return names_check.look(session, loaded)


def _check_page(refused: OperationRefused | None = None, confirmed: list[str] | None = None) -> str | None:
    """None where the try is not open: there is nothing to submit."""
    now = services().clock.now()
    with services().database.reading() as session:
        loaded = reading_teacher.load(session, actor())
        work = reading_teacher.try_of(session, loaded)
        due = decision_by(session, loaded, now)
        looked = names_check.look(session, loaded)
    if not work.is_open:
        return None
    if looked is None:
        looked = _look_now(now)
    return render_template(
        "teacher/submit.html",
        definition=loaded.definition,
        work=work,
        there=what_is_there(loaded),
        statements=statements(loaded.definition),
        confirmed=confirmed or [],
        due=due,
        looked=looked,
        refused=refused,
        is_late=loaded.placement.submit_by is not None and now > loaded.placement.submit_by,
    )
