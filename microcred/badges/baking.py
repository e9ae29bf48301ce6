"""Badges in pictures: a PNG that carries its own OB 2.0 assertion and OB 3.0 credential.

Each version has an uncompressed iTXt chunk of its own with a fixed keyword (Open Badges Baking 2.0; OB
3.0, Document Formats, section 5.3.1), at most one of each. The picture's other chunks are copied as they
are.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from microcred.badges.errors import BakingError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_OB2, _OB3 = b"openbadges", b"openbadgecredential"
MAX_FILE = 8 * 1024 * 1024
MAX_TEXT = 1024 * 1024
_MAX_CHUNKS = 4096


@dataclass(frozen=True)
class BakedBadge:
    """What a picture carries: the text of each version, or None."""

    ob2: str | None
    ob3: str | None


def bake(png: bytes, *, ob2: str, ob3: str) -> bytes:
    """The picture with both texts in it, in place of any it carried before.

    Raises BakingError `not_a_png`, `chunk_invalid`, `too_large`.
    """
    added = _itxt(_OB2, ob2) + _itxt(_OB3, ob3)
    parts = [_SIGNATURE]
    for kind, data in _chunks(png):
        if kind == b"iTXt" and _keyword(data) in (_OB2, _OB3):
            continue
        if kind == b"IEND":
            # After the pixels: a reader that streams the picture shows it before it meets the text.
            parts.append(added)
        parts.append(_chunk(kind, data))
    return b"".join(parts)


def extract(png: bytes) -> BakedBadge:
    """The texts that the picture carries.

    Raises BakingError as `bake`, and `badge_doubled` (two chunks of one keyword) or `text_invalid`
    (compressed, or not UTF-8).
    """
    found: dict[bytes, str] = {}
    for kind, data in _chunks(png):
        keyword = _keyword(data)
        if kind != b"iTXt" or keyword not in (_OB2, _OB3):
            continue
        if keyword in found:
            raise BakingError("badge_doubled", "the picture carries two badges of one version")
        found[keyword] = _text(data)
    return BakedBadge(ob2=found.get(_OB2), ob3=found.get(_OB3))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every chunk from IHDR to IEND, checked; bytes after IEND are not part of the picture."""
    if len(png) > MAX_FILE:
        raise BakingError("too_large", f"the picture has more than {MAX_FILE} bytes")
    if not png.startswith(_SIGNATURE):
        raise BakingError("not_a_png", "the file is not a PNG")
    place = len(_SIGNATURE)
    for number in range(_MAX_CHUNKS):
        if len(png) - place < 12:
            raise BakingError("chunk_invalid", "the picture is cut off")
        (length,) = struct.unpack_from(">I", png, place)
        kind = png[place + 4 : place + 8]
        if length > len(png) - place - 12 or (number == 0) != (kind == b"IHDR"):
            raise BakingError("chunk_invalid", "a chunk is longer than the file or out of place")
        data = png[place + 8 : place + 8 + length]
        (crc,) = struct.unpack_from(">I", png, place + 8 + length)
        if crc != zlib.crc32(kind + data):
            raise BakingError("chunk_invalid", "a chunk is damaged")
        yield kind, data
        place += 12 + length
        if kind == b"IEND":
            return
    raise BakingError("chunk_invalid", f"the picture has more than {_MAX_CHUNKS} chunks")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _itxt(keyword: bytes, text: str) -> bytes:
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError as problem:
        raise BakingError("text_invalid", "the badge's text is not Unicode") from problem
    if len(encoded) > MAX_TEXT:
        raise BakingError("too_large", f"the badge's text has more than {MAX_TEXT} bytes")
    if b"\0" in encoded:
        raise BakingError("text_invalid", "the badge's text has a null character")
    # keyword, NUL, not compressed, method 0, no language, no translated keyword, text (PNG, 11.3.3.4)
    return _chunk(b"iTXt", keyword + b"\0\0\0\0\0" + encoded)


def _keyword(data: bytes) -> bytes:
    return data[:80].partition(b"\0")[0]


def _text(data: bytes) -> str:
    _, _, rest = data.partition(b"\0")
    if rest[:1] != b"\0" or len(rest) > MAX_TEXT:
        raise BakingError("text_invalid", "the badge in the picture is compressed or too long")
    _, language_end, rest = rest[2:].partition(b"\0")
    _, keyword_end, text = rest.partition(b"\0")
    try:
        if not language_end or not keyword_end:
            raise ValueError("cut off")
        return text.decode("utf-8")
    except ValueError as problem:
        raise BakingError("text_invalid", "the badge in the picture is not readable text") from problem
