"""The HTTP server: gunicorn with threads, started from the command line with settings that are already
read.
"""

import threading
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from microcred.app.factory import create_app
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, configured by us alone: no configuration file, no environment."""

    def __init__(self, settings: Settings, options: dict[str, Any], worker: bool) -> None:
        self._settings, self._options, self._worker = settings, options, worker
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called in each process after the fork: connections and threads belong to one process."""
        assembly = assemble(self._settings)
        if self._worker:
            _start_worker(assembly)
        return create_app(assembly)


def _start_worker(assembly: Assembly) -> None:
    threading.Thread(
        target=assembly.make_worker().run_until_stopped, name="outbox-worker", daemon=True
    ).start()


def run(settings: Settings, *, host: str, port: int, worker: bool, processes: int, threads: int) -> None:
    """Serve until a signal ends it."""
    options = {
        "bind": f"{host}:{port}",
        "workers": processes,
        "threads": threads,
        "worker_class": "gthread",
        "timeout": 120,
        "graceful_timeout": 20,
        "keepalive": 15,
        "accesslog": None,
        "loglevel": "warning",
        "proc_name": "microcred",
        # Addresses and schemes come from MICROCRED_PUBLIC_URL, never from what a proxy or a client says.
        "forwarded_allow_ips": "",
        "limit_request_line": 8190,
        "limit_request_field_size": 16380,
    }
    _Server(settings, options, worker).run()
