"""The LMSs this platform can behave like. A new one is a module with a ``Dialect`` and a line here."""

from __future__ import annotations

from .base import Dialect
from .canvas import CANVAS
from .moodle import MOODLE
from .parts import DeepLinkPlan, DeepLinkRules, MessageFacts, Problem, ScoreFacts, ScoreOutcome, TokenRules
from .plain import PLAIN
from .schoology import SCHOOLOGY

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (PLAIN, CANVAS, MOODLE, SCHOOLOGY)}

__all__ = [
    "CANVAS",
    "DIALECTS",
    "MOODLE",
    "PLAIN",
    "SCHOOLOGY",
    "DeepLinkPlan",
    "DeepLinkRules",
    "Dialect",
    "MessageFacts",
    "Problem",
    "ScoreFacts",
    "ScoreOutcome",
    "TokenRules",
]
