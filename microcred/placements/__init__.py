"""A credential in a course: version, grade scheme and its columns, dates."""

from microcred.placements.columns import MAIN, SCHEME_LABELS, Column, columns_for
from microcred.placements.models import GRADE_SCHEMES, GradeColumn, Placement
from microcred.placements.store import CUSTOM_PLACEMENT, Choice, Place, choose, find, of_link, settle

__all__ = [
    "CUSTOM_PLACEMENT",
    "GRADE_SCHEMES",
    "MAIN",
    "SCHEME_LABELS",
    "Choice",
    "Column",
    "GradeColumn",
    "Place",
    "Placement",
    "choose",
    "columns_for",
    "find",
    "of_link",
    "settle",
]
