"""Issuer keys as Multikey, and the did:web or did:key that an issuer is known by."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from microcred.badges import keys
from microcred.badges.errors import IntegrityError
from tests.unit.badges.samples import KEY


def test_a_key_goes_through_every_form_unchanged() -> None:
    assert keys.IssuerKey.from_pem(KEY.pem()).raw() == KEY.raw() == bytes(range(32))
    assert keys.PublicKey.from_multibase(KEY.multibase).multibase == KEY.multibase
    assert keys.PublicKey.from_multibase(KEY.multibase).holds(KEY.sign(b"text"), b"text")
    assert not KEY.public.holds(KEY.sign(b"text"), b"other text")


def test_the_multibase_is_that_of_the_specification() -> None:
    # Open Badges 3.0 Implementation Guide: seed and key of the linked data proof example.
    seed = bytes.fromhex("6241a409e6707bb640a0140a8a32bc3d193c33a661747284d6adfa4ed4180be4")
    assert keys.IssuerKey.from_raw(seed).multibase == "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"


def test_generated_keys_differ() -> None:
    assert keys.IssuerKey.generate().multibase != keys.IssuerKey.generate().multibase


@pytest.mark.parametrize("text", ["", "z", "z6Mk", "u6MkjZ", "z0OIl", "z" + "1" * 47, "é", "z" + "9" * 9999])
def test_what_is_no_multikey_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError) as refused:
        keys.PublicKey.from_multibase(text)
    assert refused.value.code == "key_invalid"


def test_a_pem_of_another_kind_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for pem in (other, b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(IntegrityError):
            keys.IssuerKey.from_pem(pem)


@pytest.mark.parametrize(
    ("url", "path", "did"),
    [
        ("https://badges.example.org", "", "did:web:badges.example.org"),
        ("https://badges.example.org/", "ob/issuers/7", "did:web:badges.example.org:ob:issuers:7"),
        ("https://Badges.Example.org:8443", "ob/issuers/7", "did:web:badges.example.org%3A8443:ob:issuers:7"),
        ("https://example.org/micro/", "ob/issuers/a b", "did:web:example.org:micro:ob:issuers:a%20b"),
        ("https://bücher.example.org", "", "did:web:xn--bcher-kva.example.org"),
    ],
)
def test_did_web_names_the_address_of_its_document(url: str, path: str, did: str) -> None:
    assert keys.did_web(url, path) == did


@pytest.mark.parametrize(
    ("url", "test"),
    [
        ("https://badges.example.org", False),
        ("https://badges.example.org:8443/base", False),
        ("http://badges.example.org", True),
        ("https://127.0.0.1:8000", True),
        ("https://203.0.113.7", True),
        ("https://[2001:db8::1]", True),
        ("https://localhost", True),
        ("https://tool.localhost", True),
        ("https://intranet", True),
        ("https://tool.local", True),
        ("https://", True),
    ],
)
def test_only_a_public_https_name_makes_real_badges(url: str, test: bool) -> None:
    identity = keys.issuer_identity(url, "iss-1", KEY)
    assert identity.test is keys.is_test_address(url) is test
    assert identity.did.startswith("did:key:" if test else "did:web:")
    assert identity.verification_method == f"{identity.did}#{KEY.multibase}"


def test_a_did_document_lists_retired_keys_too() -> None:
    old = keys.IssuerKey.from_raw(bytes(32))
    document = keys.did_document("did:web:badges.example.org", [KEY.public, old.public])
    assert document["assertionMethod"] == [
        f"did:web:badges.example.org#{KEY.multibase}",
        f"did:web:badges.example.org#{old.multibase}",
    ]
    assert [method["publicKeyMultibase"] for method in document["verificationMethod"]] == [
        KEY.multibase,
        old.multibase,
    ]


def test_a_did_key_is_its_key() -> None:
    identity = keys.issuer_identity("http://127.0.0.1:8000", "iss-1", KEY)
    assert keys.did_key_public(identity.did).multibase == KEY.multibase
    with pytest.raises(IntegrityError):
        keys.did_key_public("did:web:example.org")
