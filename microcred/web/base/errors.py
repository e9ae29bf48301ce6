"""Error pages: what happened, what was kept, what to do. One place turns errors into answers."""

from dataclasses import dataclass

import structlog
from flask import Flask, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from microcred.operations.errors import OperationRefused
from microcred.storage import FileMissing, StorageError
from microcred.web.base import wording
from microcred.web.base.incoming import BodyTooLarge, CrossSite, request_id, typed_texts, wants_fragment

RETRY_SECONDS = 10
_log = structlog.get_logger("web")


@dataclass(frozen=True)
class Said:
    """An error in plain words; `code` is for programs and for whoever is asked for help."""

    status: int
    code: str
    title: str
    message: str


_BY_STATUS = {
    400: (
        "That did not arrive whole",
        "Something was missing in what your browser sent. Go back and try once more.",
    ),
    403: (
        "This page is not yours to open",
        "You are signed in, but this belongs to somebody else or to another role.",
    ),
    404: ("There is nothing here", "The address may be old, or what it showed was removed."),
    405: ("That cannot be done here", "Go back and use the buttons on the page."),
    409: ("Something changed meanwhile", "Go back, reload the page and look again. Nothing was overwritten."),
    413: ("That is too large", "Nothing of it was kept. Everything you saved before is still there."),
    429: ("That was very fast", "Wait a minute, then try again."),
    503: (
        "We cannot reach our records right now",
        "Everything you saved is still there. Try again in a minute.",
    ),
}
_OTHERWISE = (
    "Something went wrong on our side",
    "Everything you saved is still there. Try again; if it stays, ask for help.",
)


def answer(said: Said) -> Response:
    """The error as a page, or as a note where a script asked for a fragment."""
    template = "base/error_note.html" if wants_fragment() else "base/error.html"
    texts = typed_texts() if request.method == "POST" and said.status != 413 else []
    page = render_template(template, said=said, request_id=request_id(), texts=texts)
    response = make_response(page, said.status)
    if said.status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def register_errors(app: Flask) -> None:
    """Give every error of the pages its words."""
    app.register_error_handler(OperationRefused, _refused)
    app.register_error_handler(BodyTooLarge, _too_large)
    app.register_error_handler(CrossSite, _cross_site)
    app.register_error_handler(FileMissing, _file_missing)
    for away in (OperationalError, InterfaceError, PoolTimeout, StorageError):
        app.register_error_handler(away, _unavailable)
    for crossed in (IntegrityError, StaleDataError):
        app.register_error_handler(crossed, _changed_meanwhile)
    app.register_error_handler(DataError, _unstorable)
    app.register_error_handler(HTTPException, _http)


def _refused(error: OperationRefused) -> Response:
    title = _BY_STATUS.get(error.status, _OTHERWISE)[0]
    return answer(Said(error.status, error.code, title, error.message))


def _too_large(error: BodyTooLarge) -> Response:
    message = (
        f"It is {wording.size(error.size)} and the limit is {wording.size(error.limit)}. {_BY_STATUS[413][1]}"
    )
    return answer(Said(413, "too_large", _BY_STATUS[413][0], message))


def _cross_site(_error: CrossSite) -> Response:
    message = "For safety, changes are taken only from our own pages. Go back, reload the page and try again."
    return answer(Said(403, "cross_site", "That did not come from one of our pages", message))


def _file_missing(_error: FileMissing) -> Response:
    return answer(
        Said(404, "file_missing", "This file is no longer here", "It was removed, or its time was over.")
    )


def _unavailable(error: Exception) -> Response:
    # The driver's own words: the whole error would hold the values of the statement.
    cause = str(getattr(error, "orig", error))[:200]
    _log.error("temporarily_unavailable", request_id=request_id(), error=type(error).__name__, cause=cause)
    return answer(Said(503, "temporarily_unavailable", *_BY_STATUS[503]))


def _unstorable(error: DataError) -> Response:
    # A sign that no database keeps, or a number beyond all bounds: nothing that a page of ours sends.
    _log.warning("unstorable", request_id=request_id(), error=type(error.orig).__name__)
    return answer(Said(400, "unstorable", *_BY_STATUS[400]))


def _changed_meanwhile(_error: Exception) -> Response:
    return answer(Said(409, "changed_meanwhile", *_BY_STATUS[409]))


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    response = answer(Said(error.code, f"http_{error.code}", *_BY_STATUS.get(error.code, _OTHERWISE)))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response
