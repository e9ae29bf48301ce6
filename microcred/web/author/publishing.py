"""Preview, sign-off, publishing, putting away."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.credentials.definition import define
from microcred.credentials.errors import CatalogueRefused
from microcred.credentials.schema import MicroCredential, Stack
from microcred.operations import authoring, reading_drafts, stack_members
from microcred.operations.errors import OperationRefused
from microcred.web.author.editing import overview_page
from microcred.web.author.pages import blueprint
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services


@blueprint.get("/<public_id>/preview")
def preview(public_id: str) -> ResponseReturnValue:
    """The credential as a teacher would read it, or the stack with all it is made of."""
    with services().database.reading() as session:
        draft = reading_drafts.open_draft(session, actor(), public_id)
        stack = draft.document if isinstance(draft.document, Stack) else None
        members = stack_members.members(session, stack) if stack is not None else {}
    if stack is not None:
        return render_template(
            "author/preview_stack.html",
            draft=draft,
            stack=stack,
            members=members,
            issuer=next(one for one in draft.head.issuers if one.id == stack.issuer),
            universities={one.id: one for one in draft.head.universities},
            scales={one.id: one for one in draft.head.scales},
        )
    if not isinstance(draft.document, MicroCredential):
        return overview_page(public_id, "There is a preview once no problem is left."), 409
    return render_template("author/preview.html", draft=draft, definition=define(draft.document, draft.head))


@blueprint.post("/<public_id>/sign")
def sign(public_id: str) -> ResponseReturnValue:
    """Sign off the text as it was read."""
    used = services()
    try:
        with used.database.writing() as session:
            authoring.sign_off(
                session,
                actor(),
                public_id,
                confirmed=request.form.getlist("confirm"),
                revision=request.form.get("revision", 0, type=int),
                now=used.clock.now(),
            )
    except OperationRefused as refused:
        if refused.status == 404:
            raise
        return overview_page(public_id, refused.message), refused.status
    return redirect(page_url("author.overview", public_id=public_id, ok="signed"), 303)


@blueprint.post("/<public_id>/publish")
def publish(public_id: str) -> ResponseReturnValue:
    """Publish a signed draft."""
    used = services()
    try:
        with used.database.writing() as session:
            authoring.publish(session, actor(), public_id, now=used.clock.now())
    except CatalogueRefused as refused:
        message = "The catalogue does not take it as it is. Nothing was changed."
        return overview_page(public_id, message, tuple(refused.problems)), 409
    except OperationRefused as refused:
        if refused.status == 404:
            raise
        return overview_page(public_id, refused.message), refused.status
    return redirect(page_url("author.overview", public_id=public_id, ok="published"), 303)


@blueprint.post("/<public_id>/discard")
def discard(public_id: str) -> ResponseReturnValue:
    """Put a draft away."""
    used = services()
    with used.database.writing() as session:
        authoring.discard(session, actor(), public_id, now=used.clock.now())
    return redirect(page_url("author.index", ok="discarded"), 303)
