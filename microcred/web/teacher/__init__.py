"""Pages of the teacher: credential home, parts, evidence, submitting, feedback, badge, record."""

from microcred.web.teacher import (
    backpacks,
    badge,
    blurring,
    evidence_forms,
    home,
    parts,
    permissions,
    record,
    submitting,
    uploads,
)
from microcred.web.teacher.blueprint import blueprint

__all__ = [
    "backpacks",
    "badge",
    "blurring",
    "blueprint",
    "evidence_forms",
    "home",
    "parts",
    "permissions",
    "record",
    "submitting",
    "uploads",
]
