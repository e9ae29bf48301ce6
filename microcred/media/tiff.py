"""The TIFF structure that Exif uses (TIFF 6.0, section 2): finding and blanking in place, so that nothing
else in the file moves.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_GPS, _EXIF, _ORIENTATION = 0x8825, 0x8769, 0x0112
_TELLING = {0x02BC: "XMP", 0x83BB: "IPTC", 0x927C: "maker's notes", 0x9286: "comment"}
"""Tags whose content is blanked whole: it may name a place in words."""
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_MOST_ENTRIES = 1000
_MOST_FOLDERS = 64


class NotTiff(Exception):
    """The bytes are no TIFF structure, or one that points out of itself."""


@dataclass(frozen=True)
class _Entry:
    at: int
    tag: int
    kind: int
    count: int
    value: int
    """The four bytes of the value, as a number."""
    first_short: int


def orientation(tiff: bytes) -> int:
    """How the picture is turned, 1 to 8 (1: not at all). Raises NotTiff."""
    order = _order(tiff)
    for folder in _folders(tiff, order):
        for entry in _entries(tiff, order, folder):
            if entry.tag == _ORIENTATION and 1 <= entry.first_short <= 8:
                return entry.first_short
        break
    return 1


def blank(tiff: bytearray) -> bool:
    """Blank positions and texts that may name a place; gives whether there was a position. Raises NotTiff."""
    order = _order(tiff)
    found = False
    for folder in _folders(tiff, order):
        for entry in _entries(tiff, order, folder):
            if entry.tag == _GPS:
                for inner in _entries(tiff, order, entry.value):
                    found = True
                    _blank_value(tiff, inner)
                    tiff[inner.at : inner.at + 12] = bytes(12)
                tiff[entry.value : entry.value + 2] = bytes(2)
            elif entry.tag in _TELLING:
                found = found or (entry.tag == 0x02BC and b"GPS" in _content(tiff, entry))
                _blank_value(tiff, entry)
    return found


def only_orientation(turned: int) -> bytes:
    """A structure that says how the picture is turned and nothing else."""
    entry = _ORIENTATION.to_bytes(2, "big") + b"\0\3\0\0\0\1" + turned.to_bytes(2, "big") + b"\0\0"
    return b"MM\0*\0\0\0\x08\0\1" + entry + b"\0\0\0\0"


def _order(tiff: bytes | bytearray) -> str:
    if tiff[:4] == b"II*\0":
        return "little"
    if tiff[:4] == b"MM\0*":
        return "big"
    raise NotTiff


def _number(tiff: bytes | bytearray, order: str, at: int, size: int) -> int:
    if at < 0 or at + size > len(tiff):
        raise NotTiff
    return int.from_bytes(tiff[at : at + size], "little" if order == "little" else "big")


def _folders(tiff: bytes | bytearray, order: str) -> Iterator[int]:
    """Where each directory begins: the chain of pages, and the Exif directory of each."""
    at, seen = _number(tiff, order, 4, 4), set[int]()
    while at and at not in seen and len(seen) < _MOST_FOLDERS:
        seen.add(at)
        inner = [entry.value for entry in _entries(tiff, order, at) if entry.tag == _EXIF]
        count = _number(tiff, order, at, 2)
        following = at + 2 + 12 * count
        yield at
        yield from inner
        at = _number(tiff, order, following, 4) if following + 4 <= len(tiff) else 0


def _entries(tiff: bytes | bytearray, order: str, folder: int) -> list[_Entry]:
    count = _number(tiff, order, folder, 2)
    if count > _MOST_ENTRIES:
        raise NotTiff
    return [
        _Entry(
            at,
            _number(tiff, order, at, 2),
            _number(tiff, order, at + 2, 2),
            _number(tiff, order, at + 4, 4),
            _number(tiff, order, at + 8, 4),
            _number(tiff, order, at + 8, 2),
        )
        for at in range(folder + 2, folder + 2 + 12 * count, 12)
    ]


def _span(tiff: bytes | bytearray, entry: _Entry) -> tuple[int, int]:
    size = _SIZES.get(entry.kind, 1) * entry.count
    start = entry.at + 8 if size <= 4 else entry.value
    if start + size > len(tiff):
        raise NotTiff
    return start, start + size


def _content(tiff: bytearray, entry: _Entry) -> bytes:
    start, end = _span(tiff, entry)
    return bytes(tiff[start:end])


def _blank_value(tiff: bytearray, entry: _Entry) -> None:
    start, end = _span(tiff, entry)
    tiff[start:end] = bytes(end - start)
