"""Everything that people do with the tool in a Moodle, against a running one, in Chromium.

    MOODLE_URL=… MOODLE_PASSWORD=… MICROCRED_…=… python -m tests.interop.moodle

See docs/interop.md. Exit status 1 where a step did not end as it should.
"""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from playwright.sync_api import Error, sync_playwright

from microcred.app.settings import Settings
from tests.interop.moodle.site import Moodle
from tests.interop.moodle.steps import STEPS
from tests.interop.moodle.world import World
from tests.support import chromium


@click.command()
@click.option("--url", envvar="MOODLE_URL", required=True, help="Moodle's address (its wwwroot).")
@click.option("--admin", envvar="MOODLE_ADMIN", default="admin", show_default=True)
@click.option("--password", envvar="MOODLE_PASSWORD", required=True, help="The administrator's.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("test-results/moodle"),
    show_default=True,
    help="Pictures, and what a run that stopped goes on with.",
)
@click.option("--patience", default=900, show_default=True, help="Seconds to wait for Moodle's cron.")
@click.option("--step", "only", multiple=True, help="Only this step, again; may be given several times.")
def main(url: str, admin: str, password: str, folder: Path, patience: int, only: tuple[str, ...]) -> None:
    """Walk through a running Moodle with a running tool; MICROCRED_* are those of the tool."""
    failed = False
    with sync_playwright() as playwright, chromium.started_browser(playwright) as browser:
        moodle = Moodle(url.rstrip("/"), browser, admin, password, folder)
        world = World.at(moodle, folder, Settings().public_url, patience)
        done = set(json.loads(world.facts.get("done", "[]")))
        click.echo(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, tool of commit {_commit()}, {moodle.url}")
        for step in STEPS:
            wanted = step.__name__ in only if only else step.__name__ not in done
            if not wanted:
                continue
            started = time.monotonic()
            world.seen.clear()
            try:
                step(world)
            except (AssertionError, Error, KeyError) as error:
                failed = True
                # What follows is the whole page, which may show passwords.
                message = str(error).partition("\nAria snapshot")[0]
                click.echo(f"FAILED  {step.__name__}: {type(error).__name__}: {message}")
            else:
                done.add(step.__name__)
                click.echo(f"passed  {step.__doc__} ({time.monotonic() - started:.0f} s)")
            click.echo("".join(f"        {sentence}\n" for sentence in world.seen), nl=False)
            world.facts["done"] = json.dumps(sorted(done))
            world.save()
            if failed:
                break
    sys.exit(failed)


def _commit() -> str:
    """What is being tried: the newest commit, and whether files differ from it."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, timeout=30
    )
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
