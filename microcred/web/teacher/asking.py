"""Asking the issuer for a coach, or to renew an award."""

from flask import redirect, request
from flask.typing import ResponseReturnValue

from microcred.operations import asking
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services
from microcred.web.teacher.blueprint import blueprint


@blueprint.post("/ask")
def ask() -> ResponseReturnValue:
    """Ask for what may be asked for."""
    with services().database.writing() as session:
        asking.ask(session, actor(), request.form.get("text_message", ""), services().clock.now())
    return redirect(page_url("teacher.home", ok="asked"), 303)
