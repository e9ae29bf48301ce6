"""The Flask application."""

import time

from flask import Flask, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from lti_tool.http import create_blueprint as create_lti
from microcred.app.wiring import Assembly
from microcred.storage import StorageError
from microcred.web import pages


def create_app(assembly: Assembly) -> Flask:
    """The tool's WSGI application over an assembly of parts."""
    app = Flask("microcred", static_folder=None)
    app.config.update(
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=1000,
        PREFERRED_URL_SCHEME="https",
    )
    assembly.services().install(app)
    app.register_blueprint(create_lti(assembly.lti, pages.render_refusal))
    pages.install(app)
    _health(app, assembly)
    if assembly.settings.trusted_proxies:
        # Only the client's address is taken from the proxy, for rate limits; addresses of ours come from
        # PUBLIC_URL.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=assembly.settings.trusted_proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0
        )
    return app


def _health(app: Flask, assembly: Assembly) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        """Up."""
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        """Able to work: database and storage answer."""
        started = time.monotonic()
        problems = []
        try:
            with assembly.database.reading() as session:
                session.execute(text("SELECT 1"))
        except SQLAlchemyError:
            problems.append("database")
        try:
            assembly.storage.check()
        except (StorageError, OSError):
            problems.append("storage")
        body = {"status": "not ready" if problems else "ready", "problems": problems}
        body["seconds"] = round(time.monotonic() - started, 3)  # type: ignore[assignment]
        return jsonify(body), 503 if problems else 200
