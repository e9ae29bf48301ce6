"""`microcred db` and `microcred doctor`."""

import click

from microcred.app import doctor as checks
from microcred.app.cli.common import Failed, json_option, show_json
from microcred.app.schema import SchemaStale, check, upgrade, versions
from microcred.app.settings import Settings
from microcred.database import Database


@click.group()
def db() -> None:
    """The database schema."""


@db.command("upgrade")
@json_option
def upgrade_(as_json: bool) -> None:
    """Bring the schema up to this version."""
    database = _database()
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
    database = _database()
    current, newest = versions(database)
    if as_json:
        show_json({"current": current, "newest": newest})
    try:
        check(database)
    except SchemaStale as stale:
        raise Failed(str(stale)) from stale
    if not as_json:
        click.echo(f"The schema is at {current}, as it should be.")


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check settings, database, Redis, storage, keys, clock, public URL and each platform's keys."""
    results = checks.examine(Settings())
    if as_json:
        show_json([{"check": r.name, "ok": r.ok, "says": r.says} for r in results])
    else:
        for result in results:
            click.echo(f"{'ok  ' if result.ok else 'FAIL'} {result.name}: {result.says}")
    if not all(result.ok for result in results):
        raise Failed("Something needs attention; see the lines marked FAIL.")


def _database() -> Database:
    settings = Settings()
    if settings.embedded:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    return Database(settings.effective_database_url)
