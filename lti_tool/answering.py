"""What every answer of the LTI addresses carries: security headers, and a page for every refusal (DESIGN
section 5).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from flask import Response, g, render_template, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from lti_tool.errors import LtiRefused, Refusal
from lti_tool.front import came_by_http
from lti_tool.headers import secured
from lti_tool.settings import LtiSettings
from microcred.database import random_id

_DRAINED = 8 * 1024 * 1024
_log = structlog.get_logger("lti")

RenderRefusal = Callable[[Refusal], str]


class Answers:
    """The base of the views."""

    def __init__(self, settings: LtiSettings, render_refusal: RenderRefusal) -> None:
        self.settings = settings
        self.render_refusal = render_refusal

    def redirect(self, url: str, origins: tuple[str, ...], status: int = 302) -> Response:
        """To another address."""
        return self.secured(Response(status=status, headers={"Location": url}), origins)

    def page(self, html: str, status: int, origins: tuple[str, ...]) -> Response:
        """An HTML page that `origins` may frame."""
        return self.secured(Response(html, status, mimetype="text/html"), origins)

    def secured(self, response: Response, origins: tuple[str, ...]) -> Response:
        """`response` with the headers that every answer carries."""
        response.headers.update(secured(self.settings, origins))
        return response

    def require_https(self) -> None:
        """No token is read from a request that came by plain http, as a proxy says. Raises LtiRefused."""
        if self.settings.is_https and came_by_http(request.headers.get("X-Forwarded-Proto")):
            raise LtiRefused("url_not_allowed", detail="https is required")

    # refusals

    def guarded(self, view: Callable[..., Response]) -> Callable[..., Response]:
        """`view`, with every refusal turned into its page and one log line."""

        @wraps(view)
        def guarded(**values: Any) -> Response:
            try:
                return view(**values)
            except LtiRefused as refused:
                return self.refused(refused)
            except (DBAPIError, PoolTimeout) as error:
                # The error's text may hold what was to be stored, so only its kind is logged.
                _log.error("database_unavailable", error=type(error).__name__)
                return self.refused(LtiRefused("temporarily_unavailable"))

        return guarded

    def refused(self, refused: LtiRefused) -> Response:
        """The page of a refusal, and its log line."""
        request_id = getattr(g, "request_id", None) or random_id(16)
        g.request_id = request_id
        _log.warning(
            "launch_refused",
            code=refused.code,
            request_id=request_id,
            registration_id=refused.registration_id,
        )
        page = self.render_refusal(Refusal.of(refused, request_id))
        response = self.page(page, refused.status, refused.origins)
        response.headers["X-LTI-Error"] = refused.code
        response.headers["X-Request-Id"] = request_id
        if refused.retry_after:
            response.headers["Retry-After"] = str(refused.retry_after)
        return response


def plain_refusal(refusal: Refusal) -> str:
    """The refusal page of a tool that brings none of its own."""
    return render_template("lti/refusal.html", refusal=refusal)


def drain() -> None:
    """Read what a too long request still sends, within reason: closed early, the sender would never see the
    answer.
    """
    stream, left = request.environ["wsgi.input"], min(request.content_length or 0, _DRAINED)
    try:
        while left > 0 and (chunk := stream.read(min(65536, left))):
            left -= len(chunk)
    except (OSError, HTTPException):
        return
