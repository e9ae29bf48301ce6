"""Headers of every answer: content security policy, framing, caching."""

from collections.abc import Iterable

from flask import Response, g

from microcred.web.base.incoming import request_id
from microcred.web.services import services

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "media-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors {ancestors}"
)


def allow_frames(origins: Iterable[str]) -> None:
    """Let these origins frame the answer to this request; without this call nobody may."""
    g.frame_ancestors = tuple(origins)


def content_security_policy(origins: Iterable[str] = ()) -> str:
    """The policy of our pages: own scripts and styles only, framed by `origins` alone."""
    return _POLICY.format(ancestors=" ".join(origins) or "'none'")


def add_headers(response: Response) -> Response:
    """Complete an answer; a header that a view has set stays."""
    headers = response.headers
    headers["X-Request-Id"] = request_id()
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # The page address names a page session; other sites are not told it.
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Content-Security-Policy", content_security_policy(g.get("frame_ancestors", ())))
    if services().settings.public_url.startswith("https:"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
