"""A Comprehensive Learner Record: all of a person's badges in one signed file (1EdTech CLR Standard 2.0).

The members are whole, each with its own proof; the envelope says who put them together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from microcred.badges.facts import IdentifierFacts, OrganizationFacts
from microcred.badges.ob3 import identity_object, profile
from microcred.badges.values import TEST_NARRATIVE, Document, moment, text, without_none
from microcred.badges.vocabulary import CREDENTIALS_V2, LEARNER_RECORD_2, OPEN_BADGES_3


@dataclass(frozen=True)
class RecordFacts:
    """What the envelope says. `id` is an absolute IRI, `members` are signed OpenBadgeCredentials."""

    id: str
    name: str
    publisher: OrganizationFacts
    publisher_did: str
    learner: IdentifierFacts
    members: Sequence[dict[str, Any]]
    valid_from: datetime
    test: bool = False


def learner_record(facts: RecordFacts) -> Document:
    """The unsigned ClrCredential. Raises FactsError."""
    return without_none(
        {
            "@context": [CREDENTIALS_V2, LEARNER_RECORD_2, OPEN_BADGES_3],
            "id": facts.id,
            "type": ["VerifiableCredential", "ClrCredential"],
            "name": text(facts.name),
            "description": TEST_NARRATIVE if facts.test else None,
            "issuer": profile(facts.publisher_did, facts.publisher),
            "validFrom": moment(facts.valid_from),
            "credentialSubject": {
                "type": ["ClrSubject"],
                "identifier": [identity_object(facts.learner)],
                "verifiableCredential": list(facts.members),
            },
        }
    )
