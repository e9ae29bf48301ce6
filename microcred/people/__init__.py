"""Persons, identities, organizations, offices, one-time links, and the audit trail."""

from microcred.people import audit, links, standing
from microcred.people.grants import (
    Office,
    ensure_organization,
    grant,
    holders,
    home_organization,
    offices_of,
    organization_by_code,
)
from microcred.people.linked import canonical_id, canonical_ids, ids_of

__all__ = [
    "Office",
    "audit",
    "canonical_id",
    "canonical_ids",
    "ensure_organization",
    "grant",
    "holders",
    "home_organization",
    "ids_of",
    "links",
    "offices_of",
    "organization_by_code",
    "standing",
]
