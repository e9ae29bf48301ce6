"""From a decision to the gradebook: which score, in which column, and what became of it (LTI AGS 2.0)."""

from grade_passback.adopting import ADOPT, adopt, make_adopter
from grade_passback.comparing import Compared, Sent, compare, sent_cells
from grade_passback.delivery import make_handler
from grade_passback.gradebook import KIND
from grade_passback.queueing import enqueue
from grade_passback.stacks import enqueue_stacks
from grade_passback.sync import (
    Cell,
    Progress,
    SyncRow,
    cells,
    progress,
    retry,
    retry_stopped,
    send_again,
    sync_rows,
)
from grade_passback.words import Words, sent_words, words_for
from lti_tool.registrations import destination_of

__all__ = [
    "ADOPT",
    "KIND",
    "Cell",
    "Compared",
    "Progress",
    "Sent",
    "SyncRow",
    "Words",
    "adopt",
    "cells",
    "compare",
    "destination_of",
    "enqueue",
    "enqueue_stacks",
    "make_adopter",
    "make_handler",
    "progress",
    "retry",
    "retry_stopped",
    "send_again",
    "sent_cells",
    "sent_words",
    "sync_rows",
    "words_for",
]
