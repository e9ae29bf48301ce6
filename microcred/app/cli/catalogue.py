"""`microcred catalogue`: credentials in and out as data."""

from pathlib import Path

import click

from microcred.app.cli.common import Failed, application, json_option, show_json
from microcred.credentials import (
    CatalogueRefused,
    NotInCatalogue,
    export_catalogue,
    import_catalogue,
    parse,
    to_yaml,
)


@click.group()
def catalogue() -> None:
    """Credentials as data: import and export."""


@catalogue.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--private", is_flag=True, help="Only the issuers' own organizations see these credentials.")
@json_option
def import_(file: Path, private: bool, as_json: bool) -> None:
    """Import FILE.yaml: all or nothing, every problem named with its place."""
    try:
        parsed = parse(file.read_text(encoding="utf-8"))
        with application() as app, app.database.writing() as session:
            done = import_catalogue(session, parsed, now=app.clock.now(), shares_catalogue=not private)
    except UnicodeDecodeError as error:
        raise Failed(f"{file} is not UTF-8 text. Nothing was imported.") from error
    except CatalogueRefused as refused:
        if as_json:
            show_json({"problems": [{"place": p.place, "message": p.message} for p in refused.problems]})
        for problem in refused.problems:
            click.echo(f"{problem.place}: {problem.message}", err=True)
        raise Failed(f"{len(refused.problems)} problems in {file}. Nothing was imported.") from refused
    if as_json:
        show_json(
            {
                "new": [str(key) for key in done.new],
                "changed": [str(key) for key in done.changed],
                "unchanged": [str(key) for key in done.unchanged],
            }
        )
    else:
        counts = f"{len(done.new)} new, {len(done.changed)} changed, {len(done.unchanged)} unchanged"
        click.echo(f"Imported {file}: {counts}.")


@catalogue.command("export")
@json_option
def export(as_json: bool) -> None:
    """Print the catalogue as it was imported (YAML, or JSON with --json)."""
    try:
        with application() as app, app.database.reading() as session:
            document = export_catalogue(session)
    except NotInCatalogue as missing:
        raise Failed("Nothing has been imported yet.") from missing
    if as_json:
        show_json(document)
    else:
        click.echo(to_yaml(document), nl=False)
