"""Which gradebook columns a grade scheme makes, before anything is sent."""

from dataclasses import dataclass

from microcred.credentials import Definition, Stack, points, stack_progress
from microcred.placements.models import GRADE_SCHEMES

MAIN = "main"
"""Tag of a placement's one column; `per_part` has a column for each part instead, tagged with the part's
id.
"""

STACK = "stack:earned"
"""Tag of the column that counts what is earned of a stack; no part's id has a colon."""

SCHEME_LABELS = {
    "complete": "Complete or not complete",
    "hundred": "100 points when earned",
    "rubric_points": "Points from the rubric",
    "per_part": "One column for each part",
    "graduate_letter": "Letter grade for graduate credit",
}


@dataclass(frozen=True)
class Column:
    """One gradebook column to come: `tag` finds it again, `label` is its heading."""

    tag: str
    label: str
    score_maximum: float


def columns_for(definition: Definition, scheme: str) -> tuple[Column, ...]:
    """The columns of a credential under a grade scheme (product rules, "Grade options per placement").

    Raises ValueError for a scheme that is not one of `GRADE_SCHEMES`.
    """
    if scheme not in GRADE_SCHEMES:
        raise ValueError(f"unknown grade scheme: {scheme}")
    document = definition.document
    if scheme == "per_part":
        return tuple(
            Column(part.id, f"{document.badge.name}, Part {part.number}: {part.title}", 1.0)
            for part in document.parts
        )
    maximum = {"complete": 1.0, "hundred": 100.0, "graduate_letter": 100.0}.get(scheme)
    if maximum is None:
        maximum = float(points(definition, {}).maximum)
    return (Column(MAIN, document.title, maximum),)


def stack_column(stack: Stack) -> Column:
    """The column of a stack: how many of the micro-credentials it asks for are earned."""
    return Column(STACK, f"{stack.badge.name}: earned of the stack", float(stack_progress(stack, ()).needed))
