"""The picker: find a credential, see the columns it will make, add it to the course (Deep Linking 2.0)."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Blueprint, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from deep_linking import Answer, answer, cancel, content_item
from microcred.operations import placing
from microcred.operations.errors import OperationRefused
from microcred.placements import GRADE_SCHEMES, SCHEME_LABELS, Column
from microcred.web.base import page_url, surface
from microcred.web.base.headers import content_security_policy
from microcred.web.services import services

blueprint = Blueprint("choosing", __name__)

_OFFERED_SCHEMES = tuple(scheme for scheme in GRADE_SCHEMES if scheme != "graduate_letter")
"""Letters belong to stacks that count for graduate credit."""


@blueprint.get("/choose")
def choose() -> ResponseReturnValue:
    """The list with what is chosen so far: `q` searches, `credential` and `scheme` say what the preview
    shows.
    """
    return _page()


@blueprint.get("/choose/columns")
def preview() -> ResponseReturnValue:
    """The preview of the gradebook alone, for a choice just made."""
    here = surface()
    with services().database.reading() as session:
        definition = placing.preview(session, here.actor, request.args.get("credential", ""))
    shown = placing.columns(definition, request.args.get("scheme", "hundred"))
    return render_template("coordinator/_preview.html", chosen=definition, columns=shown, notes=_notes(shown))


@blueprint.post("/choose")
def add() -> ResponseReturnValue:
    """Add the chosen credential: the answer goes to the LMS through the browser."""
    here, used = surface(), services()
    assert here.launch is not None
    form = request.form
    try:
        if here.launch.deep_linking is not None and not _takes_links():
            raise OperationRefused(
                "no_links_here", "This place in your LMS cannot take this kind of link. Nothing was added."
            )
        with used.database.writing() as session:
            placed = placing.place(
                session,
                here.actor,
                version_id=form.get("credential", ""),
                scheme=form.get("scheme", ""),
                submit_by=form.get("submit_by", ""),
                zone=here.zone,
                now=used.clock.now(),
            )
    except OperationRefused as refused:
        if refused.status != 409:
            raise
        return _page(problem=refused.message), 409
    if here.launch.deep_linking is None:
        return redirect(page_url("course.course"), 303)
    registering = here.launch.registration.dialect.registering
    item = content_item(
        placed.placement,
        placed.definition,
        launch_url=f"{used.settings.public_url}/lti/launch",
        icon_url=f"{used.settings.badge_url}/ob/2.0/badges/{placed.definition.public_id}.png",
        accepts_lineitem=here.launch.deep_linking.get("accept_lineitem") is not False,
        variables=registering.variables if registering.variables_on_links else None,
    )
    title = placed.definition.document.title
    return _send(
        answer(used.lti, here.launch, [item], message=f"Added: {title}"), "Adding it to your course", title
    )


@blueprint.post("/choose/cancel")
def leave() -> ResponseReturnValue:
    """Back to the course with nothing chosen."""
    here = surface()
    assert here.launch is not None
    if here.launch.deep_linking is None:
        return redirect(page_url("course.course"), 303)
    return _send(cancel(services().lti, here.launch), "Going back to your course", "")


def _page(problem: str | None = None) -> str:
    here = surface()
    assert here.launch is not None
    values = request.values
    with services().database.reading() as session:
        offered = placing.offered(session, here.actor, text=values.get("q", ""), after=values.get("after"))
        listed = [entry.public_id for entry in offered.entries]
        wanted = values.get("credential", "")
        choice = wanted if wanted in listed else listed[0] if listed else None
        chosen = placing.preview(session, here.actor, choice) if choice else None
    scheme = values.get("scheme") if values.get("scheme") in _OFFERED_SCHEMES else "hundred"
    shown = placing.columns(chosen, scheme or "hundred") if chosen else ()
    return render_template(
        "coordinator/choose.html",
        course_title=here.launch.context_title,
        offered=offered,
        chosen=chosen,
        scheme=scheme,
        schemes=[(key, SCHEME_LABELS[key]) for key in _OFFERED_SCHEMES],
        columns=shown,
        notes=_notes(shown),
        values=values,
        takes_links=_takes_links(),
        is_deep_linking=here.launch.deep_linking is not None,
        problem=problem,
    )


def _takes_links() -> bool:
    launch = surface().launch
    assert launch is not None
    return launch.deep_linking is None or "ltiResourceLink" in launch.deep_linking.get("accept_types", ())


def _notes(columns: Sequence[Column]) -> list[str]:
    """What a coordinator should know about these columns before they exist."""
    launch = surface().launch
    assert launch is not None
    notes = []
    if launch.deep_linking is not None and launch.deep_linking.get("accept_lineitem") is False:
        notes.append(
            "Your LMS makes no gradebook column from here. The column is made when the first grade is sent."
        )
    elif len(columns) > 1:
        notes.append("The first column comes with the link; the others appear when the first grade is sent.")
    return notes


def _send(reply: Answer, title: str, name: str) -> ResponseReturnValue:
    """A page whose form carries the signed answer to the LMS; it sends itself, and has a button where scripts
    are off.
    """
    response = make_response(
        render_template(
            "coordinator/send.html",
            reply=reply,
            title=title,
            name=name,
            host=urlsplit(reply.return_url).hostname,
        )
    )
    parts = urlsplit(reply.return_url)
    policy = content_security_policy(g.get("frame_ancestors", ()))
    target = f"form-action 'self' {parts.scheme}://{parts.netloc}"
    response.headers["Content-Security-Policy"] = policy.replace("form-action 'self'", target)
    return response
