"""How a wallet shows that a key is its own: a JWT (OID4VCI 1.0, appendix F.1) or a signed presentation.

Keys are named by did:key (Ed25519, P-256) or did:jwk, which need no look-up.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import base58
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from microcred.badges import integrity, keys
from microcred.badges.errors import IntegrityError

ALGORITHMS = ("EdDSA", "ES256")
_TYPE = "openid4vci-proof+jwt"
_P256 = b"\x80\x24"  # multicodec p256-pub, as a varint
_LONGEST = 16 * 1024
_OLDEST = 600
_AHEAD = 60


class ProofRefused(Exception):
    """The wallet did not show that it holds a key; `code` is the error of OID4VCI 1.0, section 8.3.1.2."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.words = words


def holder_of_jwt(
    token: object, *, audience: str, nonce_is_good: Callable[[str], bool], now: datetime
) -> str:
    """The DID of the wallet behind a key proof. Raises ProofRefused: `invalid_proof`, `invalid_nonce`."""
    if not isinstance(token, str) or len(token) > _LONGEST:
        raise ProofRefused("invalid_proof", "no token")
    try:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != _TYPE or header.get("alg") not in ALGORITHMS:
            raise ProofRefused("invalid_proof", "another type or algorithm")
        did, key = _key_of(header)
        claims = jwt.decode(
            token,
            key,
            algorithms=[header["alg"]],
            audience=audience,
            # Its moments are compared with our clock below.
            options={"require": ["aud", "iat", "nonce"], "verify_exp": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, IntegrityError) as problem:
        raise ProofRefused("invalid_proof", type(problem).__name__) from problem
    age = now.timestamp() - claims["iat"] if isinstance(claims["iat"], int | float) else _OLDEST + 1
    if not -_AHEAD <= age <= _OLDEST:
        raise ProofRefused("invalid_proof", "made at another time")
    if not isinstance(claims["nonce"], str) or not nonce_is_good(claims["nonce"]):
        raise ProofRefused("invalid_nonce", "ask for a nonce and try again")
    return did


def holder_of_presentation(presentation: object, *, challenge: str, domain: str) -> str:
    """The DID that signed an empty presentation for us. Raises ProofRefused(`invalid_proof`)."""
    if not isinstance(presentation, Mapping):
        raise ProofRefused("invalid_proof", "no presentation")
    proof = presentation.get("proof")
    proof = proof[0] if isinstance(proof, list) and len(proof) == 1 else proof
    if not isinstance(proof, Mapping):
        raise ProofRefused("invalid_proof", "one proof is needed")
    did = str(proof.get("verificationMethod", "")).partition("#")[0]
    if proof.get("challenge") != challenge or proof.get("domain") not in (domain, f"https://{domain}"):
        raise ProofRefused("invalid_proof", "made for somebody else")
    if presentation.get("holder", did) != did:
        raise ProofRefused("invalid_proof", "the holder is another")
    try:
        integrity.verify_presentation({**presentation, "proof": proof}, keys.did_key_public(did))
    except IntegrityError as problem:
        raise ProofRefused("invalid_proof", problem.code) from problem
    return did


def _key_of(header: Mapping[str, Any]) -> tuple[str, Any]:
    """DID and key of a proof's header: `kid` is a DID URL, or `jwk` the key itself."""
    kid, jwk = header.get("kid"), header.get("jwk")
    if isinstance(jwk, Mapping) and kid is None:
        public = {name: jwk[name] for name in ("crv", "kty", "x", "y") if name in jwk}
        text = json.dumps(public, separators=(",", ":"), sort_keys=True).encode()
        return f"did:jwk:{base64.urlsafe_b64encode(text).rstrip(b'=').decode()}", _from_jwk(public)
    if not isinstance(kid, str):
        raise ValueError("no key")
    did = kid.partition("#")[0]
    if did.startswith("did:jwk:"):
        text = did.removeprefix("did:jwk:").encode()
        try:
            value = json.loads(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))
        except (binascii.Error, RecursionError) as problem:
            raise ValueError("no key") from problem
        return did, _from_jwk(value)
    if did.startswith("did:key:zDn"):
        raw = base58.b58decode(did.removeprefix("did:key:z")) if len(did) < 80 else b""
        if not raw.startswith(_P256):
            raise ValueError("no P-256 key")
        return did, ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw[2:])
    return did, keys.did_key_public(did).key


def _from_jwk(value: Any) -> Any:
    if not isinstance(value, dict) or "d" in value:
        raise ValueError("no public key")
    return OKPAlgorithm.from_jwk(value) if value.get("kty") == "OKP" else ECAlgorithm.from_jwk(value)
