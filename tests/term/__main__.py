"""`make term`: six weeks of teachers and reviewers in minutes, on a moved clock; figures as a page."""

import sys
from pathlib import Path

import click

from microcred.app.logs import configure
from tests.term.plan import Size
from tests.term.report import write
from tests.term.run import Engine, run


@click.command()
@click.option("--teachers", default=500, show_default=True)
@click.option("--reviewers", default=12, show_default=True)
@click.option("--weeks", default=6, show_default=True)
@click.option("--seed", default=1, show_default=True, help="the same seed, the same term")
@click.option(
    "--engine", type=click.Choice(["sqlite", "postgresql"]), default="postgresql", show_default=True
)
@click.option("--report", type=Path, help="write the figures to this file")
def main(teachers: int, reviewers: int, weeks: int, seed: int, engine: Engine, report: Path | None) -> None:
    """Drive everybody through the tool's own operations, with its own worker, and judge what is stored."""
    configure("json")
    size = Size(teachers=teachers, reviewers=reviewers, weeks=weeks, seed=seed)
    click.echo(f"{engine}: {teachers} teachers, {reviewers} reviewers, {weeks} weeks, seed {seed}")
    outcome = run(engine, size, click.echo)
    click.echo("\n".join(outcome.verdict.examples))
    for fault, times in outcome.verdict.faults.items():
        click.echo(f"  {fault}: {times}")
    verdict = "clean" if outcome.verdict.is_clean else "NOT CLEAN"
    click.echo(f"  {verdict}, {outcome.cpu:.0f} s of {outcome.seconds:.0f} s")
    if report is not None:
        write(report, outcome)
    sys.exit(not outcome.verdict.is_clean)


if __name__ == "__main__":
    main()
