"""Endorsements: an issuer or a university says that it stands behind a credential (OB 3.0, section B.2).

Each is a credential of its own, signed by whoever endorses, and carried whole by the achievements of the
version it is about.
"""

from dataclasses import dataclass
from datetime import datetime

from microcred.badges.facts import OrganizationFacts
from microcred.badges.ob3 import profile
from microcred.badges.values import Document, address, moment, text
from microcred.badges.vocabulary import CREDENTIALS_V2, OPEN_BADGES_3


@dataclass(frozen=True)
class EndorsementFacts:
    """What an endorsement says: `id` and `achievement` are addresses, `issuer_did` is the endorser's."""

    id: str
    achievement: str
    achievement_name: str
    endorser: OrganizationFacts
    issuer_did: str
    comment: str
    valid_from: datetime


def endorsement_credential(facts: EndorsementFacts) -> Document:
    """The unsigned EndorsementCredential. Raises FactsError."""
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
        "id": address(facts.id),
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": f"{text(facts.endorser.name)} endorses {text(facts.achievement_name)}",
        "issuer": profile(facts.issuer_did, facts.endorser),
        "validFrom": moment(facts.valid_from),
        "credentialSubject": {
            "id": address(facts.achievement),
            "type": ["EndorsementSubject"],
            "endorsementComment": text(facts.comment),
        },
    }
