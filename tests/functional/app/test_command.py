"""The command as a whole: what exists, help, exit statuses, and that help comes at once."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from microcred.app.cli import main
from tests.functional.app.conftest import Command

ROOT = Path(__file__).parents[3]


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield (*path, name), found
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))


EVERY = list(commands(main))


def test_all_commands_of_the_contract_exist() -> None:
    names = {" ".join(words) for words, _ in EVERY}
    assert names >= {
        *("serve", "worker", "demo", "doctor", "db upgrade", "db check"),
        *(f"platform {verb}" for verb in ("add", "list", "show", "approve", "disable", "enable", "invite")),
        *("keys rotate", "keys list", "keys reseal", "catalogue import", "catalogue export"),
        *("outbox status", "outbox list", "outbox retry", "launches list"),
        *(f"person {verb}" for verb in ("list", "invite", "suspend", "restore", "export", "erase")),
    }


@pytest.mark.parametrize("words", [words for words, _ in EVERY], ids=" ".join)
def test_every_command_has_help(microcred: Command, words: tuple[str, ...]) -> None:
    for option in ("--help", "-h"):
        assert microcred(*words, option).stdout.startswith(f"Usage: microcred {' '.join(words)}")


def test_every_command_says_what_it_does_and_is_documented() -> None:
    documented = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [words for words, command in EVERY if not command.help] == []
    callable_ones = [" ".join(words) for words, command in EVERY if not isinstance(command, click.Group)]
    assert [name for name in callable_ones if f"`{name}" not in documented.replace("`microcred ", "`")] == []


def test_commands_that_answer_have_json(microcred: Command) -> None:
    """Those that run until a signal, and those that print a file, have nothing to say in JSON."""
    without = {
        " ".join(words)
        for words, command in EVERY
        if not isinstance(command, click.Group) and all(p.name != "as_json" for p in command.params)
    }
    assert without == {"serve", "worker", "person export", "platform config"}


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["platform", "add", "--name", "X"],
        ["platform", "add", "--lms", "no-such-lms"],
        ["platform", "show"],
        ["catalogue", "import", "/no/such/file.yaml"],
        ["launches", "list", "--last", "0"],
        ["outbox", "retry"],
        ["outbox", "retry", "7", "--all"],
        ["outbox", "retry", "seven"],
        ["serve", "--port", "70000"],
        ["person", "invite", "--name", "X", "--role", "king"],
        ["person", "invite", "--name", "X", "--role", "reviewer"],
    ],
    ids=" ".join,
)
def test_usage_errors_end_with_2(microcred: Command, words: list[str]) -> None:
    assert "Usage:" in microcred(*words, status=2).stderr


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PUBLIC_URL", "tool.example.org", "MICROCRED_PUBLIC_URL: must be an origin"),
        ("SECRET_KEYS", "short", "MICROCRED_SECRET_KEYS: each secret key needs at least 16 characters"),
        ("DATABASE_URL", "mysql://x", "MICROCRED_DATABASE_URL: must be an address such as"),
        ("DATABASE_URL", "postgresql://localhost/x", "MICROCRED_SECRET_KEYS is needed"),
        ("STORAGE_URL", "ftp://x", "MICROCRED_STORAGE_URL: storage URL of an unknown kind"),
        ("STORAGE_URL", "/dev/null/files", "MICROCRED_STORAGE_URL: cannot be used"),
        ("DATA_DIR", "/dev/null/var", "MICROCRED_DATA_DIR: cannot be used"),
        ("REDIS_URL", "not-redis", "MICROCRED_REDIS_URL"),
        ("CA_BUNDLE", "/dev/null/ca.pem", "MICROCRED_CA_BUNDLE: cannot be used"),
        ("LOG_FORMAT", "xml", "MICROCRED_LOG_FORMAT"),
        ("METRICS_ADDR", "9100", "MICROCRED_METRICS_ADDR: must be host:port"),
        ("MAX_UPLOAD_MB", "many", "MICROCRED_MAX_UPLOAD_MB"),
        ("CLAMD_URL", "http://clamd", "MICROCRED_CLAMD_URL: must be tcp://host:port"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(microcred: Command, name: str, value: str, says: str) -> None:
    microcred.settings[f"MICROCRED_{name}"] = value
    for words in (["keys", "list"], ["db", "check"], ["serve", "--port", "0"]):
        assert says in microcred(*words, status=1).stderr


def test_a_database_that_is_away_is_one_sentence(microcred: Command) -> None:
    microcred.settings |= {
        "MICROCRED_DATABASE_URL": "postgresql://postgres@127.0.0.1:1/none",
        "MICROCRED_SECRET_KEYS": "a secret of the tests alone",
    }
    for words in (["platform", "list"], ["db", "check"], ["db", "upgrade"], ["serve"], ["worker"]):
        assert microcred(*words, status=1).stderr.startswith("microcred: The database cannot be reached.")


def test_the_list_of_commands_comes_at_once_and_brings_no_engine() -> None:
    """Help must not wait for the application; what counts is the processor's time, not a busy machine's."""
    program = (
        "import sys, time, resource\n"
        "from click.testing import CliRunner\n"
        "from microcred.app.cli import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "heavy = {'sqlalchemy', 'flask', 'alembic', 'redis', 'pydantic', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "print(time.process_time())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    assert float(done.stdout) < 0.4


def test_the_installed_command_says_its_version(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("microcred")
    environment = {**os.environ, "MICROCRED_DATA_DIR": str(tmp_path)}
    started = time.monotonic()
    done = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True, env=environment, timeout=60
    )
    assert done.stdout.startswith("microcred, version ")
    assert time.monotonic() - started < 30
    assert list(tmp_path.iterdir()) == []
