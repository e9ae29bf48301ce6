"""Pages of reviewers."""

from microcred.web.review import privacy
from microcred.web.review.pages import blueprint

__all__ = ["blueprint", "privacy"]
