"""Pages of the teacher: credential home, parts, evidence, submitting, feedback, badge, record."""

from microcred.web.teacher import (
    backpacks,
    badge,
    elsewhere,
    evidence_forms,
    home,
    parts,
    permissions,
    record,
    submitting,
    uploads,
    wallet,
)
from microcred.web.teacher.blueprint import blueprint

__all__ = [
    "backpacks",
    "badge",
    "blueprint",
    "elsewhere",
    "evidence_forms",
    "home",
    "parts",
    "permissions",
    "record",
    "submitting",
    "uploads",
    "wallet",
]
