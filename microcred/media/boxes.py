"""Location data out of MP4, QuickTime, 3GP and M4A (ISO/IEC 14496-12), in place: a box that may hold it
becomes a `free` box of the same length, so that no other byte moves, however long the recording.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_TELLING = frozenset({b"udta", b"meta"})
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_INSIDE = frozenset({b"moov", b"trak", b"mdia"})
_MARKS = (b"\xa9xyz", b"loci", b"location", b"GPS", b"LatLon")
_LARGEST_BLANKED = 64 * 1024 * 1024
_MOST_BOXES = 20_000
_DEEPEST = 6


class Unreadable(Exception):
    """The boxes are cut off, or end beyond one another."""


@dataclass(frozen=True)
class Found:
    """What was there: whether a position was blanked, and whether a track of data beside picture and sound
    (cameras keep their path in such) is left.
    """

    position: bool
    data_track: bool


@dataclass(frozen=True)
class _Box:
    at: int
    kind: bytes
    content: int
    end: int


def strip(path: Path) -> Found:
    """Blank user data and metadata of a film and its tracks. Raises Unreadable; nothing is written then."""
    with path.open("r+b") as file:
        size = path.stat().st_size
        telling, data_track = [], False
        for box in _walk(file, 0, size, 0):
            if box.kind in _TELLING or (box.kind == b"uuid" and _read(file, box.content, 16) == _XMP):
                telling.append(box)
            elif box.kind == b"hdlr" and _read(file, box.content + 8, 4) not in (
                *(b"vide", b"soun", b"mhlr", b"alis", b"url ", b"dhlr"),
                *(b"sbtl", b"subt", b"text", b"clcp", b"tmcd", b"hint", b"auxv", b"pict"),
            ):
                data_track = True
        position = False
        for box in telling:
            if box.end - box.content > _LARGEST_BLANKED:
                raise Unreadable("too much metadata")
            content = _read(file, box.content, box.end - box.content)
            position = position or any(mark in content for mark in _MARKS)
        for box in telling:
            file.seek(box.at + 4)
            file.write(b"free")
            file.seek(box.content)
            file.write(bytes(box.end - box.content))
    return Found(position, data_track)


def _walk(file: IO[bytes], start: int, end: int, depth: int) -> Iterator[_Box]:
    at, count = start, 0
    while at + 8 <= end:
        head = _read(file, at, 8)
        length, kind, content = int.from_bytes(head[:4], "big"), head[4:], at + 8
        if length == 1:
            length, content = int.from_bytes(_read(file, at + 8, 8), "big"), at + 16
        elif length == 0:
            length = end - at
        if length < content - at or at + length > end:
            # QuickTime ends lists with four zero bytes; anything else that does not fit is a cut.
            raise Unreadable("a box is cut off")
        count += 1
        if count > _MOST_BOXES:
            raise Unreadable("too many boxes")
        yield _Box(at, kind, content, at + length)
        if kind in _INSIDE and depth < _DEEPEST:
            yield from _walk(file, content, at + length, depth + 1)
        at += length


def _read(file: IO[bytes], at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
