"""Which kind of file is freed of location data how, and what can be said of it afterwards."""

import re
from enum import StrEnum
from pathlib import Path

from microcred.media import boxes, documents, images
from microcred.media.running import ProgramFailed, Tools, run

_ZIPPED = re.compile(r"application/vnd\.(?:openxmlformats-officedocument|oasis\.opendocument)\.")
_BOXED = frozenset(
    {
        *("video/mp4", "video/quicktime", "video/3gpp", "video/3gpp2", "audio/mp4"),
    }
)
_REWRITTEN = {
    "video/webm": "webm",
    "audio/webm": "webm",
    "video/x-matroska": "matroska",
    "audio/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "video/x-ms-asf": "asf",
    "video/x-flv": "flv",
    "video/ogg": "ogg",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/aiff": "aiff",
    "audio/x-caf": "caf",
    "audio/aac": "adts",
}
"""Containers that are written anew by ffmpeg, stream by stream, and its names for them."""
_WITHOUT = frozenset(
    {
        *("audio/amr", "video/mpeg", "video/mp2t"),
        *("text/plain", "text/csv", "text/markdown", "text/vtt"),
    }
)
"""Kinds that have no place for such data."""
_SAYS_WHERE = re.compile(r"^\s*[\w.©-]*(?:location|gps|xyz|latitude|longitude)[\w.-]*\s*:", re.I | re.M)
_MINUTES = 10 * 60


class Location(StrEnum):
    """What is known of location data in a file."""

    NONE = "none"
    """There was none."""
    REMOVED = "removed"
    KEPT = "kept"
    """It could not be looked for, or not be taken out: there may be some."""


def remove_location(path: Path, media_type: str, tools: Tools) -> Location:
    """Free the file at `path` of location data, in its place."""
    try:
        if media_type in images.STRIPPERS:
            found = images.strip_picture(path, media_type)
        elif media_type == "application/pdf":
            found = documents.strip_pdf(path)
        elif _ZIPPED.match(media_type):
            found = documents.strip_zipped(path)
        elif media_type in _BOXED:
            found = _boxed(path, tools)
        elif media_type in _REWRITTEN:
            found = _rewritten(path, _REWRITTEN[media_type], tools)
        elif media_type in _WITHOUT:
            found = False
        else:
            return Location.KEPT
    except (images.Unreadable, boxes.Unreadable, documents.Unreadable, ProgramFailed):
        return Location.KEPT
    return Location.REMOVED if found else Location.NONE


def _boxed(path: Path, tools: Tools) -> bool:
    found = boxes.strip(path)
    if not found.data_track:
        return found.position
    _copy_streams(path, "mov" if _is_quicktime(path) else "mp4", tools)
    return True


def _is_quicktime(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(12)[8:] in (b"qt  ", b"")


def _rewritten(path: Path, form: str, tools: Tools) -> bool:
    if tools.ffmpeg is None:
        raise ProgramFailed("no_ffmpeg")
    said = _look(path, tools)
    if not _SAYS_WHERE.search(said):
        return False
    _copy_streams(path, form, tools)
    return True


def _look(path: Path, tools: Tools) -> str:
    """What ffmpeg says of a file, without writing anything but a fraction of a second to nowhere."""
    assert tools.ffmpeg is not None
    return run(
        [
            *(tools.ffmpeg, "-nostdin", "-hide_banner", "-protocol_whitelist", "file"),
            *("-i", path.name, "-t", "0.1", "-f", "null", "-"),
        ],
        folder=path.parent,
        seconds=60,
        written=1 << 20,
    )


def _copy_streams(path: Path, form: str, tools: Tools) -> None:
    """Write picture, sound and subtitles anew as they are, and nothing else."""
    if tools.ffmpeg is None:
        raise ProgramFailed("no_ffmpeg")
    fresh = path.with_suffix(".fresh")
    run(
        [
            *(tools.ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file"),
            *("-i", path.name, "-map", "0:v?", "-map", "0:a?", "-c", "copy", "-dn"),
            *("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-f", form, fresh.name),
        ],
        folder=path.parent,
        seconds=_MINUTES,
        written=path.stat().st_size * 2 + (1 << 20),
    )
    fresh.replace(path)
