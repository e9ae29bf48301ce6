"""Status lists: every bit is where the specification puts it, and no list can exhaust its reader."""

import base64
import gzip
import zlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microcred.badges import documents, integrity, status
from microcred.badges.errors import StatusError
from microcred.badges.linked_data import canonical_nquads
from tests.unit.badges.general_path import general_nquads
from tests.unit.badges.samples import KEY, NOW, award

INDEXES = st.integers(min_value=0, max_value=status.MINIMUM_BITS - 1)


def encoded(data: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def list_of(*revoked: int) -> dict[str, Any]:
    facts = award()
    return status.list_credential(
        url=facts.status.list_url, issuer_did=facts.issuer_did, revoked=revoked, valid_from=NOW
    )


def test_an_empty_list_is_that_of_the_specification() -> None:
    # Bitstring Status List 1.0, example 4: the compressed form may differ, the bits not.
    example = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
    assert not any(status.is_revoked(example, index) for index in range(0, status.MINIMUM_BITS, 97))
    packed = status.encoded_list([])
    assert gzip.decompress(base64.urlsafe_b64decode(packed[1:] + "==")) == bytes(16_384)


def test_bit_zero_is_the_leftmost() -> None:
    packed = status.encoded_list([0, 9])
    assert gzip.decompress(base64.urlsafe_b64decode(packed[1:] + "=="))[:3] == b"\x80\x40\x00"


@given(revoked=st.sets(INDEXES, max_size=40), others=st.sets(INDEXES, max_size=40))
@settings(max_examples=30)
def test_exactly_the_revoked_bits_are_set(revoked: set[int], others: set[int]) -> None:
    packed = status.encoded_list(revoked)
    assert all(status.is_revoked(packed, index) for index in revoked)
    assert not any(status.is_revoked(packed, index) for index in others - revoked)


def test_equal_lists_are_equal_texts() -> None:
    assert status.encoded_list([5, 3]) == status.encoded_list((3, 5))


@pytest.mark.parametrize("index", [-1, status.MINIMUM_BITS])
def test_a_bit_outside_the_list_is_refused(index: int) -> None:
    with pytest.raises(StatusError) as refused:
        status.encoded_list([index])
    assert refused.value.code == "index_invalid"
    with pytest.raises(StatusError):
        status.is_revoked(status.encoded_list([]), index)


@pytest.mark.parametrize("size", [0, 8, status.MINIMUM_BITS - 8, status.MINIMUM_BITS + 1, 1 << 25])
def test_a_list_of_a_wrong_size_is_refused(size: int) -> None:
    with pytest.raises(StatusError) as refused:
        status.encoded_list([], size)
    assert refused.value.code == "size_invalid"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "u",
        "z" + status.encoded_list([])[1:],
        "u!!!",
        "ué",
        encoded(b"not compressed"),
        encoded(gzip.compress(bytes(100), mtime=0)),
        encoded(gzip.compress(bytes(16_384), mtime=0)[:-12]),
        encoded(zlib.compress(bytes(16_384))),
        encoded(gzip.compress(bytes(64 * 1024 * 1024), mtime=0)),
    ],
)
def test_an_unreadable_short_or_endless_list_is_refused(text: str) -> None:
    with pytest.raises(StatusError) as refused:
        status.is_revoked(text, 0)
    assert refused.value.code == "list_invalid"


def test_a_list_credential_is_signed_like_a_badge() -> None:
    unsigned = list_of(1, 2)
    method = f"{award().issuer_did}#{KEY.multibase}"
    signed = integrity.sign(unsigned, KEY, method, NOW)
    integrity.verify(signed, KEY.public)
    assert canonical_nquads(unsigned) == general_nquads(unsigned)


def test_a_badge_is_revoked_when_its_own_bit_is_set() -> None:
    credential = documents.ob3_credential(award(index=94_567))
    assert status.entry_is_revoked(credential, list_of(94_567))
    assert not status.entry_is_revoked(credential, list_of(94_566, 94_568))


@pytest.mark.parametrize(
    "change",
    [
        {"id": "https://badges.example.org/ob/status/2"},
        {"issuer": "did:web:evil.example"},
        {"credentialSubject": {"statusPurpose": "suspension", "encodedList": status.encoded_list([])}},
        {"credentialSubject": None},
    ],
)
def test_another_list_says_nothing_about_a_badge(change: dict[str, Any]) -> None:
    with pytest.raises(StatusError) as refused:
        status.entry_is_revoked(documents.ob3_credential(award()), {**list_of(), **change})
    assert refused.value.code == "list_mismatch"


def test_a_list_may_end() -> None:
    facts = award()
    ending = status.list_credential(
        url=facts.status.list_url,
        issuer_did=facts.issuer_did,
        revoked=[],
        valid_from=NOW,
        valid_for=timedelta(hours=1),
    )
    assert ending["validUntil"] == "2026-09-14T09:30:00Z"
