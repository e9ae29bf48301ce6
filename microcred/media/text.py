"""What a document says, read by a program of its own under limits."""

import sys
from pathlib import Path

from microcred.media.running import ProgramFailed, run

_PROGRAM = str(Path(__file__).with_name("words.py"))
_SECONDS = 30
_WRITTEN = 20_000_000


def words_of(file: Path, kind: str) -> str | None:
    """The text of `file`, which stands in a folder of its own; `kind` as `words.py` has it. None where it
    cannot be read.
    """
    out = file.with_suffix(".words")
    command = [sys.executable, "-I", _PROGRAM, file.name, out.name, kind]
    try:
        run(command, folder=file.parent, seconds=_SECONDS, written=_WRITTEN)
    except ProgramFailed:
        return None
    return out.read_text("utf-8")
