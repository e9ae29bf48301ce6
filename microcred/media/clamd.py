"""A malware scan by clamd: its INSTREAM command over TCP or a unix socket (clamd(8), "COMMANDS")."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_PORT = 3310
_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 300
_LONGEST_ANSWER = 4096


class ScannerAway(Exception):
    """clamd cannot be reached, or said something that is no verdict."""


class TooLargeToScan(Exception):
    """The file is longer than clamd's StreamMaxLength."""


@dataclass(frozen=True)
class Verdict:
    """What clamd says; `found` names the malware, empty where there is none."""

    found: str

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.found


class Clamd:
    """A clamd at `tcp://host:port` or `unix:///path`. Raises ValueError for an address of another kind."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "tcp" and parts.hostname:
            self._address: tuple[str, int] | str = (parts.hostname, parts.port or _PORT)
        elif parts.scheme == "unix" and parts.path:
            self._address = unquote(parts.path)
        else:
            raise ValueError("must be tcp://host:port or unix:///path/of/the/socket")

    def ping(self) -> None:
        """Raises ScannerAway unless clamd answers."""
        try:
            with self._connected() as connection:
                connection.sendall(b"zPING\0")
                answer = _answer(connection)
        except OSError as error:
            raise ScannerAway(str(error)) from error
        if answer != "PONG":
            raise ScannerAway(f"answered {answer[:80]!r}")

    def scan(self, chunks: Iterable[bytes]) -> Verdict:
        """The verdict on a file. Raises ScannerAway, TooLargeToScan."""
        try:
            with self._connected() as connection:
                return _verdict(_streamed(connection, chunks))
        except OSError as error:
            raise ScannerAway(str(error)) from error

    def _connected(self) -> socket.socket:
        if isinstance(self._address, tuple):
            connection = socket.create_connection(self._address, timeout=_CONNECT_SECONDS)
        else:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(_CONNECT_SECONDS)
                connection.connect(self._address)
            except OSError:
                connection.close()
                raise
        connection.settimeout(_ANSWER_SECONDS)
        return connection


def _streamed(connection: socket.socket, chunks: Iterable[bytes]) -> str:
    connection.sendall(b"zINSTREAM\0")
    try:
        for chunk in chunks:
            if chunk:
                connection.sendall(len(chunk).to_bytes(4, "big") + chunk)
        connection.sendall(bytes(4))
    except (BrokenPipeError, ConnectionResetError):
        # Past its limit clamd answers and hangs up, in the middle of what is sent.
        pass
    return _answer(connection)


def _answer(connection: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
        more = connection.recv(_LONGEST_ANSWER)
        if not more:
            break
        answer += more
    return answer.rstrip(b"\0\n").decode("utf-8", "replace").strip()


def _verdict(answer: str) -> Verdict:
    if "size limit exceeded" in answer:
        raise TooLargeToScan
    said = answer.removeprefix("stream:").strip()
    if said == "OK":
        return Verdict("")
    if said.endswith(" FOUND"):
        return Verdict(said.removesuffix(" FOUND").strip() or "malware")
    raise ScannerAway(f"answered {answer[:80]!r}")
