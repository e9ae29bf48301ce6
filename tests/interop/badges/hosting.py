"""A loopback web server that hosts what the public addresses of badges answer."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Host:
    """`answers` maps a path to status, content type and body; anything else is 404."""

    base: str
    answers: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)

    def put_json(self, url: str, document: Any, status: int = 200) -> None:
        self._put(url, (status, "application/ld+json", json.dumps(document).encode()))

    def put_png(self, url: str, png: bytes) -> None:
        self._put(url, (200, "image/png", png))

    def _put(self, url: str, answer: tuple[int, str, bytes]) -> None:
        assert url.startswith(self.base)
        self.answers[url.removeprefix(self.base)] = answer


@contextmanager
def hosting() -> Iterator[Host]:
    """A host on a free loopback port, until the block ends."""
    answers: dict[str, tuple[int, str, bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content_type, body = answers.get(self.path, (404, "text/plain", b"nothing here"))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Host(f"http://127.0.0.1:{server.server_port}", answers)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
