"""`microcred db` and `microcred doctor`."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from microcred.app import doctor as checks
from microcred.app.cli.common import Failed, database_at_hand, json_option, settings, show_json
from microcred.app.schema import check, upgrade, versions
from microcred.app.wiring import CannotAssemble, assemble
from microcred.database import Database


@click.group()
def db() -> None:
    """The database schema."""


@db.command("upgrade")
@json_option
def upgrade_(as_json: bool) -> None:
    """Bring the schema up to this version."""
    with _database() as database:
        upgrade(database)
        current, newest = versions(database)
    if as_json:
        show_json({"current": current, "newest": newest})
    else:
        click.echo(f"The schema is at {current}.")


@db.command("check")
@json_option
def check_(as_json: bool) -> None:
    """Exit 0 when the schema is this version's, else 1."""
    with _database() as database:
        current, newest = versions(database)
        if as_json:
            show_json({"current": current, "newest": newest})
        check(database)
    if not as_json:
        click.echo(f"The schema is at {current}, as it should be.")


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check settings, database, Redis, storage, keys, clock, public URL; try each platform."""
    results = checks.examine(settings())
    if as_json:
        show_json([{"check": r.name, "ok": r.ok, "says": r.says} for r in results])
    else:
        for result in results:
            click.echo(f"{'ok  ' if result.ok else 'FAIL'} {result.name}: {result.says}")
    if not all(result.ok for result in results):
        raise Failed("Something needs attention; see the lines marked FAIL.")


@contextmanager
def _database() -> Iterator[Database]:
    try:
        assembly = assemble(settings())
    except CannotAssemble as problem:
        raise Failed(str(problem)) from problem
    try:
        with database_at_hand():
            yield assembly.database
    finally:
        assembly.close()
