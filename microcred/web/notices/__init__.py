"""Notices: what a person should know, and what of it comes by mail."""

from microcred.web.notices.pages import blueprint

__all__ = ["blueprint"]
