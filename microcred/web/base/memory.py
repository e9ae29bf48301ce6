"""Pages of a launch whose browser keeps no cookie at all: one page that holds the session's credential in its
memory, fetches every other page with it, and shows each in a frame of its own (DESIGN section 3).
"""

from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, render_template, request

from lti_tool.recording import Accepted
from lti_tool.sessions import HEADER, PageSession
from microcred.web.base.headers import allow_frames, content_security_policy
from microcred.web.services import services

memory = Blueprint("memory", __name__)
GO_TO = "X-Go-To"
"""Where an answer leads that a script cannot follow: another site."""


def open_in_memory(accepted: Accepted, credential: str) -> Response:
    """The page that opens a launch which was bound by platform storage."""
    used = services()
    with used.database.reading() as session:
        launch = used.lti.sessions.resolve(session, accepted.launch_public_id, credential)
    allow_frames(launch.platform_origins)
    home = f"/app/{accepted.launch_public_id}/"
    return _shell(home, credential, launch.platform_origins, _answers_to(launch))


@memory.get("/memory")
def tab() -> Response:
    """The same in a tab of its own: it asks the page that opened it for page and credential."""
    return _shell("", "", (), "")


def _shell(page: str, credential: str, origins: tuple[str, ...], sends_to: str) -> Response:
    response = make_response(render_template("base/memory.html", page=page, credential=credential))
    policy = content_security_policy(origins)
    for directive, more in (("img-src", "blob:"), ("media-src", "blob:"), ("form-action", sends_to)):
        policy = policy.replace(f"{directive} 'self'", f"{directive} 'self' {more}".strip())
    # Each page stands in a frame without an address; this is what its relative links begin from.
    response.headers["Content-Security-Policy"] = policy.replace("base-uri 'none'", "base-uri 'self'")
    return response


def _answers_to(launch: PageSession) -> str:
    """The origin that a deep linking answer is posted to."""
    if launch.deep_linking is None:
        return ""
    parts = urlsplit(str(launch.deep_linking["deep_link_return_url"]))
    return f"{parts.scheme}://{parts.netloc}"


def tell_where_to_go(response: Response) -> Response:
    """Instead of a redirect to another site, which a script may not follow, say its address."""
    if HEADER not in request.headers or response.location is None:
        return response
    ours, to = urlsplit(services().settings.public_url), urlsplit(response.location)
    if not to.netloc or (to.scheme, to.netloc) == (ours.scheme, ours.netloc):
        return response
    return Response(status=204, headers={GO_TO: response.location})
