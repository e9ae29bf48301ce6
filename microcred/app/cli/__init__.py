"""The `microcred` command. Exit status: 0 done, 1 failed, 2 usage. `--json` puts machine-readable output on
stdout.

A command's module is imported when it is called: most of them bring the whole application, and `--help` must
not wait for it.
"""

import sys
from importlib import import_module

import click

from microcred.app.cli.failed import Failed

_COMMANDS = {
    "badge": ("badge", "Badges: endorse a credential, renew a badge, sign it anew."),
    "catalogue": ("catalogue", "Credentials as data: import and export."),
    "db": ("system", "The database schema."),
    "demo": ("run", "The tool and a small demo LMS, ready to click."),
    "doctor": ("system", "Check settings, engines, keys, clock and platforms."),
    "keys": ("keys", "The keys that sign messages and service calls to LMSs."),
    "launches": ("launches", "Accepted launches."),
    "organization": ("organization", "The rules that organizations set: days, time zone, reviewing."),
    "outbox": ("outbox", "Deliveries and timed work."),
    "person": ("person", "People: list, invite, suspend, restore, export, erase."),
    "platform": ("platform", "LMSs that may launch the tool."),
    "serve": ("run", "The tool: pages, LTI and background work."),
    "worker": ("run", "Background work only."),
}
"""By name: the module that holds it, and the line that the list of commands shows."""


class _Commands(click.Group):
    """Finds commands by name, and turns expected failures into one sentence on stderr and exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = getattr(import_module(f"{__name__}.{_COMMANDS[cmd_name][0]}"), cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Failed as failure:
            click.echo(f"microcred: {failure}", err=True)
            sys.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="microcred")
def main() -> None:
    """Educator micro-credentials inside the LMS."""
