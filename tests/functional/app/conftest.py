"""The `microcred` command, run in this process on an embedded database of the test's own."""

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from microcred.app.cli import main
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble
from microcred.credentials import sample_text

PLATFORM = {
    "--name": "Demo LMS",
    "--lms": "other",
    "--issuer": "https://lms.example.org",
    "--client-id": "tool-1",
    "--auth-url": "https://lms.example.org/auth",
    "--token-url": "https://lms.example.org/token",
    "--jwks-url": "https://lms.example.org/jwks",
}


@dataclass
class Command:
    """`microcred` with the settings of one installation."""

    settings: dict[str, str]
    runner: CliRunner = field(default_factory=CliRunner)

    def __call__(self, *words: str, status: int = 0) -> Result:
        """Run it; it must end with `status`."""
        done = self.runner.invoke(main, list(words), env=self.environment, prog_name="microcred")
        unexpected = None if isinstance(done.exception, SystemExit) else done.exception
        assert (done.exit_code, unexpected) == (status, None), (done.stdout, done.stderr, unexpected)
        if status:
            assert "Traceback" not in done.stderr
            assert done.stderr.strip()
        return done

    def json(self, *words: str, status: int = 0) -> Any:
        """What it prints with --json."""
        return json.loads(self(*words, "--json", status=status).stdout)

    def platform(self, *more: str, status: int = 0, **changes: str) -> Any:
        """`platform add` of a demo LMS; changes by option name."""
        options = PLATFORM | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
        words = [word for pair in options.items() for word in pair]
        if status:
            return self("platform", "add", *words, *more, "--json", status=status)
        return self.json("platform", "add", *words, *more)

    def assembly(self) -> Assembly:
        """The same installation's parts; to be closed."""
        values: dict[str, Any] = {
            name.removeprefix("MICROCRED_").lower(): value for name, value in self.settings.items()
        }
        return assemble(Settings(_env_file=None, **values))

    @property
    def environment(self) -> dict[str, str]:
        return {"MICROCRED_PUBLIC_URL": "https://tool.example.org"} | self.settings


@pytest.fixture
def microcred(tmp_path: Path, migrated_sqlite_file: Path) -> Iterator[Command]:
    """The command on the embedded default."""
    shutil.copyfile(migrated_sqlite_file, tmp_path / "microcred.db")
    yield Command({"MICROCRED_DATA_DIR": str(tmp_path)})
    structlog.reset_defaults()
    for handler in logging.getLogger().handlers:
        if type(handler).__module__ == "microcred.app.logs":
            logging.getLogger().removeHandler(handler)


@pytest.fixture(scope="session")
def catalogue_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample catalogue."""
    file = tmp_path_factory.mktemp("catalogue") / "catalogue.yaml"
    file.write_text(sample_text(), encoding="utf-8")
    return file
