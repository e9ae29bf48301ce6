"""What every command needs: the assembled application, output as text or JSON, and failures in one
sentence.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import OperationalError

from microcred.app.schema import SchemaStale, check, upgrade
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble

F = TypeVar("F", bound=Callable[..., Any])


class Failed(Exception):
    """The command could not do its work; the message says why and what to do."""


def json_option(function: F) -> F:
    """Adds `--json` to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout.")(
        function
    )


@contextmanager
def application() -> Iterator[Assembly]:
    """The application for one command, on a database whose schema is right; closed afterwards. Raises
    Failed.
    """
    assembly = assemble(Settings())
    try:
        if assembly.settings.embedded:
            upgrade(assembly.database)
        else:
            check(assembly.database)
        yield assembly
    except SchemaStale as stale:
        raise Failed(str(stale)) from stale
    except OperationalError as error:
        raise Failed(
            "The database cannot be reached. Check MICROCRED_DATABASE_URL and that it runs."
        ) from error
    finally:
        assembly.close()


def fail(message: str) -> NoReturn:
    """End the command with exit status 1."""
    raise Failed(message)


def show_json(value: Any) -> None:
    """Print a value as JSON; moments as ISO 8601."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as a table, or a line that says there are none."""
    if not rows:
        click.echo("Nothing to list.")
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(table, markup=False)


def _plain(value: Any) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)
