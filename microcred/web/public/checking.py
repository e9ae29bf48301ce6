"""What the verification page reports: how an award stands, and whether the signature fits what is served."""

from enum import StrEnum

from microcred.badges import integrity, keys
from microcred.badges.errors import BadgeError
from microcred.badges.public_award import NoSuchBadge
from microcred.badges.store import BadgeStore


class Standing(StrEnum):
    """How an award stands."""

    VALID = "valid"
    TRIAL = "trial"
    """The work of a test user or on a test site; there is no badge and never will be."""
    BEING_MADE = "being_made"
    """Awarded; the file is not signed yet."""
    REVOKED = "revoked"
    EXPIRED = "expired"
    BROKEN = "broken"
    """The signature does not fit what is served."""


def signature_holds(store: BadgeStore, badge_id: str) -> bool:
    """Whether the issuer's own key signed exactly the credential that is served under this id."""
    try:
        credential = store.credential(badge_id)
        issuer, fragment = str(credential["proof"]["verificationMethod"]).split("#", 1)
        if issuer.startswith("did:key:"):
            key = keys.did_key_public(issuer)
        else:
            document = store.did_document(issuer.rsplit(":", 1)[-1])
            if f"{issuer}#{fragment}" not in document["assertionMethod"]:
                return False
            key = keys.PublicKey.from_multibase(fragment)
        integrity.verify(credential, key)
    except (BadgeError, NoSuchBadge, KeyError, ValueError):
        return False
    return True
