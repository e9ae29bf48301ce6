"""Which of a pursuit's tries counts now."""

from microcred.credentials.models import Attempt

CURRENT_FIRST = (Attempt.state == "withdrawn", Attempt.number.desc())
"""Order of a query: the newest try first, but for one that was closed since an appeal about the one before
was won.
"""
