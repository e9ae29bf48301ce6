"""`microcred serve`, `microcred worker` and `microcred demo`."""

import signal
import threading

import click

from microcred.app.cli.common import Failed, application, json_option
from microcred.app.garbage import keep_what_is_here


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=5000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--no-worker", is_flag=True, help="Pages only; run `microcred worker` beside it.")
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="More than one needs PostgreSQL.",
)
@click.option("--threads", default=16, show_default=True, type=click.IntRange(1, 256))
def serve(host: str, port: int, no_worker: bool, processes: int, threads: int) -> None:
    """The tool: pages, LTI and, unless --no-worker, background work."""
    from microcred.app.server import run

    with application() as app:  # the schema is brought up to date, or found stale, before the first request
        if processes > 1 and app.settings.embedded:
            raise Failed("More than one process needs PostgreSQL: set MICROCRED_DATABASE_URL.")
        if processes > 1 and app.settings.metrics_addr:
            raise Failed("Figures are counted per process: with MICROCRED_METRICS_ADDR, run --processes 1.")
    run(app.settings, host=host, port=port, worker=not no_worker, processes=processes, threads=threads)


@click.command()
def worker() -> None:
    """Background work only: deliveries, badges, timed work. Any number may run."""
    with application() as app:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        if app.settings.metrics_addr:
            app.metrics.serve(app.settings.metrics_addr)
        app.begin_timed_work()
        work = app.make_worker()
        keep_what_is_here()
        thread = threading.Thread(target=work.run_until_stopped, name="outbox-worker")
        thread.start()
        while not stop.wait(1.0):
            if not thread.is_alive():
                raise Failed("The worker stopped by itself; see the log above.")
        work.stop()
        thread.join(timeout=60)


@click.command()
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--lms-port", default=5001, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--lms",
    default="plain",
    show_default=True,
    type=click.Choice(["plain", "canvas", "moodle", "schoology"]),
    help="What the demo LMS behaves like.",
)
@json_option
def demo(port: int, lms_port: int, lms: str, as_json: bool) -> None:
    """The tool and a small demo LMS, with sample courses, people and catalogue: ready to click."""
    from microcred.app.demo import run

    run(port=port, lms_port=lms_port, lms=lms, as_json=as_json)
