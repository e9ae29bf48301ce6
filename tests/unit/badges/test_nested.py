"""Credentials inside credentials: endorsements in an achievement, badges in a learner record."""

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from microcred.badges import clr, documents, endorsements, integrity
from microcred.badges.errors import IntegrityError
from microcred.badges.keys import IssuerKey
from microcred.badges.linked_data import canonical_nquads
from tests.unit.badges.general_path import general_nquads
from tests.unit.badges.samples import ACHIEVEMENT, KEY, NOW, PUBLIC, REVIEWERS, award, plain_award

UNIVERSITY = IssuerKey.from_raw(bytes(32))
UNIVERSITY_DID = f"did:key:{UNIVERSITY.multibase}"


def endorsement() -> dict[str, Any]:
    facts = endorsements.EndorsementFacts(
        id=f"{PUBLIC}/ob/3.0/endorsements/e1",
        achievement=f"{PUBLIC}/ob/3.0/achievements/{ACHIEVEMENT.id}",
        achievement_name=ACHIEVEMENT.name,
        endorser=REVIEWERS,
        issuer_did=UNIVERSITY_DID,
        comment="Counts for one graduate credit with us.",
        valid_from=NOW,
    )
    unsigned = endorsements.endorsement_credential(facts)
    return integrity.sign(unsigned, UNIVERSITY, f"{UNIVERSITY_DID}#{UNIVERSITY.multibase}", NOW)


def endorsed(facts: documents.AwardFacts) -> documents.AwardFacts:
    return replace(facts, achievement=replace(facts.achievement, endorsements=(endorsement(),)))


def signed(facts: documents.AwardFacts) -> dict[str, Any]:
    return integrity.sign(documents.ob3_credential(facts), KEY, f"{facts.issuer_did}#{KEY.multibase}", NOW)


def record() -> dict[str, Any]:
    rich, plain = award(), replace(plain_award(), public_id="another")
    return clr.learner_record(
        clr.RecordFacts(
            id="urn:uuid:0f6c3a1e-65f0-4a35-9f44-0a7d8f1f6c11",
            name="Record of a demo person",
            publisher=REVIEWERS,
            publisher_did=rich.issuer_did,
            learner=rich.recipient.identifiers[0],
            members=[signed(endorsed(rich)), signed(plain)],
            valid_from=NOW + timedelta(days=1),
        )
    )


def twice() -> dict[str, Any]:
    """A record of two badges of one version: what they share stands in it twice."""
    whole = record()
    first = whole["credentialSubject"]["verifiableCredential"][0]
    other = signed(replace(endorsed(award()), public_id="second"))
    whole["credentialSubject"]["verifiableCredential"] = [first, other]
    return whole


@pytest.mark.parametrize("document", [endorsement(), signed(endorsed(award())), record(), twice()])
def test_the_fast_path_equals_the_general_path(document: dict[str, Any]) -> None:
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    assert canonical_nquads(unsigned) == general_nquads(unsigned)


def test_each_member_verifies_alone_and_the_whole_over_them() -> None:
    method = f"{award().issuer_did}#{KEY.multibase}"
    whole = integrity.sign(record(), KEY, method, NOW)
    integrity.verify(whole, KEY.public)
    member = whole["credentialSubject"]["verifiableCredential"][0]
    integrity.verify(member, KEY.public)
    (inner,) = member["credentialSubject"]["achievement"]["endorsement"]
    integrity.verify(inner, UNIVERSITY.public)


@pytest.mark.parametrize("place", ["comment", "proof", "member"])
def test_a_change_inside_breaks_the_outer_signature(place: str) -> None:
    whole = integrity.sign(record(), KEY, f"{award().issuer_did}#{KEY.multibase}", NOW)
    changed = copy.deepcopy(whole)
    member = changed["credentialSubject"]["verifiableCredential"][0]
    inner = member["credentialSubject"]["achievement"]["endorsement"][0]
    if place == "comment":
        inner["credentialSubject"]["endorsementComment"] = "Counts for three graduate credits."
    elif place == "proof":
        inner["proof"]["created"] = "2020-01-01T00:00:00Z"
    else:
        changed["credentialSubject"]["verifiableCredential"].pop()
    with pytest.raises(IntegrityError, match="signature_invalid"):
        integrity.verify(changed, KEY.public)


@pytest.mark.parametrize(
    "context", ["https://evil.example/context", {"name": "https://evil.example/x"}, None, []]
)
def test_a_member_cannot_bring_a_context_that_is_not_bundled(context: Any) -> None:
    document = record()
    document["credentialSubject"]["verifiableCredential"][0]["@context"] = context
    with pytest.raises(IntegrityError, match="context_unknown"):
        canonical_nquads(document)


def test_an_achievement_that_was_seen_before_gives_the_same_statements() -> None:
    """Its statements are kept between badges; two of one achievement in one document stay two."""
    first, second = documents.ob3_credential(award()), documents.ob3_credential(endorsed(award()))
    subject = documents.ob3_credential(plain_award())["credentialSubject"]
    twice = first | {"credentialSubject": [subject, subject | {"narrative": "Once more."}]}
    for document in (first, second, twice, twice, second, first):
        assert canonical_nquads(document) == general_nquads(document)
