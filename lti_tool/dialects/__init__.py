"""What real LMSs do differently, as data and short functions. Nothing outside this package asks which LMS it
is.
"""

from lti_tool.dialects.base import Dialect, Reading, Verdict
from lti_tool.dialects.canvas import CANVAS
from lti_tool.dialects.moodle import MOODLE
from lti_tool.dialects.plain import PLAIN
from lti_tool.dialects.schoology import SCHOOLOGY

_DIALECTS = {"canvas": CANVAS, "moodle": MOODLE, "schoology": SCHOOLOGY, "other": PLAIN}


def dialect_named(lms: str) -> Dialect:
    """The dialect for a registration's `lms` (one of `LMS_KINDS`)."""
    return _DIALECTS.get(lms, PLAIN)


def dialect_of_family(product_family_code: object) -> tuple[str, Dialect] | None:
    """The kind of LMS, and its dialect, that calls itself so; None for one we know nothing special of."""
    for lms, dialect in _DIALECTS.items():
        if product_family_code in dialect.registering.families:
            return lms, dialect
    return None


__all__ = ["Dialect", "Reading", "Verdict", "dialect_named", "dialect_of_family"]
