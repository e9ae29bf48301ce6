"""The figures of a run as a page."""

from collections.abc import Sequence
from pathlib import Path

from tests.chaos.run import Outcome


def write(file: Path, outcomes: Sequence[Outcome]) -> None:
    """Stub."""
