"""Pages of approvers."""

from microcred.web.approve.pages import blueprint

__all__ = ["blueprint"]
