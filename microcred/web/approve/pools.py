"""Reviewers under a name, for the approvers of their issuer."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import pools as operations
from microcred.operations.errors import OperationRefused
from microcred.web.approve.blueprint import blueprint
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services


@blueprint.get("/pools")
def pools() -> ResponseReturnValue:
    """Every pool with its reviewers."""
    return _page()


@blueprint.post("/pools")
def save_pool() -> ResponseReturnValue:
    """Make a pool, or change the one that the form names."""
    form = request.form
    try:
        with services().database.writing() as session:
            operations.save(
                session,
                actor(),
                issuer=form.get("issuer", ""),
                public_id=form.get("pool") or None,
                name=form.get("name", ""),
                members=form.getlist("member"),
                now=services().clock.now(),
            )
    except OperationRefused as refused:
        return _refused(refused)
    return redirect(page_url("approve.pools", ok="saved"), 303)


@blueprint.post("/pools/<public_id>/remove")
def remove_pool(public_id: str) -> ResponseReturnValue:
    """Take away a pool that no course has chosen."""
    try:
        with services().database.writing() as session:
            operations.remove(session, actor(), public_id, services().clock.now())
    except OperationRefused as refused:
        return _refused(refused)
    return redirect(page_url("approve.pools", ok="removed"), 303)


def _refused(refused: OperationRefused) -> ResponseReturnValue:
    if refused.status != 409:
        raise refused
    return _page(refused.message), 409


def _page(problem: str = "") -> str:
    with services().database.reading() as session:
        issuers = operations.managed(session, actor(), services().clock.now())
    said = {"saved": "Saved.", "removed": "The pool is gone."}.get(request.args.get("ok", ""), "")
    return render_template(
        "approve/pools.html", issuers=issuers, said="" if problem else said, problem=problem
    )
