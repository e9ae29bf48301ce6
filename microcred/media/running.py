"""Programs that read files from outside run under limits: time, memory, what they write, no network."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

_LAUNCHER = Path(__file__).with_name("launcher.py")


class ProgramFailed(Exception):
    """The program ended badly, or took longer than it may; `code` is `failed` or `took_too_long`."""

    def __init__(self, code: str, said: str = "") -> None:
        super().__init__(f"{code}: {said}")
        self.code = code
        self.said = said


@dataclass(frozen=True)
class Tools:
    """What preparing a file needs from the machine."""

    work_folder: Path
    """Where files lie while they are worked on; on disk, as large as the largest uploads together."""
    ffmpeg: str | None
    seconds: int = 3600
    """The longest that making one copy may take."""


def find_ffmpeg() -> str | None:
    """The system's ffmpeg, else the one of the imageio-ffmpeg wheel; None where there is neither."""
    found = shutil.which("ffmpeg")
    if found is not None:
        return found
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        return None


def run(command: list[str], *, folder: Path, seconds: int, written: int, memory: int = 4 << 30) -> str:
    """Run a program in `folder` and give what it said on stderr.

    `written` limits the bytes of a file it writes, `memory` its address space. Raises ProgramFailed.
    """
    limits = [str(value) for value in (seconds, written, memory)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and arguments that no person chose
            [sys.executable, "-I", str(_LAUNCHER), *limits, *command],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as late:
        raise ProgramFailed("took_too_long") from late
    said = done.stderr[-20_000:].decode("utf-8", "replace")
    if done.returncode != 0:
        raise ProgramFailed("failed", said)
    return said
