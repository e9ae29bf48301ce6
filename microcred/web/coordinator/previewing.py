"""What a choice in the picker will make: its columns under the names the LMS will show, before anything is
sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import request

from lti_tool.dialects.choosing import Plan
from lti_tool.sessions import PageSession
from microcred.credentials import Definition
from microcred.operations import placing, pools, selecting
from microcred.placements import GRADE_SCHEMES, Column
from microcred.web.base import surface, wording
from microcred.web.services import services

_STACK_NOTE = (
    "The stack’s column comes with the first micro-credential that is earned, and counts on from there, so it"
    " is below its maximum until all are earned. Keep it out of an average."
)


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


def preview_of(launch: PageSession, chosen: Sequence[str], scheme: str) -> Preview:
    """The columns of what is chosen, and what the LMS makes of it. Raises NotFound, OperationRefused."""
    here, used = surface(), services()
    with used.database.reading() as session:
        selection = selecting.select_versions(session, here.actor, chosen, used.clock.now())
        readers = pools.readers_in(session, request.values.get("reviewers", ""), used.clock.now())
    if scheme not in schemes_for(selection):
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
        notes.append(_STACK_NOTE)
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


def schemes_for(selection: selecting.Selection) -> list[str]:
    """The grade options: letters only for a stack that counts for graduate credit."""
    return [scheme for scheme in GRADE_SCHEMES if scheme != "graduate_letter" or selection.letters]
