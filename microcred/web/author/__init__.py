"""Pages of authors: drafts of credentials, section by section or as YAML; checking, sign-off, publishing."""

from microcred.web.author import editing, publishing
from microcred.web.author.pages import blueprint

__all__ = ["blueprint", "editing", "publishing"]
