"""A small clamd, written after its manual alone (clamd(8), "COMMANDS"): PING and INSTREAM over TCP or a unix
socket. It finds the EICAR test file and nothing else.
"""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        command = self._until_zero()
        if command == b"zPING":
            self.wfile.write(b"PONG\0")
        elif command == b"zINSTREAM":
            self.wfile.write(self._scan() + b"\0")
        else:
            self.wfile.write(b"UNKNOWN COMMAND\0")

    def _until_zero(self) -> bytes:
        said = b""
        while len(said) < 1024 and (byte := self.rfile.read(1)) not in (b"", b"\0"):
            said += byte
        return said

    def _scan(self) -> bytes:
        content, limit = b"", self.server.limit  # type: ignore[attr-defined]
        while length := int.from_bytes(self.rfile.read(4), "big"):
            content += self.rfile.read(length)
            if len(content) > limit:
                return b"INSTREAM size limit exceeded. ERROR"
        self.server.scanned.append(len(content))  # type: ignore[attr-defined]
        return b"stream: Eicar-Test-Signature FOUND" if EICAR in content else b"stream: OK"


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class Scanner:
    """A running one; `scanned` has the length of every file it was sent."""

    def __init__(self, server: _Tcp | _Unix, url: str) -> None:
        self.url = url
        self.scanned: list[int] = []
        server.scanned = self.scanned  # type: ignore[union-attr]


@contextmanager
def running(*, limit: int = 1 << 30, socket: Path | None = None) -> Iterator[Scanner]:
    """One that takes files of at most `limit` bytes, on a free port or at `socket`."""
    server: _Tcp | _Unix
    if socket is None:
        server = _Tcp(("127.0.0.1", 0), _Handler)
        url = f"tcp://127.0.0.1:{server.server_address[1]}"
    else:
        server = _Unix(str(socket), _Handler)
        url = f"unix://{socket}"
    server.limit = limit  # type: ignore[union-attr]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Scanner(server, url)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
