"""Pages of the teacher: credential home, parts, evidence, submitting, feedback, badge, record."""

from microcred.web.teacher import (
    addresses,
    asking,
    backpacks,
    badge,
    blurring,
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
    "addresses",
    "asking",
    "backpacks",
    "badge",
    "blueprint",
    "blurring",
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
