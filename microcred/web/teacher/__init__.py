"""Pages of the teacher: credential home, parts, evidence, submitting, feedback, badge, record."""

from microcred.web.teacher import badge, evidence_forms, home, parts, record, submitting
from microcred.web.teacher.blueprint import blueprint

__all__ = ["badge", "blueprint", "evidence_forms", "home", "parts", "record", "submitting"]
