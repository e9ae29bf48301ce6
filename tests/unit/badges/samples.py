"""A made-up award, rich enough to use every field of a badge."""

from dataclasses import replace
from datetime import UTC, datetime

from microcred.badges.art import ArtFacts
from microcred.badges.documents import (
    AchievementFacts,
    Addresses,
    AlignmentFacts,
    AwardFacts,
    CriterionFacts,
    EvidenceFacts,
    IdentifierFacts,
    LevelFacts,
    OrganizationFacts,
    RecipientFacts,
    ResultFacts,
    StatusEntry,
)
from microcred.badges.keys import IssuerKey, issuer_identity

KEY = IssuerKey.from_raw(bytes(range(32)))
PUBLIC = "https://badges.example.org"
NOW = datetime(2026, 9, 14, 8, 30, 0, tzinfo=UTC)
RECIPIENT_URL = "https://badges.example.org/people/8f3k2m"

LEVELS = (
    LevelFacts("not_evident", "Not yet shown", "The account does not describe a structured session.", "1"),
    LevelFacts("revisions_needed", "Revisions needed", "Some stages are missing or only named.", "2"),
    LevelFacts("passing", "Passing", "All four stages are described clearly enough to follow.", "3"),
    LevelFacts("strong", "Strong", "The account is easy to repeat, and choices fit these students.", "4"),
)
YES_NO = (LevelFacts("no", "No", None, "1"), LevelFacts("yes", "Yes", "Both sets are complete.", "3"))

ACHIEVEMENT = AchievementFacts(
    id="v-ci-101-1",
    name="Idea Shaper",
    description="Lead a class from many ideas to one that is worth building.",
    criteria_narrative="Passing on Parts 1, 3 and 4, and Yes on Part 2.",
    code="CI-101",
    version="1.0",
    language="en-US",
    image_alt="Hexagon badge with a sketched light bulb made of sticky notes",
    alignments=(
        AlignmentFacts("Application of content", "https://ccsso.org", "5", "InTASC"),
        AlignmentFacts(
            "Nurture creative expression", "https://iste.org/standards/educators", "2.6.d", "ISTE"
        ),
    ),
    criteria=(
        CriterionFacts("p1-c1", "The routine is described and fits the students", LEVELS, "passing"),
        CriterionFacts("p1-c2", "The claim about growth rests on evidence", LEVELS, "passing"),
        CriterionFacts("p2-c1", "Work from two students shows movement", YES_NO, "yes"),
    ),
    tags=("creativity", "discussion"),
    credits_available=10.0,
)
ISSUER = OrganizationFacts(
    id="iss-riverbend",
    name="Riverbend Educator Alliance",
    url="https://example.org/riverbend",
    email="credentials@example.org",
)
REVIEWERS = OrganizationFacts("iss-lakeshore", "Lakeshore Reviewers", "https://example.org/lakeshore")

ART = ArtFacts(
    name="Idea Shaper",
    code="CI-101",
    shape="hexagon",
    primary_colour="#1F4E79",
    accent_colour="#F2B134",
    icon="lightbulb",
    alt="Hexagon badge with a sketched light bulb made of sticky notes",
)


def award(base: str = PUBLIC, *, index: int = 94_567, key: IssuerKey = KEY) -> AwardFacts:
    """The award, with its documents under `base`."""
    identity = issuer_identity(base, ISSUER.id, key)
    addresses = Addresses(base)
    return AwardFacts(
        public_id="k7q2mwy5",
        addresses=addresses,
        issuer=ISSUER,
        issuer_did=identity.did,
        achievement=ACHIEVEMENT,
        recipient=RecipientFacts(
            url=RECIPIENT_URL,
            salt="f00dfeed",
            identifiers=(
                IdentifierFacts("ltiUserId", "u-1001", "f00dfeed"),
                IdentifierFacts("emailAddress", "pat@example.org", "f00dfeed"),
            ),
        ),
        awarded_date=datetime(2026, 9, 12, 15, 0, 0, tzinfo=UTC),
        valid_from=NOW,
        valid_until=datetime(2029, 9, 12, 15, 0, 0, tzinfo=UTC),
        status=StatusEntry(addresses.status_list(1), index),
        results=(
            ResultFacts("p1-c1", "strong"),
            ResultFacts("p1-c2", "passing"),
            ResultFacts("p2-c1", "yes"),
        ),
        credits_earned=10.0,
        assessed_by=REVIEWERS,
        evidence=(
            EvidenceFacts(f"{base}/shared/9", "How the session went", "Shown by the holder's choice."),
        ),
        test=identity.test,
    )


def plain_award(base: str = PUBLIC) -> AwardFacts:
    """The least that an award can say."""
    achievement = AchievementFacts("v-1", "A badge", "What it says.", "How it is earned.")
    recipient = RecipientFacts(RECIPIENT_URL, "salt", (IdentifierFacts("ltiUserId", "u-1001", "salt"),))
    return replace(
        award(base),
        achievement=achievement,
        recipient=recipient,
        valid_until=None,
        results=(),
        credits_earned=None,
        assessed_by=None,
        evidence=(),
    )
