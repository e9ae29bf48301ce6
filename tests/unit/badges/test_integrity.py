"""Signing and checking: the published vector, the general path, and every way to change a document."""

import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import base58
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcred.badges import documents, integrity
from microcred.badges.documents import CriterionFacts, LevelFacts
from microcred.badges.errors import FactsError, IntegrityError
from microcred.badges.keys import IssuerKey
from microcred.badges.linked_data import canonical_nquads
from tests.unit.badges.general_path import general_nquads
from tests.unit.badges.samples import KEY, NOW, award, plain_award

# Open Badges 3.0 Implementation Guide, "Linked data proof" example: key, hashes and proof value.
VECTOR_SEED = bytes.fromhex("6241a409e6707bb640a0140a8a32bc3d193c33a661747284d6adfa4ed4180be4")
VECTOR_METHOD = "https://example.edu/issuers/565049#z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"
VECTOR_CREATED = datetime(2010, 1, 1, 19, 23, 24, tzinfo=UTC)
VECTOR_DOCUMENT_HASH = "87f65a76d40146205e3b3e06cb0fbd153f97f9ce70372390f52566bb7f9e0773"
VECTOR_PROOF_HASH = "d34009cea0dbc1ca941e09dc01c8c9d3e3ce3c5b853f67ee44698dcea10f5d19"
VECTOR_PROOF_VALUE = (
    "z5x9aCBYovW3CQCbKdNyhEm7ffYSw1YpEdPywQJoNbzDD2gkzQDKJ1sYKJaWvqZtkMtSbz35HcbgXVEDYHxCzgkCr"
)
VECTOR = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ],
    "id": "http://example.com/credentials/3527",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "issuer": {
        "id": "https://example.edu/issuers/565049",
        "type": ["Profile"],
        "url": "https://www.imsglobal.org",
        "name": "Example Corp",
    },
    "validFrom": "2010-01-01T00:00:00Z",
    "name": "Teamwork Badge",
    "credentialSubject": {
        "id": "did:example:ebfeb1f712ebc6f1c276e12ec21",
        "type": ["AchievementSubject"],
        "achievement": {
            "id": "https://example.com/achievements/21st-century-skills/teamwork",
            "type": ["Achievement"],
            "criteria": {
                "narrative": "Team members are nominated for this badge by their peers and recognized upon "
                "review by Example Corp management."
            },
            "description": "This badge recognizes the development of the capacity to collaborate within a "
            "group environment.",
            "name": "Teamwork",
        },
    },
}

METHOD = f"{award().issuer_did}#{KEY.multibase}"


def signed() -> dict[str, Any]:
    return integrity.sign(documents.ob3_credential(award()), KEY, METHOD, NOW)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a document that is not an object or a list."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path


def parent_of(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document


LEAVES = list(leaves(signed()))


def test_the_published_vector_is_reproduced_byte_for_byte() -> None:
    key = IssuerKey.from_raw(VECTOR_SEED)
    result = integrity.sign(VECTOR, key, VECTOR_METHOD, VECTOR_CREATED)
    options = {name: value for name, value in result["proof"].items() if name != "proofValue"}
    context = tuple(VECTOR["@context"])

    assert hashlib.sha256(canonical_nquads(VECTOR)).hexdigest() == VECTOR_DOCUMENT_HASH
    assert hashlib.sha256(canonical_nquads(options, context=context)).hexdigest() == VECTOR_PROOF_HASH
    assert result["proof"]["proofValue"] == VECTOR_PROOF_VALUE
    integrity.verify(result, key.public)


@pytest.mark.parametrize("facts", [award(), plain_award(), award("http://127.0.0.1:8000")])
def test_the_fast_path_equals_the_general_path(facts: documents.AwardFacts) -> None:
    document = documents.ob3_credential(facts)
    assert canonical_nquads(document) == general_nquads(document)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(str.strip)


@given(name=TEXT, narrative=TEXT, code=TEXT, criterion=TEXT, tag=st.lists(TEXT, max_size=3))
def test_any_text_is_signed_as_the_general_path_would(
    name: str, narrative: str, code: str, criterion: str, tag: list[str]
) -> None:
    facts = plain_award()
    rubric = (CriterionFacts("c1", criterion, (LevelFacts("yes", "Yes", criterion),)),)
    changed = replace(
        facts.achievement,
        name=name,
        criteria_narrative=narrative,
        code=code,
        criteria=rubric,
        tags=tuple(tag),
    )
    document = documents.ob3_credential(replace(facts, achievement=changed))
    assert canonical_nquads(document) == general_nquads(document)


@given(earned=st.floats(min_value=0.001, max_value=1e6, allow_subnormal=False))
def test_any_fraction_is_signed_as_the_general_path_would(earned: float) -> None:
    document = documents.ob3_credential(replace(plain_award(), credits_earned=earned))
    assert canonical_nquads(document) == general_nquads(document)


def test_whole_numbers_are_signed_alike_however_they_are_written() -> None:
    whole, point = (documents.ob3_credential(award()) for _ in range(2))
    whole["credentialSubject"]["creditsEarned"] = 10
    point["credentialSubject"]["creditsEarned"] = 10.0
    assert canonical_nquads(whole) == canonical_nquads(point)


def test_a_signed_credential_verifies_after_a_trip_through_json() -> None:
    integrity.verify(json.loads(json.dumps(signed())), KEY.public)


def test_signing_repeats_exactly() -> None:
    assert signed() == signed()


@given(path=st.sampled_from(LEAVES), extra=st.characters(categories=("L", "N")))
def test_a_changed_value_is_refused(path: tuple[Any, ...], extra: str) -> None:
    document = signed()
    holder = parent_of(document, path)
    value = holder[path[-1]]
    holder[path[-1]] = (
        not value if isinstance(value, bool) else value + (extra if isinstance(value, str) else 1)
    )
    with pytest.raises(IntegrityError):
        integrity.verify(document, KEY.public)


@given(path=st.sampled_from(LEAVES))
def test_a_removed_value_is_refused(path: tuple[Any, ...]) -> None:
    document = signed()
    del parent_of(document, path)[path[-1]]
    with pytest.raises(IntegrityError):
        integrity.verify(document, KEY.public)


@given(path=st.sampled_from(LEAVES), name=TEXT, value=st.none() | st.booleans() | st.integers() | TEXT)
def test_an_added_member_is_refused_wherever_it_stands(path: tuple[Any, ...], name: str, value: Any) -> None:
    document = signed()
    holder = parent_of(document, path)
    if isinstance(holder, list):
        holder.append(value)
    elif name in holder:
        return
    else:
        holder[name] = value
    with pytest.raises(IntegrityError):
        integrity.verify(document, KEY.public)


@pytest.mark.parametrize(
    "member",
    [
        {"favouriteColour": "blue"},
        {"@included": []},
        {"https://example.org/term": "x"},
        {"endorsementJwt": ["a.b.c"]},
        {"evidence": []},
        {"validUntil": None},
        {"name": {"@value": "x"}},
        {"name": ["x", ["y"]]},
        {"creditsEarned": float("nan")},
    ],
)
def test_what_a_signature_would_not_cover_is_not_signed(member: dict[str, Any]) -> None:
    document = {**documents.ob3_credential(plain_award()), **member}
    with pytest.raises(IntegrityError) as refused:
        integrity.sign(document, KEY, METHOD, NOW)
    assert refused.value.code in ("term_undefined", "value_unsupported")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"@context": ["https://example.org/context"]}, "context_unknown"),
        ({"@context": "https://www.w3.org/ns/credentials/v2"}, "term_undefined"),
        ({"@context": [{"name": "https://example.org/name"}]}, "context_unknown"),
        ({"@context": []}, "context_unknown"),
        ({"id": "not an address"}, "iri_invalid"),
        ({"id": 'https://example.org/"><script>'}, "iri_invalid"),
        ({"id": 7}, "iri_invalid"),
        ({"type": ["VerifiableCredential", "Nonsense"]}, "term_undefined"),
        ({"type": []}, "value_unsupported"),
        ({"name": "lone \ud800 surrogate"}, "iri_invalid"),
    ],
)
def test_documents_outside_the_contexts_are_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(IntegrityError) as refused:
        canonical_nquads({**documents.ob3_credential(award()), **change})
    assert refused.value.code == code


def test_a_document_nested_without_end_is_refused() -> None:
    document = documents.ob3_credential(award())
    inner = document["credentialSubject"]
    for _ in range(100):
        inner["source"] = {"type": ["AchievementSubject"]}
        inner = inner["source"]
    with pytest.raises(IntegrityError) as refused:
        canonical_nquads(document)
    assert refused.value.code == "too_large"


def test_a_document_made_to_keep_its_reader_busy_is_refused() -> None:
    document = documents.ob3_credential(award())
    document["credentialSubject"]["source"] = [
        {"type": ["Profile"], "parentOrg": [{"type": "Profile", "name": ["twin"] * n} for n in range(1, 13)]}
        for _ in range(12)
    ]
    with pytest.raises(IntegrityError) as refused:
        canonical_nquads(document)
    assert refused.value.code == "too_alike"


def test_a_few_equal_parts_are_signed_as_the_general_path_would() -> None:
    document = documents.ob3_credential(award())
    description = document["credentialSubject"]["achievement"]["resultDescription"][0]
    description["allowedValue"] = ["low", "low", "high"]
    twin = {"type": ["Profile"], "name": "twin"}
    document["credentialSubject"]["source"] = [
        {"type": ["Profile"], "parentOrg": [dict(twin), dict(twin)]}
    ] * 2
    assert canonical_nquads(document) == general_nquads(document)


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (None, "proof_missing"),
        ([{}], "proof_missing"),
        ({"cryptosuite": "ecdsa-rdfc-2019"}, "proof_invalid"),
        ({"proofPurpose": "authentication"}, "proof_invalid"),
        ({"proofValue": "z"}, "proof_invalid"),
        ({"proofValue": "u" + "A" * 80}, "proof_invalid"),
        ({"proofValue": "z" + "0" * 88}, "proof_invalid"),
        ({"proofValue": "z" + "1" * 5_000_000}, "proof_invalid"),
        ({"proofValue": "z" + base58.b58encode(bytes(64)).decode()}, "signature_invalid"),
        ({"@context": ["https://www.w3.org/ns/credentials/v2"]}, "proof_invalid"),
        ({"verificationMethod": f"did:web:evil.example#{KEY.multibase}"}, "issuer_mismatch"),
        ({"created": "2026-09-14T08:30:01Z"}, "signature_invalid"),
    ],
)
def test_a_proof_of_another_form_or_hand_is_refused(proof: Any, code: str) -> None:
    document = signed()
    document["proof"] = {**document["proof"], **proof} if isinstance(proof, dict) else proof
    with pytest.raises(IntegrityError) as refused:
        integrity.verify(document, KEY.public)
    assert refused.value.code == code


def test_another_key_is_refused() -> None:
    with pytest.raises(IntegrityError) as refused:
        integrity.verify(signed(), IssuerKey.from_raw(bytes(32)).public)
    assert refused.value.code == "signature_invalid"


def test_a_signed_document_is_not_signed_again() -> None:
    with pytest.raises(IntegrityError) as refused:
        integrity.sign(signed(), KEY, METHOD, NOW)
    assert refused.value.code == "proof_present"


def test_signing_leaves_the_document_as_it_was() -> None:
    document = documents.ob3_credential(award())
    before = copy.deepcopy(document)
    integrity.sign(document, KEY, METHOD, NOW)
    assert document == before


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(FactsError):
        integrity.sign(documents.ob3_credential(award()), KEY, METHOD, NOW.replace(tzinfo=None))
