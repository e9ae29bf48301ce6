"""The picker: find credentials, see the columns they will make, add them to the course (Deep Linking 2.0)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from flask import Blueprint, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from deep_linking import Answer, answer, cancel, content_item
from lti_tool.dialects.choosing import Plan
from lti_tool.sessions import PageSession
from microcred.credentials import WHY, Definition, Narrowing
from microcred.operations import placing, pools, selecting
from microcred.operations.errors import NotFound, OperationRefused
from microcred.placements import GRADE_SCHEMES, SCHEME_LABELS, Column
from microcred.web.base import page_url, surface, wording
from microcred.web.base.headers import content_security_policy
from microcred.web.services import services

blueprint = Blueprint("choosing", __name__)

WHY_WORDS = {
    "need": "A need of mine",
    "student_challenge": "My students",
    "instructional_shift": "New ways to teach",
    "district_priority": "District goals",
}
STACK_NOTE = (
    "The stack’s column comes with the first micro-credential that is earned, and counts on from there, so it"
    " is below its maximum until all are earned. Keep it out of an average."
)
KIND_WORDS = {"micro_credential": "Micro-credentials", "stack": "Stacks"}


@dataclass(frozen=True)
class Preview:
    """What the aside shows of a choice."""

    selection: selecting.Selection
    columns: tuple[tuple[str, Sequence[Column]], ...]
    """Title and columns of each micro-credential."""
    stack_columns: tuple[Column, ...]
    readers: tuple[str, int] | None
    """Name of the pool that was chosen, and how many are in it."""
    notes: tuple[str, ...]


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
    shown = _preview(chosen, request.args.get("scheme", "hundred"))
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
    shown = _preview(chosen, values.get("scheme", "")) if chosen else None
    schemes = _schemes(shown.selection if shown else selecting.NOTHING)
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


def _preview(chosen: Sequence[str], scheme: str) -> Preview:
    """The columns of what is chosen, and what the LMS makes of it. Raises NotFound, OperationRefused."""
    here, used, launch = surface(), services(), _launch()
    with used.database.reading() as session:
        selection = selecting.select_versions(session, here.actor, chosen, used.clock.now())
        readers = pools.readers_in(session, request.values.get("reviewers", ""), used.clock.now())
    if scheme not in _schemes(selection):
        scheme = "hundred"
    picked = selection.picked if placing.takes_several(launch) else selection.picked[:1]
    columns = tuple(
        (one.definition.document.title, _shown_columns(launch, one.definition, scheme)) for one in picked
    )
    counted = request.values.get("stack_column") == "yes"
    stacks = tuple(stack.column for stack in selection.stacks if counted and not stack.has_column)
    return Preview(selection, columns, stacks, readers, tuple(_notes(launch, selection, columns, stacks)))


def _shown_columns(launch: PageSession, definition: Definition, scheme: str) -> tuple[Column, ...]:
    """The columns of a micro-credential under the names that this LMS will show."""
    first, *others = placing.columns(definition, scheme)
    settings = launch.deep_linking
    if (
        launch.registration.dialect.link_names_column
        and settings
        and settings.get("accept_lineitem") is not False
    ):
        first = replace(first, label=definition.document.title)
    return (first, *others)


def _notes(
    launch: PageSession,
    selection: selecting.Selection,
    columns: Sequence[tuple[str, Sequence[Column]]],
    stacks: Sequence[Column],
) -> list[str]:
    """What a coordinator should know of these links before they exist."""
    notes: list[str] = []
    if selection.not_for_you:
        left_out = wording.plural(selection.not_for_you, "micro-credential")
        notes.append(f"{left_out} of this stack cannot be had in your organization; the others are added.")
    if len(columns) < len(selection.picked):
        notes.append(
            "This place in your LMS takes one link at a time, so only the first is added. For the others come"
            " back, or add the stack from a place that takes several, such as Modules."
        )
    notes += [
        f"Your gradebook has a column for “{stack.document.title}” already; it counts these too."
        for stack in selection.stacks
        if stack.has_column
    ]
    if stacks:
        notes.append(STACK_NOTE)
    if launch.deep_linking is None:
        return notes
    plan = Plan(
        links=len(columns),
        columns_each=max((len(each) for _, each in columns), default=0),
        dated=bool(request.values.get("submit_by") or request.values.get("open_from")),
        settings=launch.deep_linking,
        starts=bool(request.values.get("open_from")),
    )
    return [*notes, *launch.registration.dialect.says_of_links(plan)]


def _schemes(selection: selecting.Selection) -> list[str]:
    """The grade options: letters only for a stack that counts for graduate credit."""
    return [scheme for scheme in GRADE_SCHEMES if scheme != "graduate_letter" or selection.letters]


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
