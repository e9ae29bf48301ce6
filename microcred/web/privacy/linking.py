"""`I also work in another course system`: a one-use code here, entered and confirmed there."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import linking
from microcred.operations.errors import OperationRefused
from microcred.web.base import actor, page_url
from microcred.web.services import services

blueprint = Blueprint("linking", __name__)

_SAID = {
    "linked": "Linked. From now on you are one person here, whichever course system you come from.",
    "undone": "The link is undone. Each account has its own work again.",
}
_WRONG = (
    "This code does not work. A code is good for ten minutes and works once: make a new one in the other "
    "course system. Nothing was linked."
)


@blueprint.get("/accounts")
def page() -> ResponseReturnValue:
    """The accounts that are one person, and the two ways to add another."""
    return _page(said=_SAID.get(request.args.get("ok", ""), ""))


@blueprint.post("/accounts/code")
def code() -> ResponseReturnValue:
    """Make a code to enter in the other course system."""
    used = services()
    try:
        with used.database.writing() as session:
            made = linking.make_code(session, actor(), used.keyring, used.clock.now())
    except OperationRefused as refused:
        return _page(problem=refused.message), refused.status
    return _page(code=made)


@blueprint.post("/accounts/check")
def check() -> ResponseReturnValue:
    """Show whom a code would join, and ask."""
    used, given = services(), request.form.get("code", "")[:40]
    try:
        # Written even where the code is wrong: wrong codes are counted.
        with used.database.writing() as session:
            offer = linking.look_up(session, actor(), used.keyring, given, used.clock.now())
    except OperationRefused as refused:
        return _page(problem=refused.message), refused.status
    if offer is None:
        return _page(problem=_WRONG), 409
    return render_template("privacy/confirm.html", offer=offer, code=given)


@blueprint.post("/accounts/confirm")
def confirm() -> ResponseReturnValue:
    """Join them."""
    used, given = services(), request.form.get("code", "")[:40]
    try:
        with used.database.writing() as session:
            done = linking.confirm(session, actor(), used.keyring, given, used.clock.now())
    except OperationRefused as refused:
        return _page(problem=refused.message), refused.status
    if done is None:
        return _page(problem=_WRONG), 409
    return redirect(page_url("linking.page", ok="linked"), 303)


@blueprint.post("/accounts/undo")
def undo() -> ResponseReturnValue:
    """Undo a link."""
    used = services()
    with used.database.writing() as session:
        linking.undo(session, actor(), request.form.get("account", ""), used.clock.now())
    return redirect(page_url("linking.page", ok="undone"), 303)


def _page(*, code: str = "", said: str = "", problem: str = "") -> str:
    with services().database.reading() as session:
        accounts = linking.linked(session, actor())
    return render_template("privacy/accounts.html", accounts=accounts, code=code, said=said, problem=problem)
