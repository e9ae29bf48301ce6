"""What every command needs: the assembled application, output as text or JSON, and failures in one
sentence.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import click
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.exc import OperationalError

from microcred.app import logs
from microcred.app.cli.failed import Failed as Failed
from microcred.app.schema import SchemaStale, check, upgrade
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, CannotAssemble, assemble

_WIDE = 1000
F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """Adds `--json` to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout.")(
        function
    )


def settings() -> Settings:
    """The settings of this run, which logs follow from now on. Raises Failed."""
    try:
        found = Settings()
    except ValidationError as error:
        raise Failed("\n".join(_setting_problem(problem) for problem in error.errors())) from error
    logs.configure(found.log_format)
    return found


def _setting_problem(problem: ErrorDetails) -> str:
    name = "_".join(str(part) for part in problem["loc"]).upper()
    message = problem["msg"].removeprefix("Value error, ")
    return f"setting MICROCRED_{name}: {message}" if name else message


@contextmanager
def database_at_hand() -> Iterator[None]:
    """What goes wrong with the database inside becomes one sentence. Raises Failed."""
    try:
        yield
    except SchemaStale as stale:
        raise Failed(str(stale)) from stale
    except OperationalError as error:
        raise Failed(
            "The database cannot be reached. Check MICROCRED_DATABASE_URL and that it runs."
        ) from error


@contextmanager
def application() -> Iterator[Assembly]:
    """The application for one command, on a database whose schema is right; closed afterwards. Raises
    Failed.
    """
    try:
        assembly = assemble(settings())
    except CannotAssemble as problem:
        raise Failed(str(problem)) from problem
    try:
        with database_at_hand():
            if assembly.settings.embedded:
                upgrade(assembly.database)
            else:
                check(assembly.database)
            yield assembly
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
    # Numbers are there to be copied: never cut short, and on one line where another program reads.
    table = Table(*(Column(name, overflow="fold") for name in columns))
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table, markup=False)


def _plain(value: Any) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)
