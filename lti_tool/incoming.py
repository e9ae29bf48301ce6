"""A login or a launch as it arrives: its parameters, cookies and headers, read from the WSGI environment with
every length bounded.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.http import parse_cookie
from werkzeug.wrappers import Request

MOST_FIELDS = 200
_FORM = "application/x-www-form-urlencoded"
_DRAINED = 8 * 1024 * 1024
_CHUNK = 65536

Pairs = list[tuple[str, str]]


class TooLarge(Exception):
    """More came than is read."""


class Incoming:
    """One request. Its body is read once, here."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ

    @property
    def address(self) -> str:
        """The sender's network address, as a trusted proxy says it."""
        return str(self.environ.get("REMOTE_ADDR", ""))

    def header(self, name: str) -> str | None:
        """A header's value."""
        found: str | None = self.environ.get("HTTP_" + name.upper().replace("-", "_"))
        return found

    def query(self, limit: int) -> Pairs:
        """The parameters of the address. Raises TooLarge for more than `limit` bytes."""
        text: str = self.environ.get("QUERY_STRING", "")
        if len(text) > limit:
            raise TooLarge
        return _pairs(text)

    def form(self, limit: int) -> Pairs:
        """The parameters of the body. Raises TooLarge for more than `limit` bytes."""
        if self.environ["REQUEST_METHOD"] != "POST":
            return []
        content_type = self.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if content_type == _FORM:
            return _pairs(self._body(limit).decode("utf-8", "replace"))
        if content_type != "multipart/form-data":
            return []
        return self._multipart(limit)

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The cookies that the browser sent."""
        given: str = self.environ.get("HTTP_COOKIE", "")
        return dict(parse_cookie(given)) if given else {}

    def drain(self) -> None:
        """Read what a too long request still sends, within reason: closed early, the sender would never see
        the answer.
        """
        stream, left = self.environ["wsgi.input"], min(self._length or 0, _DRAINED)
        try:
            while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
                left -= len(chunk)
        except OSError:
            return

    @property
    def _length(self) -> int | None:
        given = self.environ.get("CONTENT_LENGTH", "")
        return int(given) if given.isascii() and given.isdecimal() else None

    def _body(self, limit: int) -> bytes:
        length = self._length
        if length is None and not self.environ.get("wsgi.input_terminated"):
            return b""
        if length is not None and length > limit:
            raise TooLarge
        body: bytes = self.environ["wsgi.input"].read(limit + 1 if length is None else length)
        if len(body) > limit:
            raise TooLarge
        return body

    def _multipart(self, limit: int) -> Pairs:
        """What no LMS sends, but a form may."""
        if (self._length or 0) > limit:
            raise TooLarge
        request = Request(self.environ)
        request.max_content_length = request.max_form_memory_size = limit
        return list(request.form.items(multi=True))


def _pairs(text: str) -> Pairs:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise TooLarge from error


def says_one_thing(pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether no parameter is given twice with different values."""
    seen: dict[str, str] = {}
    return all(seen.setdefault(name, value) == value for name, value in pairs)
