"""Persons, identities, organizations, offices, one-time links, and the audit trail."""

from microcred.people import audit, links
from microcred.people.grants import (
    Office,
    ensure_organization,
    grant,
    holders,
    offices_of,
    organization_by_code,
)

__all__ = [
    "Office",
    "audit",
    "ensure_organization",
    "grant",
    "holders",
    "links",
    "offices_of",
    "organization_by_code",
]
