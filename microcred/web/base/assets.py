"""Static files under addresses that name their content, so that browsers may keep them for a year."""

import hashlib
from pathlib import Path

from flask import Blueprint, Response, abort, send_from_directory, url_for

FOLDER = Path(__file__).resolve().parent.parent / "static"
_DIGEST_CHARS = 12

assets = Blueprint("assets", __name__, url_prefix="/assets")


def _digests() -> dict[str, str]:
    files = (path for path in sorted(FOLDER.rglob("*")) if path.suffix in {".css", ".js", ".svg", ".png"})
    return {
        path.relative_to(FOLDER).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGEST_CHARS]
        for path in files
    }


class Assets:
    """The static files as they were when the process began."""

    def __init__(self) -> None:
        self._digests = _digests()

    def url(self, name: str) -> str:
        """The address of a static file. Raises KeyError for a missing one (`make setup` brings vendor/)."""
        return url_for("assets.serve", digest=self._digests[name], name=name)


@assets.get("/<digest>/<path:name>")
def serve(digest: str, name: str) -> Response:
    """One static file. The digest is only there to make addresses change with content."""
    if len(digest) != _DIGEST_CHARS:
        abort(404)
    response = send_from_directory(FOLDER, name)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
