"""`microcred outbox`: what waits, what stopped, and sending it again."""

from typing import Any

import click

import grade_passback
from microcred import outbox as queue
from microcred.app.cli.common import Failed, application, json_option, show_json, show_table
from microcred.operations import delivering

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
@click.option("--state", "states", multiple=True, type=click.Choice(queue.STATES), help="May be repeated.")
@click.option("--kind", help="Rows of one kind, such as score.")
@click.option("--destination", help="Rows for one destination, such as registration:7.")
@click.option("--after", default=0, help="Begin after this row number.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
@json_option
def list_(
    states: tuple[str, ...], kind: str | None, destination: str | None, after: int, limit: int, as_json: bool
) -> None:
    """Rows that wait or need somebody (or are in the states named), oldest first. `--state dead` lists what
    was given up after three days."""
    with application() as app, app.database.reading() as session:
        rows = queue.entries(
            session,
            states=states or queue.OPEN_STATES,
            kind=kind,
            destinations=[destination] if destination else None,
            after_id=after,
            limit=limit,
        )
    if as_json:
        show_json([dict(vars(row)) for row in rows])
    else:
        show_table(
            ("ID", "Kind", "Destination", "State", "Reason", "Tries", "Due"),
            [(r.id, r.kind, r.destination, r.state, r.reason, r.attempts, r.due_at) for r in rows],
        )


@outbox.command()
@click.argument("row_id", type=int, metavar="ID")
@json_option
def show(row_id: int, as_json: bool) -> None:
    """Everything about row ID: of a grade what was sent and, in words, what became of it."""
    with application() as app, app.database.reading() as session:
        row = session.get(queue.OutboxRow, row_id)
        if row is None:
            raise Failed(_REFUSALS["unknown"])
        shown: dict[str, Any] = {
            **vars(queue.entry_of(row)),
            "subject": f"{row.subject_type}:{row.subject_id}",
            "finished_at": row.finished_at,
        }
        # The payload of other kinds may hold what only its receiver may see: links that let somebody in.
        cell = grade_passback.cells(session, [row_id]).get(row_id)
        if row.kind == grade_passback.KIND:
            words = grade_passback.words_for(row.state, row.reason, row.attempts)
            content = row.payload.get("content")  # gone with an erased person
            shown |= {
                "person_id": cell.person_id if cell else None,
                "column": cell.column if cell else None,
                "sent": grade_passback.sent_words(content) if content else None,
                "words": words.sentence,
                "advice": words.advice,
            }
    if as_json:
        show_json(shown)
    else:
        show_table(("", ""), [(name.replace("_", " "), value) for name, value in shown.items() if value])


@outbox.command()
@click.argument("row_id", required=False, type=int, metavar="[ID]")
@click.option("--all", "everything", is_flag=True, help="Every row that stopped and has no newer version.")
@click.option("--destination", help="With --all: only what goes to this destination.")
@json_option
def retry(row_id: int | None, everything: bool, destination: str | None, as_json: bool) -> None:
    """Send row ID again, or everything that stopped (--all)."""
    if (row_id is None) == (not everything) or (destination and not everything):
        raise click.UsageError("Name one ID, or --all (and then perhaps a --destination).")
    with application() as app, app.database.writing() as session:
        now = app.clock.now()
        if row_id is None:
            chosen = [destination] if destination else None
            count = queue.retry_all(session, now=now, destinations=chosen)
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


@outbox.command()
@click.argument("destination")
@json_option
def pause(destination: str, as_json: bool) -> None:
    """Send nothing to DESTINATION until `outbox resume`; everything is kept."""
    with application() as app, app.database.writing() as session:
        queue.stop_destination(session, destination)
    _say_of(destination, True, as_json)


@outbox.command()
@click.argument("destination")
@json_option
def resume(destination: str, as_json: bool) -> None:
    """Send to DESTINATION again, at once. A platform that is shut out stays so: `platform enable` it."""
    with application() as app, app.database.writing() as session:
        if delivering.is_shut_out(session, destination):
            raise Failed("This platform is shut out. Let it in with `platform enable`; its grades follow.")
        queue.start_destination(session, destination)
    _say_of(destination, False, as_json)


def _say_of(destination: str, stopped: bool, as_json: bool) -> None:
    if as_json:
        show_json({"destination": destination, "stopped": stopped})
    else:
        click.echo(f"{destination}: {'stopped; everything is kept' if stopped else 'being sent to again'}.")
