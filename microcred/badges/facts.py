"""What a badge says, as plain values: both versions of a badge are written from one `AwardFacts`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from microcred.badges.errors import FactsError


@dataclass(frozen=True)
class Addresses:
    """Where the public documents of badges live: under the badge address, with or without a final slash."""

    base: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", self.base.rstrip("/"))

    def issuer(self, issuer_id: str) -> str:
        return f"{self.base}/ob/2.0/issuers/{_segment(issuer_id)}"

    def badge_class(self, achievement_id: str) -> str:
        return f"{self.base}/ob/2.0/badges/{_segment(achievement_id)}"

    def assertion(self, public_id: str) -> str:
        return f"{self.base}/ob/2.0/assertions/{_segment(public_id)}"

    def achievement(self, achievement_id: str) -> str:
        return f"{self.base}/ob/3.0/achievements/{_segment(achievement_id)}"

    def credential(self, public_id: str) -> str:
        return f"{self.base}/ob/3.0/credentials/{_segment(public_id)}"

    def art(self, achievement_id: str) -> str:
        """The badge's picture as such, without anybody's award in it."""
        return f"{self.base}/ob/2.0/badges/{_segment(achievement_id)}.png"

    def baked(self, public_id: str) -> str:
        return f"{self.base}/ob/badges/{_segment(public_id)}.png"

    def baked_svg(self, public_id: str) -> str:
        return f"{self.base}/ob/badges/{_segment(public_id)}.svg"

    def key(self, issuer_id: str, key_id: str) -> str:
        """A public RSA key of an issuer, as JWK."""
        return f"{self.base}/ob/issuers/{_segment(issuer_id)}/keys/{_segment(key_id)}"

    def ob2_key(self, issuer_id: str, key_id: str) -> str:
        """The same key, as Open Badges 2.0 writes keys."""
        return f"{self.issuer(issuer_id)}/keys/{_segment(key_id)}"

    def revocations(self, issuer_id: str) -> str:
        """What an issuer has revoked, for signed Open Badges 2.0."""
        return f"{self.issuer(issuer_id)}/revoked"

    def endorsement(self, endorsement_id: str) -> str:
        return f"{self.base}/ob/3.0/endorsements/{_segment(endorsement_id)}"

    def status_list(self, number: int) -> str:
        return f"{self.base}/ob/status/{number}"

    def page(self, public_id: str) -> str:
        """The verification page, for people."""
        return f"{self.base}/badges/{_segment(public_id)}"


@dataclass(frozen=True)
class OrganizationFacts:
    """An organization that issues, or that assessed for the issuer. `id` is its part of our addresses."""

    id: str
    name: str
    url: str
    email: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class AlignmentFacts:
    """A standard that the credential is aligned to."""

    name: str
    url: str
    code: str | None = None
    framework: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class LevelFacts:
    """A level of a rubric criterion. `key` is unique in its criterion; points are text, as in OB 3.0."""

    key: str
    name: str
    description: str | None = None
    points: str | None = None


@dataclass(frozen=True)
class CriterionFacts:
    """A rubric criterion with its levels from low to high. `id` is unique in the achievement."""

    id: str
    name: str
    levels: tuple[LevelFacts, ...]
    required_level: str | None = None
    """Key of the lowest level that passes."""


@dataclass(frozen=True)
class AchievementFacts:
    """One version of a credential, as badges show it. `id` names the version, so it never changes meaning."""

    id: str
    name: str
    description: str
    criteria_narrative: str
    code: str | None = None
    version: str | None = None
    language: str | None = None
    achievement_type: str = "MicroCredential"
    image_alt: str = ""
    criteria_url: str | None = None
    """A page that people can read, where there is one."""
    alignments: tuple[AlignmentFacts, ...] = ()
    criteria: tuple[CriterionFacts, ...] = ()
    tags: tuple[str, ...] = ()
    credits_available: float | None = None
    endorsements: tuple[Mapping[str, Any], ...] = ()
    """Signed EndorsementCredentials, carried whole."""


@dataclass(frozen=True)
class ResultFacts:
    """The level that was reached on one criterion."""

    criterion: str
    level: str


@dataclass(frozen=True)
class IdentifierFacts:
    """One way to recognise the recipient. Only the salted hash of `value` is published."""

    kind: Literal["ltiUserId", "emailAddress"]
    value: str
    salt: str

    @property
    def hashed(self) -> str:
        return identity_hash(self.value, self.salt)


@dataclass(frozen=True)
class RecipientFacts:
    """Who earned the badge, without a name.

    `url` is an address that stands for the person (OB 2.0 recipient of type `url`); only its hash with
    `salt` is published. `subject_id` is a DID or `mailto:` that the person chose to show (OB 3.0
    `credentialSubject.id`).
    """

    url: str
    salt: str
    identifiers: tuple[IdentifierFacts, ...]
    subject_id: str | None = None
    email: str | None = None
    """A confirmed address by which backpacks may know the person: then it is what OB 2.0 hashes."""


@dataclass(frozen=True)
class EvidenceFacts:
    """Evidence that the holder chose to show. `url` is a page for sharing, never the raw upload."""

    url: str
    name: str
    narrative: str | None = None


@dataclass(frozen=True)
class StatusEntry:
    """The place of this badge in a Bitstring status list: the list's address and the bit."""

    list_url: str
    index: int


@dataclass(frozen=True)
class ClassFacts:
    """What a badge says that is the same for everybody who earns it."""

    addresses: Addresses
    issuer: OrganizationFacts
    issuer_did: str
    achievement: AchievementFacts


@dataclass(frozen=True)
class AwardFacts:
    """Everything that one badge says. Moments are aware; `issuer_did` is from `keys.issuer_identity`."""

    public_id: str
    addresses: Addresses
    issuer: OrganizationFacts
    issuer_did: str
    achievement: AchievementFacts
    recipient: RecipientFacts
    awarded_date: datetime
    """When the decision was made; the same in every later re-issue."""
    valid_from: datetime
    """When this rendering was made; a re-issue keeps the id and moves this."""
    status: StatusEntry
    valid_until: datetime | None = None
    results: tuple[ResultFacts, ...] = ()
    credits_earned: float | None = None
    assessed_by: OrganizationFacts | None = None
    """The reviewers' organization, where it is another than the issuer."""
    evidence: tuple[EvidenceFacts, ...] = ()
    test: bool = False

    @property
    def of_class(self) -> ClassFacts:
        return ClassFacts(self.addresses, self.issuer, self.issuer_did, self.achievement)


def check(facts: AwardFacts) -> None:
    """Raises FactsError where no honest badge can be written: `recipient_missing`, `status_index`, `dates`,
    `result_unknown`."""
    if not facts.recipient.identifiers and not facts.recipient.subject_id:
        raise FactsError("recipient_missing", "a badge needs something that identifies its recipient")
    if facts.status.index < 0:
        raise FactsError("status_index", "a status index is never negative")
    moments = [facts.awarded_date, facts.valid_from] + ([facts.valid_until] if facts.valid_until else [])
    if any(moment.tzinfo is None for moment in moments):
        raise FactsError("dates", "a moment needs a time zone")
    if facts.valid_until is not None and facts.valid_until <= facts.awarded_date:
        raise FactsError("dates", "a badge cannot expire before it is awarded")
    levels = {(rubric.id, level.key) for rubric in facts.achievement.criteria for level in rubric.levels}
    for result in facts.results:
        if (result.criterion, result.level) not in levels:
            raise FactsError("result_unknown", f"no level {result.level!r} of criterion {result.criterion!r}")


def identity_hash(value: str, salt: str) -> str:
    """`sha256$<hex>` of the value followed by the salt (OB 2.0 and 3.0, IdentityHash)."""
    return "sha256$" + hashlib.sha256((value + salt).encode("utf-8")).hexdigest()


def _segment(text: str) -> str:
    return quote(text, safe="")
