"""Pages of reviewers."""

from microcred.web.review import checking, practice, privacy
from microcred.web.review.pages import blueprint

__all__ = ["blueprint", "checking", "practice", "privacy"]
