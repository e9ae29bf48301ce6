"""The picker: find credentials, see the columns they will make, add them to the course (Deep Linking 2.0)."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Blueprint, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from deep_linking import Answer, answer, cancel, content_item
from lti_tool.sessions import PageSession
from microcred.credentials import WHY, Narrowing
from microcred.operations import placing, pools, selecting
from microcred.operations.errors import NotFound, OperationRefused
from microcred.placements import SCHEME_LABELS
from microcred.web.base import page_url, surface, wording
from microcred.web.base.headers import content_security_policy
from microcred.web.coordinator.previewing import preview_of, schemes_for
from microcred.web.services import services

blueprint = Blueprint("choosing", __name__)

WHY_WORDS = {
    "need": "A need of mine",
    "student_challenge": "My students",
    "instructional_shift": "New ways to teach",
    "district_priority": "District goals",
}
KIND_WORDS = {"micro_credential": "Micro-credentials", "stack": "Stacks"}


@blueprint.get("/choose")
def choose() -> ResponseReturnValue:
    """The list with what is chosen so far.

    `q`, `topic`, `standard`, `grade_band`, `hours` and `why` search; `kind` shows stacks; `with` is what was
    put on the list; `credential` and `scheme` say what the preview shows.
    """
    return _page()


@blueprint.get("/choose/columns")
def preview() -> ResponseReturnValue:
    """The preview of the gradebook alone, for a choice just made."""
    chosen = _picked()
    if not chosen:
        raise NotFound("no_such_credential", "Choose a micro-credential first. Nothing was added.")
    shown = preview_of(_launch(), chosen, request.args.get("scheme", "hundred"))
    return render_template("coordinator/_preview.html", preview=shown)


@blueprint.post("/choose")
def add() -> ResponseReturnValue:
    """Add what was chosen: the answer goes to the LMS through the browser."""
    here, used = surface(), services()
    launch, form = _launch(), request.form
    try:
        if not _takes_links(launch):
            raise OperationRefused(
                "no_links_here", "This place in your LMS cannot take this kind of link. Nothing was added."
            )
        with used.database.writing() as session:
            placed = placing.place(
                session,
                here.actor,
                version_ids=_picked(),
                scheme=form.get("scheme", ""),
                open_from=form.get("open_from", ""),
                submit_by=form.get("submit_by", ""),
                reviewers=form.get("reviewers", "all"),
                counts_stacks=form.get("stack_column") == "yes",
                zone=here.zone,
                now=used.clock.now(),
            )
    except OperationRefused as refused:
        if refused.status != 409:
            raise
        return _page(problem=refused.message), 409
    if launch.deep_linking is None:
        return redirect(page_url("course.course"), 303)
    registering = launch.registration.dialect.registering
    items = [
        content_item(
            one.placement,
            one.definition,
            launch_url=f"{used.settings.public_url}/lti/launch",
            icon_url=f"{used.settings.badge_url}/ob/2.0/badges/{one.definition.public_id}.png",
            accepts_lineitem=launch.deep_linking.get("accept_lineitem") is not False,
            link_names_column=launch.registration.dialect.link_names_column,
            variables=registering.variables if registering.variables_on_links else None,
        )
        for one in placed
    ]
    name = (
        placed[0].definition.document.title
        if len(placed) == 1
        else wording.plural(len(placed), "micro-credential")
    )
    return _send(answer(used.lti, launch, items, message=f"Added: {name}"), "Adding it to your course", name)


@blueprint.post("/choose/cancel")
def leave() -> ResponseReturnValue:
    """Back to the course with nothing chosen."""
    launch = _launch()
    if launch.deep_linking is None:
        return redirect(page_url("course.course"), 303)
    return _send(cancel(services().lti, launch), "Going back to your course", "")


def _launch() -> PageSession:
    launch = surface().launch
    assert launch is not None  # these pages are on no desk
    return launch


def _picked() -> list[str]:
    """Public ids that the form holds: the list first, then what is chosen now."""
    values = request.values
    return list(dict.fromkeys([*values.getlist("with"), *values.getlist("credential")]))[: selecting.MOST]


def _narrowing() -> Narrowing:
    values = request.values
    return Narrowing(
        topic=values.get("topic", "")[:200],
        standard=values.get("standard", "")[:200],
        grade_band=values.get("grade_band", "")[:40],
        hours_at_most=values.get("hours", type=_hours),
        why=frozenset(values.getlist("why")) & frozenset(WHY),
    )


def _hours(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 5):
        raise ValueError(text)
    return int(text)


def _page(problem: str | None = None) -> str:
    here, launch, values = surface(), _launch(), request.values
    kind = values.get("kind") if values.get("kind") in selecting.KINDS else "micro_credential"
    several = placing.takes_several(launch)
    narrowing = _narrowing()
    with services().database.reading() as session:
        offered = selecting.offered(
            session,
            here.actor,
            text=values.get("q", ""),
            narrowing=narrowing,
            kind=kind or "micro_credential",
            after=values.get("after"),
        )
        readers = pools.choices(session, launch.organization_id)
    held = _picked() if "more" in values else list(dict.fromkeys(values.getlist("with")))
    held = held[: selecting.MOST] if several else []
    listed = [entry.public_id for entry in offered.entries if entry.public_id not in held]
    wanted = "" if "more" in values else values.get("credential", "")
    choice = wanted if wanted in listed else listed[0] if listed and not held else None
    chosen = [*held, *([choice] if choice else [])]
    shown = preview_of(_launch(), chosen, values.get("scheme", "")) if chosen else None
    schemes = schemes_for(shown.selection if shown else selecting.NOTHING)
    return render_template(
        "coordinator/choose.html",
        course_title=launch.context_title,
        offered=offered,
        preview=shown,
        choice=choice,
        held=held,
        held_titles=_titles(held),
        has_stacks=shown is not None and bool(shown.selection.stacks),
        several=several,
        scheme=values.get("scheme") if values.get("scheme") in schemes else "hundred",
        schemes=[(key, SCHEME_LABELS[key]) for key in schemes],
        pools=readers,
        values=values,
        kind=kind,
        kinds=KIND_WORDS,
        narrowing=narrowing,
        narrowed=narrowing != Narrowing(),
        why_words=WHY_WORDS,
        takes_links=_takes_links(launch),
        is_deep_linking=launch.deep_linking is not None,
        problem=problem,
    )


def _titles(held: Sequence[str]) -> dict[str, str]:
    used = services()
    with used.database.reading() as session:
        found = {}
        for public_id in held:
            selection = selecting.select_versions(session, surface().actor, [public_id], used.clock.now())
            found[public_id] = (
                selection.stacks[0].document.title
                if selection.stacks
                else selection.picked[0].definition.document.title
            )
    return found


def _takes_links(launch: PageSession) -> bool:
    return launch.deep_linking is None or "ltiResourceLink" in launch.deep_linking.get("accept_types", ())


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
