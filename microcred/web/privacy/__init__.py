"""What is stored about a person, and joining two accounts of one person; on both surfaces."""

from microcred.web.privacy.linking import blueprint as linking
from microcred.web.privacy.pages import blueprint as privacy

__all__ = ["linking", "privacy"]
