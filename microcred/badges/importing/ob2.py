"""Checking an Open Badges 2.0 assertion of another issuer (specification, section 8).

Hosted: what its own address answers counts, not what was handed in; class and issuer must live on the same
host, or on one that the issuer names. Signed: the key must be the issuer's, and name it as its owner.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from microcred.badges.importing.facts import Check, Learned, Web, dates, moment_of, recipient, text_of
from microcred.badges.importing.reading import Given

_HOSTED = ("HostedBadge", "hosted")
_SIGNED = ("SignedBadge", "signed")


@dataclass(frozen=True)
class _Parts:
    assertion: Mapping[str, Any]
    badge: Mapping[str, Any]
    issuer: Mapping[str, Any]
    first: Check
    """Whether the assertion is the issuer's own."""


def check(given: Given, web: Web, *, emails: Collection[str], now: datetime) -> Learned:
    """Everything about one assertion."""
    parts = _signed(given, web) if given.token else _hosted(given, web)
    assertion = parts.assertion
    ends = moment_of(assertion.get("expires"))
    begins = moment_of(assertion.get("issuedOn"))
    return Learned(
        badge_id=text_of(assertion.get("id"), 1000),
        name=text_of(parts.badge.get("name")),
        issuer_id=text_of(parts.issuer.get("id"), 1000),
        issuer_name=text_of(parts.issuer.get("name")),
        issued_at=begins,
        expires_at=ends,
        hours=None,
        version="2.0",
        document={"token": given.token} if given.token else assertion,
        checks=(
            parts.first,
            _revoked(assertion, parts, web),
            dates(begins, ends, now),
            recipient([assertion.get("recipient")], emails),
        ),
    )


def _hosted(given: Given, web: Web) -> _Parts:
    url = str(given.document.get("id", ""))
    verification = given.document.get("verification", given.document.get("verify"))
    kind = verification.get("type") if isinstance(verification, Mapping) else None
    badge = _linked(given.document.get("badge"), web)
    issuer = _linked(badge.get("issuer"), web)
    if kind in _SIGNED:
        return _Parts(given.document, badge, issuer, Check("signature", "bad", "none"))
    answer = web.get(url, "application/ld+json, application/json") if kind in (*_HOSTED, None) else None
    if answer is None:
        return _Parts(given.document, badge, issuer, Check("hosted", "unknown", "not_there"))
    served = _object(answer.body)
    if answer.status == 410 or (served or {}).get("revoked") is True:
        return _Parts({**given.document, "revoked": True}, badge, issuer, Check("hosted", "good", "served"))
    if answer.status != 200 or served is None:
        return _Parts(given.document, badge, issuer, Check("hosted", "unknown", "not_there"))
    if served.get("id") != url or "Assertion" not in _types(served):
        return _Parts(given.document, badge, issuer, Check("hosted", "bad", "changed"))
    badge = _linked(served.get("badge"), web)
    issuer = _linked(badge.get("issuer"), web)
    good = _same_place(url, badge, issuer)
    found = Check("hosted", "good", "served") if good else Check("hosted", "bad", "other_host")
    if not badge or not issuer:
        found = Check("hosted", "unknown", "issuer_not_there")
    return _Parts(served, badge, issuer, found)


def _signed(given: Given, web: Web) -> _Parts:
    assert given.token is not None
    badge = _linked(given.document.get("badge"), web)
    issuer = _linked(badge.get("issuer"), web)
    verification = given.document.get("verification", given.document.get("verify"))
    creator = (
        verification.get("creator", verification.get("url")) if isinstance(verification, Mapping) else None
    )
    key = _linked(creator or issuer.get("publicKey"), web)
    pem = key.get("publicKeyPem")
    if not issuer or not isinstance(pem, str):
        return _Parts(given.document, badge, issuer, Check("signature", "unknown", "key_not_found"))
    named = issuer.get("publicKey")
    listed = [one.get("id") if isinstance(one, Mapping) else one for one in _listed(named)]
    if key.get("owner") != issuer.get("id") or key.get("id") not in listed:
        return _Parts(given.document, badge, issuer, Check("signature", "bad", "other_key"))
    try:
        public: Any = load_pem_public_key(pem.encode())
        jwt.api_jws.decode(given.token, public, algorithms=["RS256"])
    except jwt.InvalidSignatureError:
        return _Parts(given.document, badge, issuer, Check("signature", "bad", "changed"))
    except (jwt.PyJWTError, ValueError, TypeError):
        return _Parts(given.document, badge, issuer, Check("signature", "unknown", "other_proof"))
    return _Parts(given.document, badge, issuer, Check("signature", "good", "holds"))


def _revoked(assertion: Mapping[str, Any], parts: _Parts, web: Web) -> Check:
    if assertion.get("revoked") is True:
        return Check("status", "bad", "revoked")
    if parts.first.what == "hosted":
        good = parts.first.outcome == "good"
        return (
            Check("status", "good", "not_revoked") if good else Check("status", "unknown", "status_not_there")
        )
    url = parts.issuer.get("revocationList")
    if url is None:
        return Check("status", "good", "never_revoked")
    listed = _linked(url, web).get("revokedAssertions")
    if not isinstance(listed, list):
        return Check("status", "unknown", "status_not_there")
    ids = [one.get("id") if isinstance(one, Mapping) else one for one in listed]
    revoked = assertion.get("id") in ids
    return Check("status", "bad", "revoked") if revoked else Check("status", "good", "not_revoked")


def _same_place(url: str, badge: Mapping[str, Any], issuer: Mapping[str, Any]) -> bool:
    """Whether the issuer stands behind this address (`verification.allowedOrigins`, `startsWith`)."""
    rules = issuer.get("verification")
    rules = rules if isinstance(rules, Mapping) else {}
    own = urlsplit(str(issuer.get("id", ""))).netloc
    origins = [str(one) for one in _listed(rules.get("allowedOrigins"))] or [own]
    starts = [str(one) for one in _listed(rules.get("startsWith"))]
    parts = urlsplit(url)
    if starts:
        return any(one and url.startswith(one) and urlsplit(one).netloc == parts.netloc for one in starts)
    return bool(parts.netloc) and any(parts.netloc == one.rpartition("//")[2] for one in origins)


def _linked(value: object, web: Web) -> Mapping[str, Any]:
    """A part of a badge: there as it is, or behind its address, whose answer must name itself so."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        return value
    answer = web.get(value, "application/ld+json, application/json") if isinstance(value, str) else None
    found = _object(answer.body) if answer is not None and answer.status == 200 else None
    return found if found is not None and found.get("id") == value else {}


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _types(document: Mapping[str, Any]) -> list[Any]:
    return _listed(document.get("type"))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
