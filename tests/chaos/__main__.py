"""`make chaos`: faults of every kind while awards are made, on both databases; figures as a page."""

import signal
import sys
from pathlib import Path

import click

from tests.chaos.report import write
from tests.chaos.run import Outcome, Size, run
from tests.chaos.stores import Engine


@click.command()
@click.option("--awards", default=10_000, show_default=True)
@click.option("--kills", default=30, show_default=True, help="SIGKILLs of worker processes")
@click.option("--restarts", default=3, show_default=True, help="of PostgreSQL, and of Redis")
@click.option("--seconds", default=300.0, show_default=True, help="how long decisions and disasters go on")
@click.option("--haste", default=10.0, show_default=True, help="divides the outbox's own waiting times")
@click.option("--patience", default=1800.0, show_default=True, help="seconds until a run counts as stuck")
@click.option("--seed", default=1, show_default=True)
@click.option("--on", type=click.Choice(["sqlite", "postgresql", "both"]), default="both", show_default=True)
@click.option("--report", type=Path, help="write the figures to this file")
def main(
    awards: int,
    kills: int,
    restarts: int,
    seconds: float,
    haste: float,
    patience: float,
    seed: int,
    on: str,
    report: Path | None,
) -> None:
    """Awards for demo teachers on four platforms, while everything around the tool breaks."""
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    size = Size(
        learners=awards,
        kills=kills,
        restarts=restarts,
        seconds=seconds,
        haste=haste,
        patience=patience,
        seed=seed,
    )
    chosen: tuple[Engine, ...] = ("postgresql", "sqlite") if on == "both" else (on,)  # type: ignore[assignment]
    outcomes: list[Outcome] = []
    for engine in chosen:
        click.echo(f"{engine}: {awards} awards")
        outcomes.append(run(engine, size, click.echo))
        verdict = outcomes[-1].verdict
        click.echo("\n".join(verdict.examples[:10]))
        click.echo(f"  {'clean' if verdict.is_clean else 'NOT CLEAN'}: {verdict}")
        if report is not None:
            write(report, outcomes)
    sys.exit(not all(outcome.verdict.is_clean for outcome in outcomes))


if __name__ == "__main__":
    main()
