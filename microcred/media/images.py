"""Location data out of pictures, without touching a pixel: JPEG, PNG, WebP, GIF by leaving parts out, TIFF,
HEIC and AVIF by blanking in place.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image, UnidentifiedImageError

from microcred.media import tiff

LARGEST = 300 * 1000 * 1000
"""Bytes of a picture that is worked on in memory."""


class Unreadable(Exception):
    """The file is not what its first bytes promise, so nothing can be taken out of it safely."""


Stripped = tuple[bytes, bool]
"""The file without its metadata, and whether a position was among it."""


def strip_jpeg(data: bytes) -> Stripped:
    """A JPEG (ITU T.81) with its colour profile and orientation, and nothing else beside the picture.

    What some phones append (a short film, a second picture with metadata of its own) goes too. Raises
    Unreadable.
    """
    if not data.startswith(b"\xff\xd8"):
        raise Unreadable("no JPEG")
    kept, found, turned = [b"\xff\xd8"], False, 1
    for marker, segment in _jpeg_segments(data):
        if marker == 0xE1 and segment[4:10] == b"Exif\0\0":
            try:
                turned = tiff.orientation(segment[10:])
                found = tiff.blank(bytearray(segment[10:])) or found
            except tiff.NotTiff:
                found = found or b"GPS" in segment
        elif 0xE1 <= marker <= 0xEF or marker == 0xFE:
            found = found or b"GPS" in segment
            # A colour profile, and what says how Adobe's colours are meant, belong to the picture.
            if (marker == 0xE2 and segment[4:15] == b"ICC_PROFILE") or marker == 0xEE:
                kept.append(segment)
        else:
            kept.append(segment)
    if turned != 1:
        exif = b"Exif\0\0" + tiff.only_orientation(turned)
        kept.insert(1, b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif)
    return b"".join(kept), found


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, bytes) of each segment up to the end of the picture; a scan's data come with its header."""
    at = 2
    while True:
        if at + 2 > len(data) or data[at] != 0xFF:
            raise Unreadable("no marker where one must be")
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes
            at += 1
            continue
        if marker == 0xD9:
            yield marker, data[at : at + 2]
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data) or end < at + 4:
            raise Unreadable("a segment is cut off")
        if marker == 0xDA:
            end = _end_of_scan(data, end)
        yield marker, data[at:end]
        at = end


def _end_of_scan(data: bytes, at: int) -> int:
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise Unreadable("the picture is cut off")
        if data[at + 1] not in (0x00, 0xFF, *range(0xD0, 0xD8)):
            return at
        at += 1 if data[at + 1] == 0xFF else 2


_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_TEXTS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME")


def strip_png(data: bytes) -> Stripped:
    """A PNG without Exif, texts and time. Raises Unreadable."""
    kept, found, at = [_PNG], False, len(_PNG)
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise Unreadable("a chunk is cut off")
        name, chunk = data[at + 4 : at + 8], data[at:end]
        if name in _PNG_TEXTS:
            found = found or b"GPS" in chunk or (name == b"eXIf" and _has_position(chunk[8:-4]))
        else:
            kept.append(chunk)
        at = end
        if name == b"IEND":
            return b"".join(kept), found
    raise Unreadable("the picture is cut off")


def strip_webp(data: bytes) -> Stripped:
    """A WebP without its Exif and XMP chunks. Raises Unreadable."""
    kept, found, at = [], False, 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        if at + 8 + size > len(data):
            raise Unreadable("a chunk is cut off")
        name, chunk = data[at : at + 4], data[at:end]
        if name in (b"EXIF", b"XMP "):
            found = found or b"GPS" in chunk or _has_position(chunk[8:].removeprefix(b"Exif\0\0"))
        elif name == b"VP8X":
            kept.append(chunk[:8] + bytes([chunk[8] & ~0x0C]) + chunk[9:])
        else:
            kept.append(chunk)
        at = end
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + len(body).to_bytes(4, "little") + body, found


_GIF_XMP = b"\x21\xff\x0bXMP DataXMP"
_GIF_XMP_END = b"\x01" + bytes(range(255, -1, -1)) + b"\0"


def strip_gif(data: bytes) -> Stripped:
    """A GIF without XMP. Raises Unreadable."""
    start = data.find(_GIF_XMP)
    if start < 0:
        return data, False
    end = data.find(_GIF_XMP_END, start)
    if end < 0:
        raise Unreadable("the metadata do not end")
    return data[:start] + data[end + len(_GIF_XMP_END) :], b"GPS" in data[start:end]


def strip_tiff(data: bytes) -> Stripped:
    """A TIFF whose positions and texts are blanked. Raises Unreadable."""
    content = bytearray(data)
    try:
        found = tiff.blank(content)
    except tiff.NotTiff as error:
        raise Unreadable("no TIFF") from error
    return bytes(content), found


def strip_heif(data: bytes) -> Stripped:
    """A HEIC, HEIF or AVIF whose Exif and XMP are blanked where they stand. Raises Unreadable."""
    content, found = bytearray(data), False
    for info in _heif_infos(data):
        exif: bytes = info.get("exif") or b""
        start = max(exif.find(b"II*\0"), exif.find(b"MM\0*"))
        if start >= 0:
            block = bytearray(exif[start:])
            try:
                found = tiff.blank(block) or found
            except tiff.NotTiff as error:
                raise Unreadable("its Exif cannot be read") from error
            _replace(content, exif[start:], bytes(block))
        xmp: bytes = info.get("xmp") or b""
        if xmp:
            found = found or b"GPS" in xmp
            _replace(content, xmp, b" " * len(xmp))
    return bytes(content), found


def _heif_infos(data: bytes) -> list[dict[str, Any]]:
    try:
        if data[8:12] in (b"avif", b"avis"):
            with Image.open(io.BytesIO(data)) as picture:
                return [{str(name): value for name, value in picture.info.items()}]
        pictures = pillow_heif.open_heif(data, convert_hdr_to_8bit=False)
        return [{str(name): value for name, value in one.info.items()} for one in pictures]
    except (ValueError, OSError, SyntaxError, RuntimeError, EOFError, UnidentifiedImageError) as error:
        raise Unreadable("it cannot be read") from error


def _replace(content: bytearray, old: bytes, new: bytes) -> None:
    at = content.find(old)
    if at < 0:
        raise Unreadable("its metadata are not where they should be")
    while at >= 0:
        content[at : at + len(old)] = new
        at = content.find(old, at + 1) if old != new else -1


def _has_position(exif: bytes) -> bool:
    try:
        return tiff.blank(bytearray(exif))
    except tiff.NotTiff:
        return False


STRIPPERS: dict[str, Callable[[bytes], Stripped]] = {
    "image/jpeg": strip_jpeg,
    "image/png": strip_png,
    "image/webp": strip_webp,
    "image/gif": strip_gif,
    "image/tiff": strip_tiff,
    "image/heic": strip_heif,
    "image/heif": strip_heif,
    "image/avif": strip_heif,
    "image/bmp": lambda data: (data, False),
}
"""By media type."""


def strip_picture(path: Path, media_type: str) -> bool:
    """Free a picture of its metadata, in its place; gives whether a position was among it.

    Raises Unreadable; the file is as it was then.
    """
    if path.stat().st_size > LARGEST:
        raise Unreadable("it is too large")
    data = path.read_bytes()
    stripped, found = STRIPPERS[media_type](data)
    if stripped != data:
        path.write_bytes(stripped)
    return found
