"""Reading a compact JWS as strictly as possible (RFC 7515), and checking its signature with a key that was
chosen beforehand.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from lti_tool.errors import LtiRefused

MAX_TOKEN = 256 * 1024
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+\Z")
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "RS256": hashes.SHA256(),
    "RS384": hashes.SHA384(),
    "RS512": hashes.SHA512(),
}
_PKCS1 = padding.PKCS1v15()


@dataclass(frozen=True)
class Jws:
    """A token taken apart, nothing verified: its header's alg and kid, what is signed, and the two raw
    segments.
    """

    alg: str
    kid: str
    signed: bytes
    payload: str
    signature: str


def take_apart(token: str, algorithms: Iterable[str]) -> Jws:
    """Size, three segments, header: in that order. Raises LtiRefused.

    `algorithms` are those that any registration may allow; whether this one does is asked again once it is
    known.
    """
    if len(token) > MAX_TOKEN:
        raise LtiRefused("token_too_large")
    segments = token.split(".")
    if len(segments) != 3 or not segments[0] or not segments[1]:
        raise LtiRefused("token_malformed")
    header = _header(segments[0])
    alg, kid = header.get("alg"), header.get("kid")
    if not isinstance(alg, str) or "crit" in header or "b64" in header:
        raise LtiRefused("token_malformed")
    if alg not in algorithms:
        raise LtiRefused("alg_not_allowed")
    if kid is None or kid == "":
        raise LtiRefused("kid_missing")
    if not isinstance(kid, str) or len(kid) > 512:
        raise LtiRefused("token_malformed")
    if not _SEGMENT.match(segments[1]) or not _SEGMENT.match(segments[2]):
        raise LtiRefused("token_malformed")
    signed = f"{segments[0]}.{segments[1]}".encode("ascii")
    return Jws(alg, kid, signed, segments[1], segments[2])


def is_signed_by(jws: Jws, key: RSAPublicKey) -> bool:
    """Whether `key` made the signature."""
    try:
        key.verify(decode_segment(jws.signature), jws.signed, _PKCS1, _HASHES[jws.alg])
    except InvalidSignature:
        return False
    return True


def claims_of(jws: Jws) -> dict[str, Any]:
    """The payload as a JSON object without duplicate names. Raises LtiRefused(token_malformed)."""
    return _object(decode_segment(jws.payload))


def unverified_claim(jws: Jws, name: str) -> object:
    """One claim before verification, for a clearer refusal only; None where it cannot be read."""
    try:
        return claims_of(jws).get(name)
    except LtiRefused:
        return None


def decode_segment(segment: str) -> bytes:
    """Base64url without padding, one reading only. Raises LtiRefused(token_malformed)."""
    if not _SEGMENT.match(segment) or len(segment) % 4 == 1:
        raise LtiRefused("token_malformed")
    try:
        data = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise LtiRefused("token_malformed") from error
    return data


def _header(segment: str) -> dict[str, Any]:
    if len(segment) > 8192:
        raise LtiRefused("token_malformed")
    return _object(decode_segment(segment))


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise LtiRefused("token_malformed") from error
    if not isinstance(value, dict):
        raise LtiRefused("token_malformed")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate member name")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
"""JSON as RFC 8259 has it: no NaN, no Infinity, and no object that two readers could read differently."""
