"""The Flask application."""

import tempfile
import time
from pathlib import Path
from typing import IO

from flask import Flask, Request, Response, jsonify
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.middleware.proxy_fix import ProxyFix

from lti_tool.http import create_blueprint as create_lti
from microcred import outbox
from microcred.app.wiring import Assembly
from microcred.storage import StorageError
from microcred.web import pages

_IN_MEMORY = 500 * 1024
"""Bytes of an uploaded file that are kept in memory; a longer one goes to disk."""


def create_app(assembly: Assembly, *, has_worker: bool = False) -> Flask:
    """The tool's WSGI application over an assembly of parts; `has_worker` says that this process does
    background work too, and is ready only while it does.
    """
    app = Flask("microcred", static_folder=None)
    app.request_class = _spooling_in(assembly.settings.data_dir / "work")
    app.config.update(
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=1000,
        PREFERRED_URL_SCHEME="https",
    )
    assembly.services().install(app)
    app.register_blueprint(
        create_lti(
            assembly.lti, pages.render_refusal, pages.open_in_memory, answered=assembly.metrics.answered
        )
    )
    pages.install(app)
    _health(app, assembly, has_worker)
    assembly.metrics.watch(app)
    if assembly.settings.trusted_proxies:
        # Only the client's address is taken from the proxy, for rate limits; addresses of ours come from
        # PUBLIC_URL.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=assembly.settings.trusted_proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0
        )
    return app


def _spooling_in(folder: Path) -> type[Request]:
    """Requests whose uploaded files wait in `folder`, on a disk: the usual place is memory in a container."""

    class SpoolingRequest(Request):
        def _get_file_stream(
            self,
            total_content_length: int | None,
            content_type: str | None,
            filename: str | None = None,
            content_length: int | None = None,
        ) -> IO[bytes]:
            folder.mkdir(parents=True, exist_ok=True)
            return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder))

    return SpoolingRequest


def _health(app: Flask, assembly: Assembly, has_worker: bool) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        """Up."""
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        """Able to work: database and storage answer, and a worker lives.

        A process that brings no worker of its own only tells that none is seen: pages work without one, and
        what it would do waits.
        """
        started = time.monotonic()
        problems = []
        worker = False
        try:
            with assembly.database.reading() as session:
                worker = outbox.a_worker_lives(session, now=assembly.clock.now())
        except (DBAPIError, PoolTimeout):
            problems.append("database")
        try:
            assembly.storage.check()
        except (StorageError, OSError):
            problems.append("storage")
        if has_worker and not worker:
            problems.append("worker")
        body = {
            "status": "not ready" if problems else "ready",
            "problems": problems,
            "worker": "alive" if worker else "not seen",
            "seconds": round(time.monotonic() - started, 3),
        }
        return jsonify(body), 503 if problems else 200
