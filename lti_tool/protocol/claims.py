"""The OIDC claims of an id_token (Security Framework 5.1.3), checked in its order with the signature already
verified.
"""

import hmac
import math
from collections.abc import Mapping
from typing import Any

from lti_tool.errors import LtiRefused
from lti_tool.facts import RegistrationFacts

LEEWAY = 60
"""Seconds that two clocks may differ."""
OLDEST = 3600
"""Seconds since `iat` after which a token is `token_too_old`."""

Claims = Mapping[str, Any]


def check_oidc(claims: Claims, facts: RegistrationFacts, nonce: str, now: float) -> None:
    """iss, aud, azp, exp, iat, nbf, nonce, in this order. Raises LtiRefused."""
    given = check_unasked(claims, facts, now)
    if not hmac.compare_digest(given.encode("utf-8", "replace"), nonce.encode()):
        raise LtiRefused("nonce_mismatch")


def check_unasked(claims: Claims, facts: RegistrationFacts, now: float) -> str:
    """The same for a message that no login asked for (a notice); gives its nonce. Raises LtiRefused."""
    check_issuer(claims.get("iss"), facts)
    _check_audience(claims, facts)
    _check_times(claims, now)
    given = claims.get("nonce")
    if given is None or given == "":
        raise LtiRefused("nonce_missing")
    if not isinstance(given, str):
        raise LtiRefused("claim_invalid", detail="nonce")
    return given


def check_issuer(issuer: object, facts: RegistrationFacts) -> None:
    """`iss` equals the registered issuer, letter by letter. Raises LtiRefused."""
    if issuer is None:
        raise LtiRefused("claim_missing", detail="iss")
    if issuer != facts.issuer:
        raise LtiRefused("iss_mismatch")


def audiences(claims: Claims) -> list[str]:
    """`aud` as a list. Raises LtiRefused."""
    aud = claims.get("aud")
    if aud is None or aud == "" or aud == []:
        raise LtiRefused("aud_missing")
    values = aud if isinstance(aud, list) else [aud]
    if not all(isinstance(value, str) for value in values):
        raise LtiRefused("claim_invalid", detail="aud")
    return values


def _check_audience(claims: Claims, facts: RegistrationFacts) -> None:
    named = set(audiences(claims))
    if facts.client_id not in named or not named <= {facts.client_id, *facts.trusted_audiences}:
        raise LtiRefused("aud_mismatch")
    azp = claims.get("azp")
    if azp is None and len(named) == 1:
        return
    if azp != facts.client_id:
        raise LtiRefused("azp_mismatch")


def _check_times(claims: Claims, now: float) -> None:
    exp, iat = _moment(claims, "exp"), _moment(claims, "iat")
    if exp is None:
        raise LtiRefused("claim_missing", detail="exp")
    if exp <= now - LEEWAY:
        raise LtiRefused("token_expired")
    if iat is None:
        raise LtiRefused("claim_missing", detail="iat")
    if iat > now + LEEWAY:
        raise LtiRefused("token_not_yet_valid")
    if iat < now - OLDEST - LEEWAY:
        raise LtiRefused("token_too_old")
    nbf = _moment(claims, "nbf")
    if nbf is not None and nbf > now + LEEWAY:
        raise LtiRefused("token_not_yet_valid")


def _moment(claims: Claims, name: str) -> float | None:
    """A NumericDate (RFC 7519 2). Raises LtiRefused(claim_invalid)."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LtiRefused("claim_invalid", detail=name)
    if isinstance(value, float) and not math.isfinite(value):
        raise LtiRefused("claim_invalid", detail=name)
    # Beyond any date; a whole number may also be too large for a float.
    return float(min(max(value, -(2**53)), 2**53))
