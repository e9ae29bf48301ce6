"""What every request is asked first: its id, its size, whether it may change anything."""

from collections.abc import Callable
from typing import TypeVar

from flask import current_app, g, request
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge

from microcred.database import random_id
from microcred.web.services import services

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TOKEN = "form_token"  # noqa: S105 (the name of the field)
FORM_TOKEN_HEADER = "X-Form-Token"  # noqa: S105 (the name of a header)
TEXT_PREFIX = "text"
"""Fields whose names begin so hold what a person typed; it is shown again when a page session has ended."""
BODY_BYTES = 2 * 1024 * 1024
"""The longest body of a request that brings no file."""
_AROUND_A_FILE = 64 * 1024
_DRAIN_CHUNK = 256 * 1024

View = TypeVar("View", bound=Callable[..., object])


class BodyTooLarge(RequestEntityTooLarge):
    """A body over the limit, both in bytes. Nothing of it was kept."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__()
        self.size = size
        self.limit = limit


class CrossSite(Forbidden):
    """A request that changes something came from another site, or without the form's token."""


def request_id() -> str:
    """The correlation id of this request: on error pages, in logs and in X-Request-Id."""
    if "request_id" not in g:
        raw = random_id(12)
        g.request_id = f"{raw[:4]}-{raw[4:8]}-{raw[8:]}"
    found: str = g.request_id
    return found


def wants_fragment() -> bool:
    """Whether a script asks for a part of a page: htmx, or our own."""
    return "HX-Request" in request.headers or "X-Fragment" in request.headers


def takes_files(view: View) -> View:
    """Mark a view whose form brings a file; all other bodies are held to `BODY_BYTES`."""
    view.takes_files = True  # type: ignore[attr-defined]
    return view


def check_size() -> None:
    """Set the limit for this request's body. Raises BodyTooLarge."""
    view = current_app.view_functions.get(request.endpoint or "")
    file_limit = services().settings.max_upload_bytes if hasattr(view, "takes_files") else None
    limit = BODY_BYTES if file_limit is None else file_limit + _AROUND_A_FILE
    request.max_content_length = limit
    if (request.content_length or 0) > limit:
        # A browser that is still sending would see a broken connection instead of the answer.
        _drain(limit)
        raise BodyTooLarge(request.content_length or 0, file_limit or BODY_BYTES)


def _drain(at_most: int) -> None:
    stream, read = request.environ["wsgi.input"], 0
    while read < min(at_most, request.content_length or 0):
        chunk = stream.read(min(_DRAIN_CHUNK, (request.content_length or 0) - read))
        if not chunk:
            return
        read += len(chunk)


def check_same_origin() -> None:
    """Refuse an unsafe method from another site (design, section 3). Raises CrossSite."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    same = (
        site == "same-origin"
        if site is not None
        else request.headers.get("Origin") == services().settings.public_url
    )
    if not same:
        raise CrossSite


def typed_texts() -> list[str]:
    """What a person typed into the form of this request, without what is empty."""
    return [
        value
        for name, values in request.form.lists()
        if name.startswith(TEXT_PREFIX)
        for value in values
        if value.strip()
    ]
