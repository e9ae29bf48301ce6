"""The `microcred` command. Exit status: 0 done, 1 failed, 2 usage. `--json` puts machine-readable output on
stdout.
"""

import sys

import click
from pydantic import ValidationError

from microcred.app.cli import catalogue, keys, launches, outbox, person, platform, run, system
from microcred.app.cli.common import Failed


class _Commands(click.Group):
    """Turns expected failures into one sentence on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Failed as failure:
            click.echo(f"microcred: {failure}", err=True)
            sys.exit(1)
        except ValidationError as error:
            for problem in error.errors():
                name = "_".join(str(part) for part in problem["loc"]).upper()
                click.echo(f"microcred: setting MICROCRED_{name}: {problem['msg']}", err=True)
            sys.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="microcred")
def main() -> None:
    """Educator micro-credentials inside the LMS."""


for command in (run.serve, run.worker, run.demo, system.doctor):
    main.add_command(command)
for group in (
    catalogue.catalogue,
    keys.keys,
    launches.launches,
    outbox.outbox,
    person.person,
    platform.platform,
    system.db,
):
    main.add_command(group)
