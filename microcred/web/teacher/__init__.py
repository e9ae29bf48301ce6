"""Pages of the teacher: credential home, parts, evidence, submitting, feedback, badge."""

from microcred.web.teacher import evidence_forms, home, parts, submitting
from microcred.web.teacher.blueprint import blueprint

__all__ = ["blueprint", "evidence_forms", "home", "parts", "submitting"]
