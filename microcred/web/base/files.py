"""Stored files on their way to a browser: ranges, safe headers, a disposition by type (design, section 3)."""

from flask import Response, g, request
from werkzeug.datastructures import ContentRange
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import dump_options_header

from microcred.storage import Storage

SHOWN_INLINE = frozenset(
    {
        *("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"),
        *(
            "audio/mpeg",
            "audio/mp4",
            "audio/ogg",
            "audio/wav",
            "audio/webm",
            "video/mp4",
            "video/webm",
            "video/ogg",
            "audio/flac",
            "audio/aac",
        ),
        "application/pdf",
    }
)
"""What a browser draws or plays without running anything of it in our pages; all else is downloaded, HTML and
SVG first.
"""
_PDF_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors {ancestors}"
"""Browsers' PDF viewers refuse to work in a sandboxed answer; a PDF's own scripts run in the viewer alone."""
_POLICY = "sandbox; default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def first_byte_asked() -> bool:
    """Whether this asks for the start of the file; later ranges belong to an opening on record already."""
    return request.range is None or request.range.ranges[0][0] == 0


def send_stored(storage: Storage, key: str, *, size: int, media_type: str, name: str) -> Response:
    """The file under `key`, or the range of it that was asked for. `name` is what a download is called.

    Raises FileMissing, and RequestedRangeNotSatisfiable (416).
    """
    start, end = _range(size)
    partial = (start, end) != (0, size)
    body = storage.stream(key, start, end) if request.method != "HEAD" else []
    response = Response(body, 206 if partial else 200, mimetype=media_type or "application/octet-stream")
    response.headers["Content-Length"] = str(end - start)
    response.headers["Accept-Ranges"] = "bytes"
    if partial:
        response.headers["Content-Range"] = ContentRange("bytes", start, end, size).to_header()
    disposition = "inline" if media_type in SHOWN_INLINE else "attachment"
    response.headers["Content-Disposition"] = dump_options_header(disposition, {"filename": name})
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = _policy(media_type)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _policy(media_type: str) -> str:
    if media_type != "application/pdf":
        return _POLICY
    # It stands in a frame of our page, which may stand in a frame of the LMS.
    return _PDF_POLICY.format(ancestors=" ".join(["'self'", *g.get("frame_ancestors", ())]))


def _range(size: int) -> tuple[int, int]:
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return 0, size
    found = asked.range_for_length(size)
    if found is None:
        raise RequestedRangeNotSatisfiable(size)
    return found
