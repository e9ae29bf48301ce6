"""A machine's clock that somebody sets while processes use it: all of them see the step at once."""

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

_OFFSET = struct.Struct("d")


class SetClock:
    """The real time and an offset that lies in a shared file, in seconds."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(_OFFSET.pack(0.0))
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _OFFSET.size)

    def now(self) -> datetime:
        """The moment that this machine believes in."""
        return datetime.now(UTC) + timedelta(seconds=_OFFSET.unpack_from(self._shared)[0])

    def set_offset(self, seconds: float) -> None:
        """Step to the real time plus `seconds`."""
        _OFFSET.pack_into(self._shared, 0, seconds)
