"""Pages of approvers."""

from microcred.web.approve import appeals, pages
from microcred.web.approve.blueprint import blueprint

__all__ = ["appeals", "blueprint", "pages"]
