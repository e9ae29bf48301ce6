"""Tokens: the credential with its claims beside it, and nothing in the header that need not be there."""

from dataclasses import replace
from typing import Any

import jwt
import pytest

from microcred.badges import documents, vc_jwt
from microcred.badges.errors import IntegrityError
from microcred.badges.rsa_keys import RsaKey
from tests.unit.badges.samples import award

KEY = RsaKey.generate()
KID = "https://badges.example.org/ob/issuers/i/keys/k"


def unsigned() -> dict[str, Any]:
    facts = award()
    return documents.ob3_credential(
        replace(facts, recipient=replace(facts.recipient, subject_id="mailto:pat@example.org"))
    )


def test_the_claims_repeat_the_credential() -> None:
    document = unsigned()
    token = vc_jwt.sign(document, KEY, KID)
    claims = jwt.decode(token, KEY.private_key.public_key(), ["RS256"], options={"verify_nbf": False})
    assert {name: claims.pop(name) for name in ("iss", "jti", "sub", "nbf", "exp")} == {
        "iss": document["issuer"]["id"],
        "jti": document["id"],
        "sub": "mailto:pat@example.org",
        "nbf": 1789374600,
        "exp": 1883919600,
    }
    assert claims == document
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": KID}


def test_the_same_badge_gives_the_same_token() -> None:
    assert vc_jwt.sign(unsigned(), KEY, KID) == vc_jwt.sign(unsigned(), KEY, KID)


def test_without_a_subject_or_over_a_proof_there_is_no_token() -> None:
    with pytest.raises(IntegrityError, match="subject_missing"):
        vc_jwt.sign(documents.ob3_credential(award()), KEY, KID)
    with pytest.raises(IntegrityError, match="proof_present"):
        vc_jwt.sign({**unsigned(), "proof": {}}, KEY, KID)


def test_a_key_is_stored_and_found_again_and_shows_only_its_public_half() -> None:
    assert RsaKey.from_der(KEY.der()).thumbprint == KEY.thumbprint
    assert set(KEY.public_jwk(KID)) == {"kty", "n", "e", "kid", "alg", "use"}
    assert (
        jwt.PyJWK(KEY.public_jwk(KID)).key.public_numbers() == KEY.private_key.public_key().public_numbers()
    )
    with pytest.raises(ValueError):
        RsaKey.from_der(b"not a key")
