"""From a decision to the gradebook: which score, in which column, and what became of it (LTI AGS 2.0)."""

from grade_passback.delivery import make_handler
from grade_passback.gradebook import KIND
from grade_passback.queueing import enqueue
from grade_passback.sync import SyncRow, retry, sync_rows
from grade_passback.words import Words, words_for

__all__ = [
    "KIND",
    "SyncRow",
    "Words",
    "enqueue",
    "make_handler",
    "retry",
    "sync_rows",
    "words_for",
]
