"""Pages of whoever answers for an organization, its approvers and operators: the rules it sets for itself."""

from microcred.web.organization.rules import blueprint

__all__ = ["blueprint"]
