"""Data Integrity proofs of the suite eddsa-rdfc-2022 (Data Integrity EdDSA Cryptosuites 1.0, section 3.1).

The bytes signed are SHA-256 of the canonical proof options followed by SHA-256 of the canonical document. The
proof is a single object, the form that every verifier we know accepts.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import base58

from microcred.badges.errors import IntegrityError
from microcred.badges.keys import IssuerKey, PublicKey
from microcred.badges.linked_data import canonical_nquads
from microcred.badges.values import moment

_SUITE = "eddsa-rdfc-2022"
_SIGNATURE_LENGTH = 64


def sign(
    document: Mapping[str, Any], key: IssuerKey, verification_method: str, created: datetime
) -> dict[str, Any]:
    """A copy of the document with its proof.

    `verification_method` is the address of the key (`did:…#z6Mk…`); `created` is cut to seconds. Raises
    IntegrityError as `linked_data.canonical_nquads`, or `proof_present`; FactsError `dates` for a moment
    without a zone.
    """
    if "proof" in document:
        raise IntegrityError("proof_present", "the document already has a proof")
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": _SUITE,
        "created": moment(created),
        "verificationMethod": verification_method,
        "proofPurpose": "assertionMethod",
    }
    signature = key.sign(_signed_bytes(document, proof))
    return {**document, "proof": {**proof, "proofValue": "z" + base58.b58encode(signature).decode("ascii")}}


def verify(document: Mapping[str, Any], public_key: PublicKey) -> None:
    """Returns when the document's proof was made over exactly this document by this key, for its own issuer.

    Dates and status are not looked at. Raises IntegrityError: `proof_missing`, `proof_invalid` (its form),
    `issuer_mismatch` (the key named is not the issuer's), `signature_invalid`, or as `canonical_nquads`.
    """
    proof, options = _proof_of(document)
    signature = _signature(proof, "assertionMethod")
    method = options.get("verificationMethod")
    issuer = document.get("issuer")
    issuer_id = issuer.get("id") if isinstance(issuer, Mapping) else issuer
    if not isinstance(method, str) or method.partition("#")[0] != issuer_id:
        raise IntegrityError("issuer_mismatch", "the proof names a key that is not the issuer's")
    _check(document, options, signature, public_key)


def verify_presentation(document: Mapping[str, Any], public_key: PublicKey) -> None:
    """The same for what a wallet signed to show that a key is its own (`authentication`).

    Whose key it is, challenge and domain are the caller's to compare. Raises IntegrityError as `verify`.
    """
    proof, options = _proof_of(document)
    _check(document, options, _signature(proof, "authentication"), public_key)


def _proof_of(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The proof, and its options as they were signed."""
    proof = document.get("proof")
    if not isinstance(proof, Mapping):
        raise IntegrityError("proof_missing", "the document has no single proof")
    return proof, {name: value for name, value in proof.items() if name != "proofValue"}


def _check(
    document: Mapping[str, Any], options: Mapping[str, Any], signature: bytes, public_key: PublicKey
) -> None:
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    if not public_key.holds(signature, _signed_bytes(unsigned, options)):
        raise IntegrityError("signature_invalid", "the document is not what was signed")


def _signature(proof: Mapping[str, Any], purpose: str) -> bytes:
    expected = {
        "type": "DataIntegrityProof",
        "cryptosuite": _SUITE,
        "proofPurpose": purpose,
    }
    value = proof.get("proofValue")
    if any(proof.get(name) != wanted for name, wanted in expected.items()) or not isinstance(value, str):
        raise IntegrityError("proof_invalid", f"the proof is not a {_SUITE} assertion")
    try:
        signature = base58.b58decode(value[1:]) if value.startswith("z") and len(value) < 100 else b""
    except ValueError as problem:
        raise IntegrityError("proof_invalid", "the proof value is not base58") from problem
    if len(signature) != _SIGNATURE_LENGTH:
        raise IntegrityError("proof_invalid", "the proof value is not a signature")
    return signature


def _signed_bytes(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    names = document.get("@context")
    context = tuple(names) if isinstance(names, list) else (names,)
    # Proof options are read in the document's own contexts, whether or not the proof repeats them.
    if options.get("@context", names) != names:
        raise IntegrityError("proof_invalid", "the proof has contexts of its own")
    canonical_document = canonical_nquads(document)
    canonical_options = canonical_nquads(options, context=context)
    return hashlib.sha256(canonical_options).digest() + hashlib.sha256(canonical_document).digest()
