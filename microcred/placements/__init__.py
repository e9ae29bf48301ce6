"""A credential in a course: version, grade scheme and its columns, dates."""

from microcred.placements.columns import MAIN, SCHEME_LABELS, STACK, Column, columns_for, stack_column
from microcred.placements.models import GRADE_SCHEMES, GradeColumn, Placement
from microcred.placements.stack_columns import StackCell, has_stack_column, stack_cells
from microcred.placements.store import (
    CUSTOM_PLACEMENT,
    Choice,
    Place,
    choose,
    find,
    leave_stacks,
    of_link,
    settle,
)

__all__ = [
    "CUSTOM_PLACEMENT",
    "GRADE_SCHEMES",
    "MAIN",
    "SCHEME_LABELS",
    "STACK",
    "Choice",
    "Column",
    "GradeColumn",
    "Place",
    "Placement",
    "StackCell",
    "choose",
    "columns_for",
    "find",
    "has_stack_column",
    "leave_stacks",
    "of_link",
    "settle",
    "stack_cells",
    "stack_column",
]
