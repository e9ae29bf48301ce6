"""`microcred outbox`: what waits, what stopped, and sending it again."""

import click

from microcred import outbox as queue
from microcred.app.cli.common import Failed, application, json_option, show_json, show_table

_REFUSALS = {
    "unknown": "There is no row with this number.",
    "not_stuck": "This row is not stuck: it was delivered, or is being sent now.",
    "newer": "A newer version of this was sent or is waiting; this one stays unsent.",
}


@click.group()
def outbox() -> None:
    """Deliveries and timed work."""


@outbox.command()
@json_option
def status(as_json: bool) -> None:
    """How many rows are in each state, and which destinations are in trouble."""
    with application() as app, app.database.reading() as session:
        found = queue.status(session, now=app.clock.now())
    if as_json:
        troubled = [
            {
                "destination": d.name,
                "failures": d.failures,
                "failing_since": d.failing_since,
                "paused_until": d.paused_until,
                "reason": d.pause_reason,
                "stopped": d.stopped,
            }
            for d in found.troubled
        ]
        show_json(
            {"counts": dict(found.counts), "oldest_due_at": found.oldest_due_at, "destinations": troubled}
        )
    else:
        show_table(("State", "Rows"), sorted(found.counts.items()))
        for d in found.troubled:
            resting = f", rests until {d.paused_until}" if d.paused_until else ""
            click.echo(f"{d.name}: {'stopped' if d.stopped else f'{d.failures} failures in a row'}{resting}")


@outbox.command("list")
@click.option("--after", default=0, help="Begin after this row number.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
@json_option
def list_(after: int, limit: int, as_json: bool) -> None:
    """Rows that wait or need somebody, oldest first."""
    with application() as app, app.database.reading() as session:
        rows = queue.entries(session, after_id=after, limit=limit)
    if as_json:
        show_json([dict(vars(row)) for row in rows])
    else:
        show_table(
            ("ID", "Kind", "Destination", "State", "Reason", "Tries", "Due"),
            [(r.id, r.kind, r.destination, r.state, r.reason, r.attempts, r.due_at) for r in rows],
        )


@outbox.command()
@click.argument("row_id", required=False, type=int, metavar="[ID]")
@click.option("--all", "everything", is_flag=True, help="Every row that stopped and has no newer version.")
@json_option
def retry(row_id: int | None, everything: bool, as_json: bool) -> None:
    """Send row ID again, or everything that stopped (--all)."""
    if (row_id is None) == (not everything):
        raise click.UsageError("Name one ID, or --all.")
    with application() as app, app.database.writing() as session:
        now = app.clock.now()
        if row_id is None:
            count = queue.retry_all(session, now=now)
        else:
            try:
                queue.retry(session, row_id, now=now)
            except queue.RetryRefused as refused:
                raise Failed(_REFUSALS[refused.code]) from refused
            count = 1
    if as_json:
        show_json({"retried": count})
    else:
        click.echo(f"{count} to be sent again.")
