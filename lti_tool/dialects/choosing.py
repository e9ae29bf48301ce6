"""What an LMS makes of a chosen link, in words for the person who chooses, before anything is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Plan:
    """What is about to be sent: so many links, with a column each, and perhaps a first or a last day."""

    links: int
    columns_each: int
    dated: bool
    settings: Mapping[str, Any]
    """The request's `deep_linking_settings`."""
    starts: bool = False
    """Whether a first day is among the dates."""

    @property
    def takes_columns(self) -> bool:
        """Whether links of this request may carry a line item."""
        return self.settings.get("accept_lineitem") is not False


Say = Callable[[Plan], tuple[str, ...]]

LATER = "Your LMS makes no gradebook column from here. The column is made when the first grade is sent."
FIRST_ONLY = "The first column comes with the link; the others appear when the first grade is sent."
FIRST_IS_PART_1 = "It is called like the micro-credential, which the link opens whole, and holds Part 1."


def plain(plan: Plan) -> tuple[str, ...]:
    """The specification's own behaviour."""
    if not plan.takes_columns:
        return (LATER,)
    return (FIRST_ONLY,) if plan.columns_each > 1 else ()


def canvas(plan: Plan) -> tuple[str, ...]:
    """By the place it is chosen from, which the settings tell apart: one item only is the assignment's own
    form; more types than links is the editor (`resource_placement.rb`).
    """
    if set(plan.settings.get("accept_types", ())) - {"ltiResourceLink"}:
        return (
            LATER,
            "From the editor, Canvas makes a link and no assignment. To have a column at once, add it from"
            " Modules or Assignments.",
        )
    said = list(plain(plan))
    if plan.columns_each > 1:
        said.append(FIRST_IS_PART_1)
    if not plan.settings.get("accept_multiple"):
        said.append("Nothing is in the course until you press Save on the Canvas page that follows.")
        if plan.dated:
            said.append("Canvas takes no date from here: type the dates into its form. We keep to yours too.")
    else:
        said.append(
            "Canvas adds it unpublished. Publish it before teachers come: it takes no grades until then."
        )
    return tuple(said)


def moodle(plan: Plan) -> tuple[str, ...]:
    """`mod/lti/contentitem_return.php`: a form to save, no label, no dates."""
    said = list(plain(plan))
    if plan.takes_columns:
        said.append("Moodle names the column after the activity.")
        if plan.columns_each > 1:
            said.append(FIRST_IS_PART_1)
    if plan.links > 1:
        said.append("Moodle lists them for you; press its “Save and return to course”.")
    else:
        said.append("Nothing is in the course until you press Save in the Moodle form that follows.")
    if plan.dated:
        said.append(
            "Moodle takes no date from here, so its calendar stays empty. We keep to yours all the same."
        )
    return tuple(said)


def schoology(plan: Plan) -> tuple[str, ...]:
    """As documented and observed: columns only from Add Materials, in the default category."""
    if set(plan.settings.get("accept_types", ())) == {"ltiResourceLink"} and not plan.settings.get(
        "accept_multiple"
    ):
        return (LATER, "From the editor, Schoology makes no column. Use Add Materials to have one at once.")
    said = [
        *plain(plan),
        "Schoology puts the column into the default category of the grading period. A course without grading"
        " categories shows no column.",
    ]
    if plan.starts:
        said.append("Schoology was seen to take the last day alone. We keep to the first day all the same.")
    return tuple(said)
