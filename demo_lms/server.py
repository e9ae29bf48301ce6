"""The web application of a platform, its script and log around it, and a server to run it."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .browser import browser
from .control import control
from .platform import Platform
from .registration import registration
from .script import Reply, Request
from .services import services
from .state import DEFAULT_ISSUER
from .teaching import pages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def create_app(platform: Platform, *, with_control: bool = False) -> Flask:
    """The WSGI application of one platform; its script and log work in any WSGI server."""
    app = Flask(__name__)
    cookie = hashlib.sha256(platform.issuer.encode()).hexdigest()[:8]
    app.config.update(
        PLATFORM=platform,
        SECRET_KEY=platform.session_secret,
        SESSION_COOKIE_NAME=f"demo_lms_{cookie}",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        MAX_CONTENT_LENGTH=4 * 1024 * 1024,
    )
    made = [services(platform.dialect), registration(platform.dialect), browser(platform.dialect), pages]
    for blueprint in (*made, *((control,) if with_control else ())):
        app.register_blueprint(blueprint)
    app.wsgi_app = ScriptedApp(app, platform)  # type: ignore[method-assign]
    return app


class ScriptedApp:
    """Logs each request, and lets the platform's script replace, delay or break its answer."""

    def __init__(self, app: Flask, platform: Platform) -> None:
        self._app: WSGIApplication = app.wsgi_app
        self._adapter = app.url_map.bind("platform")
        self._platform = platform

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = self._read(environ)
        if request.endpoint.startswith(("control.", "static", "pages.")):
            return self._app(environ, start_response)
        request.endpoint = request.endpoint.rpartition(".")[2]
        platform = self._platform
        platform.log.add(request)
        statuses: list[int] = []

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            statuses.append(int(status[:3]))
            return start_response(status, headers, exc_info)

        try:
            reply = platform.script.take(request)
            if reply is None:
                return self._app(environ, start)
            return self._scripted(reply, environ, start)
        finally:
            platform.log.finish(request, statuses[-1] if statuses else None)

    def _read(self, environ: WSGIEnvironment) -> Request:
        if environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read()
            environ["CONTENT_LENGTH"] = str(len(body))
        else:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        headers = {k[5:].replace("_", "-").title(): v for k, v in environ.items() if k.startswith("HTTP_")}
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        method = environ["REQUEST_METHOD"]
        return Request(
            self._endpoint(path, method),
            method,
            path,
            environ.get("QUERY_STRING", ""),
            headers,
            body,
            time.time(),
        )

    def _endpoint(self, path: str, method: str) -> str:
        try:
            endpoint, _ = self._adapter.match(path, method)
        except HTTPException:
            return "unknown"
        return str(endpoint)

    def _scripted(self, reply: Reply, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        pause = self._platform.script.pause
        pause(reply.delay)
        if reply.drop == "before":
            _cut(environ)
        replaced = reply.status is not None or reply.raw is not None
        status, headers, body = str(reply.status or 200), list[tuple[str, str]](), reply.body_bytes()
        if reply.apply or not replaced:
            status, headers, answered = _run(self._app, environ)
            if replaced:
                status, headers = str(reply.status), []
            else:
                body = answered
        if reply.drop == "after":
            _cut(environ)
        if reply.raw is not None:
            _send_raw(environ, reply, pause)
        names = {name.lower() for name in reply.headers}
        headers = [(k, v) for k, v in headers if k.lower() not in names] + list(reply.headers.items())
        if "content-length" not in {k.lower() for k, _ in headers}:
            headers.append(("Content-Length", str(len(body))))
        start(status if " " in status else f"{status} Scripted", headers)
        return _trickle(body, reply.trickle, pause) if reply.trickle else [body]


def _run(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
    caught: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        caught.append((status, headers))
        return lambda data: None

    body = b"".join(app(environ, start))
    return (*caught[-1], body)


def _cut(environ: WSGIEnvironment) -> None:
    """Close the connection under the client; werkzeug takes the exception for a lost client."""
    connection: socket.socket | None = environ.get("werkzeug.socket")
    if connection is not None:
        _shut(connection)
    raise ConnectionResetError("dropped as scripted")


def _send_raw(environ: WSGIEnvironment, reply: Reply, pause: Callable[[float], None]) -> None:
    connection: socket.socket = environ["werkzeug.socket"]
    data = reply.raw or b""
    for chunk in _trickle(data, reply.trickle, pause) if reply.trickle else [data]:
        connection.sendall(chunk)
    _cut(environ)


def _trickle(body: bytes, seconds: float, pause: Callable[[float], None]) -> Iterator[bytes]:
    for index in range(len(body)):
        pause(seconds)
        yield body[index : index + 1]


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(WSGIRequestHandler):
    """Keeps connections alive, as real platforms do and werkzeug's own handler does not.

    That is safe here because :class:`ScriptedApp` reads every body to its end.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        answers: list[tuple[str, list[tuple[str, str]]]] = []

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            answers.append((status, headers))
            return self.wfile.write

        body = self.server.app(self.make_environ(), start)
        try:
            self._send(*answers[-1], body)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def _send(self, status: str, headers: list[tuple[str, str]], body: Iterable[bytes]) -> None:
        code, _, reason = status.partition(" ")
        if "content-length" not in {name.lower() for name, _ in headers}:
            whole = b"".join(body)
            body = [whole]
            if code not in ("204", "304"):
                headers = [*headers, ("Content-Length", str(len(whole)))]
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            for part in body:
                self.wfile.write(part)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Silent: the platform keeps its own log, and a client that goes away is part of the game."""


class _Server(ThreadedWSGIServer):
    """Remembers its open connections, so that closing the server really ends them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)


class Server:
    """A running platform. ``url`` is its address; ``close()`` (or leaving ``with``) stops it at once."""

    def __init__(self, platform: Platform, host: str, port: int, with_control: bool) -> None:
        self.platform = platform
        self._server = _Server(host, port, lambda environ, start: [], handler=_Handler)
        self.host, self.port = host, self._server.server_port
        if platform.issuer == platform.base_url == DEFAULT_ISSUER:
            platform.issuer = self.url
        platform.base_url = self.url
        self.app = create_app(platform, with_control=with_control)
        self._server.app = self.app
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> Server:
        self._thread.start()
        return self

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.platform.script.release()
        for connection in list(self._server.connections):
            _shut(connection)
        self._thread.join(5)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(
    platform: Platform, host: str = "localhost", port: int = 0, *, with_control: bool = False
) -> Server:
    """Serve a platform in a thread. Its endpoints' address becomes the server's; so does its issuer,
    unless the platform was given one of its own."""
    return Server(platform, host, port, with_control).start()
