"""Checking an Open Badges 3.0 credential of another issuer: proof, status, dates, recipient (section 9)."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from microcred.badges import integrity, keys, status
from microcred.badges.errors import BadgeError
from microcred.badges.importing.facts import Check, Learned, Web, dates, moment_of, recipient, text_of
from microcred.badges.importing.reading import Given

_NOT_OURS = frozenset(
    {"context_unknown", "term_undefined", "value_unsupported", "too_large", "too_alike", "iri_invalid"}
)
"""What our reader does not know; another one might."""
_TOKEN_ALGORITHMS = ("RS256", "ES256", "EdDSA")


def check(given: Given, web: Web, *, emails: Collection[str], now: datetime) -> Learned:
    """Everything about one credential."""
    document = given.document
    issuer = document.get("issuer")
    issuer_id = text_of(issuer.get("id") if isinstance(issuer, Mapping) else issuer, 1000)
    subject = document.get("credentialSubject")
    subject = subject if isinstance(subject, Mapping) else {}
    achievement = subject.get("achievement")
    achievement = achievement if isinstance(achievement, Mapping) else {}
    begins = moment_of(document.get("validFrom") or document.get("issuanceDate"))
    ends = moment_of(document.get("validUntil") or document.get("expirationDate"))
    signature = _token(given.token, issuer_id, web) if given.token else _proof(document, issuer_id, web)
    earned = subject.get("creditsEarned")
    return Learned(
        badge_id=text_of(document.get("id"), 1000),
        name=text_of(achievement.get("name")) or text_of(document.get("name")),
        issuer_id=issuer_id,
        issuer_name=text_of(issuer.get("name")) if isinstance(issuer, Mapping) else "",
        issued_at=moment_of(document.get("awardedDate")) or begins,
        expires_at=ends,
        hours=int(earned) if isinstance(earned, int | float) and 1 <= earned < 10_000 else None,
        version="3.0",
        document={"token": given.token} if given.token else document,
        checks=(
            signature,
            _status(document, issuer_id, web),
            dates(begins, ends, now),
            _whose(subject, emails),
        ),
    )


def _whose(subject: Mapping[str, Any], emails: Collection[str]) -> Check:
    named = subject.get("id")
    if isinstance(named, str) and named.startswith("mailto:"):
        address = unquote(named.removeprefix("mailto:")).lower()
        if address in {email.lower() for email in emails}:
            return Check("recipient", "good", "yours")
    identities = subject.get("identifier")
    return recipient(identities if isinstance(identities, list) else [identities], emails)


def _proof(document: dict[str, Any], issuer_id: str, web: Web) -> Check:
    proofs = document.get("proof")
    candidates = proofs if isinstance(proofs, list) else [proofs]
    for proof in candidates:
        if isinstance(proof, Mapping) and proof.get("cryptosuite") == "eddsa-rdfc-2022":
            return _signed({**document, "proof": proof}, proof, web)
    return Check(
        "signature", "unknown" if any(candidates) else "bad", "other_proof" if any(candidates) else "none"
    )


def _signed(document: dict[str, Any], proof: Mapping[str, Any], web: Web) -> Check:
    key = _key(str(proof.get("verificationMethod", "")), web)
    if key is None:
        return Check("signature", "unknown", "key_not_found")
    try:
        integrity.verify(document, key)
    except BadgeError as problem:
        if problem.code in _NOT_OURS:
            return Check("signature", "unknown", "other_terms")
        return Check("signature", "bad", "changed")
    return Check("signature", "good", "holds")


def _key(method: str, web: Web) -> keys.PublicKey | None:
    """The Ed25519 key behind a verification method: did:key, did:web, or a controller document."""
    did, _, fragment = method.partition("#")
    try:
        if did.startswith("did:key:"):
            return keys.did_key_public(did)
        entry = _method(method, web)
        text = entry.get("publicKeyMultibase") if entry else None
        return keys.PublicKey.from_multibase(text) if isinstance(text, str) and fragment else None
    except BadgeError:
        return None


def _method(method: str, web: Web) -> Mapping[str, Any] | None:
    """A verification method for assertions, from its controller's document."""
    owner = method.partition("#")[0]
    url = _did_web_url(owner) if owner.startswith("did:web:") else owner if owner.startswith("http") else None
    document = _json(url, web) if url else None
    if document is None or document.get("id") != owner:
        return None
    listed = document.get("assertionMethod")
    named = listed if isinstance(listed, list) else [listed]
    methods = document.get("verificationMethod")
    for entry in [*(methods if isinstance(methods, list) else [methods]), *named]:
        if isinstance(entry, Mapping) and entry.get("id") in (method, f"#{method.partition('#')[2]}"):
            allowed = entry in named or method in named or entry.get("id") in named
            return entry if allowed else None
    return None


def _did_web_url(did: str) -> str | None:
    parts = did.removeprefix("did:web:").split(":")
    host = unquote(parts[0])
    if not host or "/" in host or any(not part or "/" in part for part in parts[1:]):
        return None
    # Where plain http and loopback are allowed at all (development), the way out decides.
    scheme = "http" if host.startswith(("127.0.0.1", "localhost")) else "https"
    return f"{scheme}://{host}/{'/'.join(parts[1:]) if parts[1:] else '.well-known'}/did.json"


def _token(token: str, issuer_id: str, web: Web) -> Check:
    """A VC-JWT: its key must be the issuer's, by a DID or by an address on the issuer's own host."""
    try:
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        if header.get("alg") not in _TOKEN_ALGORITHMS or not isinstance(kid, str):
            return Check("signature", "unknown", "key_not_found")
        jwk = _jwk(kid, issuer_id, web)
        if jwk is None:
            return Check("signature", "unknown", "key_not_found")
        reader: Any = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}[jwk["kty"]]
        options: Any = {"verify_exp": False, "verify_nbf": False, "verify_aud": False, "verify_iat": False}
        claims = jwt.decode(token, reader.from_jwk(dict(jwk)), algorithms=[header["alg"]], options=options)
    except jwt.InvalidSignatureError:
        return Check("signature", "bad", "changed")
    except (jwt.PyJWTError, ValueError, KeyError, TypeError):
        return Check("signature", "unknown", "other_proof")
    return (
        Check("signature", "good", "holds")
        if claims.get("iss") == issuer_id
        else Check("signature", "bad", "changed")
    )


def _jwk(kid: str, issuer_id: str, web: Web) -> Mapping[str, Any] | None:
    owner = kid.partition("#")[0]
    if owner == issuer_id and "#" in kid:
        entry = _method(kid, web)
        jwk = entry.get("publicKeyJwk") if entry else None
        return jwk if isinstance(jwk, Mapping) else None
    host = _host_of(issuer_id)
    if host is None or urlsplit(kid).netloc.lower() != host:
        return None
    return _json(kid, web)


def _host_of(issuer_id: str) -> str | None:
    if issuer_id.startswith("did:web:"):
        return unquote(issuer_id.split(":")[2]).lower()
    return urlsplit(issuer_id).netloc.lower() or None


def _status(document: Mapping[str, Any], issuer_id: str, web: Web) -> Check:
    entry = document.get("credentialStatus")
    if entry is None:
        return Check("status", "good", "never_revoked")
    if not isinstance(entry, Mapping):
        return Check("status", "unknown", "other_status")
    if entry.get("type") == "1EdTechRevocationList":
        return _revocation_list(document, str(entry.get("id", "")), web)
    if entry.get("type") != "BitstringStatusListEntry":
        return Check("status", "unknown", "other_status")
    listed = _json(str(entry.get("statusListCredential", "")), web)
    if listed is None:
        return Check("status", "unknown", "status_not_there")
    if _proof(listed, issuer_id, web).outcome != "good":
        return Check("status", "unknown", "status_not_signed")
    try:
        revoked = status.entry_is_revoked(document, listed)
    except BadgeError:
        return Check("status", "unknown", "other_status")
    return Check("status", "bad", "revoked") if revoked else Check("status", "good", "not_revoked")


def _revocation_list(document: Mapping[str, Any], url: str, web: Web) -> Check:
    listed = _json(url, web)
    rows = listed.get("revokedCredential") if listed else None
    if not isinstance(rows, list):
        return Check("status", "unknown", "status_not_there")
    ids = [row.get("id") if isinstance(row, Mapping) else row for row in rows]
    revoked = document.get("id") in ids
    return Check("status", "bad", "revoked") if revoked else Check("status", "good", "not_revoked")


def _json(url: str, web: Web) -> dict[str, Any] | None:
    answer = web.get(url)
    if answer is None or answer.status != 200:
        return None
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
