"""Pages of reviewers."""

from microcred.web.review import practice, privacy
from microcred.web.review.pages import blueprint

__all__ = ["blueprint", "practice", "privacy"]
