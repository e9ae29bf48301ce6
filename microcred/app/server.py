"""The HTTP server: gunicorn with threads, started from the command line with settings that are already
read.
"""

import select
import threading
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http import message
from gunicorn.workers.gthread import ThreadWorker

from microcred.app.factory import create_app
from microcred.app.garbage import keep_what_is_here
from microcred.app.settings import Settings
from microcred.app.wiring import assemble
from microcred.outbox import Worker

_GRACE = 5
"""Seconds that requests and jobs in flight get once the server is told to end. A job cut off is repeated."""

_LINGER_MS = 5
"""How long a thread stays with a connection whose answer it has given."""

_LONGEST_LINE = 17 * 1024
"""Bytes of a request line. A login by GET may bring 16 KiB of parameters (some LMSs' hints are whole JSON
documents); what is longer is refused before it is read.
"""
# Gunicorn caps its own setting at 8190 bytes, or has no limit at all.
message.MAX_REQUEST_LINE = _LONGEST_LINE


class _Log(Logger):  # type: ignore[misc]
    """Gunicorn's own messages, written as all others are."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class _Worker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's threads, which stay with a connection for a moment after an answer.

    A proxy and a browser send their next request at once. Giving the connection back to the poller and
    getting it again wakes two threads, which is a quarter of what gunicorn takes for a short request. At most
    half of the threads wait so: the others are there for whoever comes meanwhile.
    """

    def init_process(self) -> None:
        self._may_linger = threading.Semaphore(self.cfg.threads // 2)
        super().init_process()

    def handle(self, conn: Any) -> Any:
        kept = super().handle(conn)
        while kept is True and not conn.is_http2 and self._sends_more(conn):
            kept = super().handle(conn)
        return kept

    def _sends_more(self, conn: Any) -> bool:
        """Whether another request begins to arrive within the moment."""
        if not self.alive or not self._may_linger.acquire(blocking=False):
            return False
        try:
            waiting = select.poll()
            waiting.register(conn.sock, select.POLLIN)
            return bool(waiting.poll(_LINGER_MS))
        except (OSError, ValueError):
            # Closed meanwhile; gunicorn finds out by itself.
            return False
        finally:
            self._may_linger.release()


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, configured by us alone: no configuration file, no environment."""

    def __init__(self, settings: Settings, options: dict[str, Any], worker: bool) -> None:
        self._settings, self._options, self._worker = settings, options, worker
        self._running: _Background | None = None
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)
        self.cfg.set("worker_exit", self._exit)

    def load(self) -> Flask:
        """Called in each process after the fork: connections and threads belong to one process."""
        assembly = assemble(self._settings)
        if self._worker:
            assembly.begin_timed_work()
            self._running = _Background(assembly.make_worker())
        if self._settings.metrics_addr:
            assembly.metrics.serve(self._settings.metrics_addr)
        app = create_app(assembly, has_worker=self._worker)
        keep_what_is_here()
        return app

    def _exit(self, _arbiter: Any, _worker: Any) -> None:
        if self._running is not None:
            self._running.stop()


class _Background:
    """The outbox's worker in a thread beside the pages."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._thread = threading.Thread(target=worker.run_until_stopped, name="outbox-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let jobs in flight end and give the others back; what takes longer is repeated after its lease."""
        self._worker.stop()
        self._thread.join(_GRACE)


def run(settings: Settings, *, host: str, port: int, worker: bool, processes: int, threads: int) -> None:
    """Serve until a signal ends it."""
    options = {
        "bind": f"{host}:{port}",
        "workers": processes,
        "threads": threads,
        "worker_class": _Worker,
        "timeout": 120,
        "graceful_timeout": _GRACE,
        "keepalive": 15,
        "accesslog": None,
        "loglevel": "warning",
        "logger_class": _Log,
        "proc_name": "microcred",
        # Addresses and schemes come from MICROCRED_PUBLIC_URL, never from what a proxy or a client says.
        "forwarded_allow_ips": "",
        "limit_request_line": _LONGEST_LINE,
        "limit_request_field_size": 16380,
    }
    _Server(settings, options, worker).run()
