"""A credential as VC-JWT with RS256 (Open Badges 3.0, section 8.2.4, JSON Web Token Proof Format).

The payload is the credential itself with the registered claims beside it; the header says `alg`, `typ` and
the address of the key, nothing else. It needs `credentialSubject.id`, so it exists only where the holder
shows an id.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jwt

from microcred.badges.errors import IntegrityError
from microcred.badges.rsa_keys import RsaKey


def sign(document: Mapping[str, Any], key: RsaKey, kid: str) -> str:
    """The unsigned credential `document` as a compact token; `kid` is the address of the public JWK.

    Raises IntegrityError `subject_missing`, or `proof_present` for a document that is signed already.
    """
    subject = document["credentialSubject"].get("id")
    if not subject:
        raise IntegrityError("subject_missing", "a VC-JWT needs an id of its subject")
    if "proof" in document:
        raise IntegrityError("proof_present", "the document already has a proof")
    claims = {
        **document,
        "iss": document["issuer"]["id"],
        "jti": document["id"],
        "sub": subject,
        "nbf": _seconds(document["validFrom"]),
    }
    if "validUntil" in document:
        claims["exp"] = _seconds(document["validUntil"])
    return jwt.encode(claims, key.private_key, algorithm="RS256", headers={"kid": kid, "typ": "JWT"})


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())
