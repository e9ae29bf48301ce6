"""Pages of approvers."""

from microcred.web.approve import appeals, awards, pages, pools, quality, requests
from microcred.web.approve.blueprint import blueprint

__all__ = ["appeals", "awards", "blueprint", "pages", "pools", "quality", "requests"]
