"""Bitstring status lists (W3C Bitstring Status List 1.0): one bit per badge, set when it is revoked.

A list has at least 131,072 bits, so that asking for it does not say whose badge is being checked; the caller
hands out random free indexes for the same reason.
"""

import base64
import binascii
import gzip
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from microcred.badges.errors import StatusError
from microcred.badges.values import moment
from microcred.badges.vocabulary import CREDENTIALS_V2

MINIMUM_BITS = 131_072
_MAXIMUM_BITS = 1 << 24


def encoded_list(revoked: Iterable[int], size: int = MINIMUM_BITS) -> str:
    """`u` and the base64url of the compressed bits, bit 0 leftmost (section 3.3). Same input, same text.

    Raises StatusError `size_invalid` or `index_invalid`.
    """
    if size < MINIMUM_BITS or size > _MAXIMUM_BITS or size % 8:
        raise StatusError("size_invalid", f"a status list cannot have {size} bits")
    bits = bytearray(size // 8)
    for index in revoked:
        if not 0 <= index < size:
            raise StatusError("index_invalid", f"no bit {index} in a list of {size}")
        bits[index // 8] |= 0x80 >> index % 8
    packed = gzip.compress(bytes(bits), mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def is_revoked(encoded: str, index: int) -> bool:
    """Reads one bit (section 3.4). Raises StatusError `list_invalid` or `index_invalid`."""
    bits = _decoded(encoded)
    if not 0 <= index < len(bits) * 8:
        raise StatusError("index_invalid", f"no bit {index} in the list")
    return bool(bits[index // 8] & 0x80 >> index % 8)


def list_credential(
    *,
    url: str,
    issuer_did: str,
    revoked: Iterable[int],
    valid_from: datetime,
    size: int = MINIMUM_BITS,
    valid_for: timedelta | None = None,
) -> dict[str, Any]:
    """The unsigned BitstringStatusListCredential served at `url` (section 2.2); the issuer's key signs it."""
    credential = {
        "@context": [CREDENTIALS_V2],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer_did,
        "validFrom": moment(valid_from),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded_list(revoked, size),
        },
    }
    if valid_for is not None:
        credential["validUntil"] = moment(valid_from + valid_for)
    return credential


def entry_is_revoked(credential: Mapping[str, Any], status_list: Mapping[str, Any]) -> bool:
    """Whether a badge is revoked by its (verified) status list credential of the same issuer.

    Raises StatusError `list_mismatch` when the list is not the one that the badge names.
    """
    entry, subject = credential.get("credentialStatus"), status_list.get("credentialSubject")
    if not isinstance(entry, Mapping) or not isinstance(subject, Mapping):
        raise StatusError("list_mismatch", "the badge or the list has no status")
    issuer = credential.get("issuer")
    issuer_did = issuer.get("id") if isinstance(issuer, Mapping) else issuer
    same = (
        entry.get("statusListCredential") == status_list.get("id")
        and entry.get("statusPurpose") == subject.get("statusPurpose") == "revocation"
        and status_list.get("issuer") == issuer_did
    )
    index, encoded = entry.get("statusListIndex"), subject.get("encodedList")
    if not same or not isinstance(index, str) or not index.isdecimal() or not isinstance(encoded, str):
        raise StatusError("list_mismatch", "the list is not the one that the badge names")
    return is_revoked(encoded, int(index[:10]))


def _decoded(encoded: str) -> bytes:
    """The bits. Reads no more than a list may hold, however small the text that claims more."""
    try:
        if not encoded.startswith("u"):
            raise ValueError("not base64url multibase")
        text = encoded[1:].encode("ascii")
        packed = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        reader = zlib.decompressobj(wbits=31)
        bits = reader.decompress(packed, _MAXIMUM_BITS // 8 + 1)
    except (ValueError, binascii.Error, zlib.error) as problem:
        raise StatusError("list_invalid", "the status list cannot be read") from problem
    if not reader.eof or not MINIMUM_BITS // 8 <= len(bits) <= _MAXIMUM_BITS // 8:
        raise StatusError("list_invalid", "the status list is cut off, too short or too long")
    return bits
