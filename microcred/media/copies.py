"""Copies for viewing: what phones and older programs make, in a form that every browser shows or plays."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from microcred.media.running import ProgramFailed, Tools, run

_PICTURES = frozenset({"image/heic", "image/heif", "image/tiff", "image/bmp"})
_PLAYS = frozenset({"audio/mpeg", "audio/wav", "audio/flac", "audio/aac", "video/webm", "audio/webm"})
"""Played by every current browser, whatever is inside."""
_LARGEST_COPY = 2 * 1000 * 1000 * 1000
_LONGEST = "4:00:00"
_EDGE = 1280
_PICTURE_SECONDS = 120
_PICTURE_MEMORY = 3 << 30
_MOST_PIXELS = 16384 * 16384
_VIDEO = re.compile(r"Stream #0:\d+.*?: Video: (\w+)[^,]*(?:, (\w+))?")
_AUDIO = re.compile(r"Stream #0:\d+.*?: Audio: (\w+)")
_DURATION = re.compile(r"Duration: (\d+):(\d\d):(\d\d\.\d+)")
_COVER = re.compile(r"Stream #0:\d+.*?: Video: .*\(attached pic\)")


class CopyFailed(Exception):
    """No copy could be made; `code` is `failed`, `took_too_long`, `no_ffmpeg` or `too_large`."""

    def __init__(self, code: str, said: str = "") -> None:
        super().__init__(f"{code}: {said}")
        self.code = code
        self.said = said


@dataclass(frozen=True)
class Copy:
    """A copy that is made, beside the file it was made of."""

    path: Path
    media_type: str
    size: int


def viewing_copy(path: Path, media_type: str, tools: Tools) -> Copy | None:
    """A copy that every browser shows or plays; None where the file itself is such. Raises CopyFailed."""
    try:
        if media_type in _PICTURES:
            return _picture(path, tools)
        if media_type.startswith(("audio/", "video/")) and media_type not in _PLAYS:
            return _recording(path, media_type, tools)
    except ProgramFailed as failed:
        raise CopyFailed(failed.code, failed.said) from failed
    return None


def seconds_of(path: Path, media_type: str, tools: Tools) -> int | None:
    """How long a recording is; None where it is none, or cannot be read."""
    if not media_type.startswith(("audio/", "video/")) or tools.ffmpeg is None:
        return None
    try:
        found = _DURATION.search(_said(path, tools))
    except ProgramFailed:
        return None
    return round(int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])) if found else None


def _picture(path: Path, tools: Tools) -> Copy:
    made = path.with_name("copy.jpg")
    run(
        [sys.executable, "-I", str(Path(__file__).with_name("draw.py")), path.name, made.name],
        folder=path.parent,
        seconds=min(_PICTURE_SECONDS, tools.seconds),
        written=200 * 1000 * 1000,
        memory=_PICTURE_MEMORY,
    )
    return Copy(made, "image/jpeg", made.stat().st_size)


def _recording(path: Path, media_type: str, tools: Tools) -> Copy | None:
    if tools.ffmpeg is None:
        raise CopyFailed("no_ffmpeg")
    streams = _streams(path, tools)
    if not streams.video and not streams.audio:
        raise CopyFailed("failed", "nothing to see or hear in it")
    if media_type in ("video/mp4", "audio/mp4") and streams.plays:
        return None
    made = path.with_name("copy.mp4")
    if streams.plays:
        how = ["-c", "copy"]
    else:
        fit = f"scale=w='min({_EDGE},iw)':h='min({_EDGE},ih)':force_original_aspect_ratio=decrease"
        how = [
            *("-vf", f"{fit}:force_divisible_by=2", "-c:v", "libx264", "-preset", "veryfast", "-crf", "26"),
            *("-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "96k", "-ac", "2"),
        ]
    run(
        [
            *(tools.ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file"),
            *("-max_pixels", str(_MOST_PIXELS), "-threads", "2", "-i", path.name),
            *(("-map", "0:V:0") if streams.video else ("-vn",)),
            *("-map", "0:a:0?", "-dn", "-sn", "-map_metadata", "-1", "-map_chapters", "-1", "-t", _LONGEST),
            *how,
            *("-movflags", "+faststart", "-threads", "2", "-f", "mp4", made.name),
        ],
        folder=path.parent,
        seconds=tools.seconds,
        written=_LARGEST_COPY,
    )
    return Copy(made, "video/mp4" if streams.video else "audio/mp4", made.stat().st_size)


@dataclass(frozen=True)
class _Streams:
    video: str
    """Codec of the picture; empty where there is none."""
    pixels: str
    audio: str

    @property
    def plays(self) -> bool:
        """Whether every browser knows these codecs in an MP4."""
        picture = not self.video or (self.video == "h264" and self.pixels in ("yuv420p", "yuvj420p"))
        return picture and self.audio in ("", "aac", "mp3")


def _said(path: Path, tools: Tools) -> str:
    """What ffmpeg says of a file. Asked for nothing it ends with an error; what it says is what counts."""
    assert tools.ffmpeg is not None
    command = [tools.ffmpeg, "-nostdin", "-hide_banner", "-protocol_whitelist", "file", "-i", path.name]
    try:
        return run(command, folder=path.parent, seconds=min(60, tools.seconds), written=1 << 20)
    except ProgramFailed as failed:
        if failed.code != "failed":
            raise
        return failed.said


def _streams(path: Path, tools: Tools) -> _Streams:
    """What is inside."""
    said = _said(path, tools)
    video = _VIDEO.search("\n".join(line for line in said.splitlines() if not _COVER.search(line)))
    audio = _AUDIO.search(said)
    return _Streams(video[1] if video else "", (video[2] or "") if video else "", audio[1] if audio else "")
