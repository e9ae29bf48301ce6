"""The steps of a run, in order. Each does what people do, and looks at what both sides show."""

from collections.abc import Callable

from tests.interop.moodle import arriving, copies, grading
from tests.interop.moodle.world import World

STEPS: tuple[Callable[[World], None], ...] = (
    arriving.accounts_and_course,
    arriving.registration,
    arriving.one_credential,
    arriving.three_credentials,
    arriving.launches,
    grading.before_any_grade,
    grading.first_try,
    grading.second_try,
    grading.awarded,
    grading.gradebook,
    grading.connection,
    grading.columns_of_parts,
    copies.names_and_roles,
    copies.imported_course,
    copies.copied_course,
)
