"""Pages of approvers."""

from microcred.web.approve import appeals, pages, quality
from microcred.web.approve.blueprint import blueprint

__all__ = ["appeals", "blueprint", "pages", "quality"]
