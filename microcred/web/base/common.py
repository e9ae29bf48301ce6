"""Pages that every surface has: help, opening in a new tab, and the door of `/desk/`."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from lti_tool.sessions import SessionEnded
from microcred.people import links
from microcred.web.base.incoming import check_same_origin
from microcred.web.base.surface import DESK_COOKIE, surface
from microcred.web.services import services

common_pages = Blueprint("common", __name__)
desk_door = Blueprint("door", __name__, url_prefix="/desk")
handover = Blueprint("handover", __name__)

_DOOR_WORDS = {
    "unknown": "This link is not one of ours. Check that you copied all of it.",
    "used": "This link was used already. Each link opens the desk once; ask for a new one.",
    "expired": "This link is too old. Ask the person who invited you for a new one.",
    "blocked": "This account is closed. Ask the organization that invited you.",
}


@common_pages.get("/help")
def help_page() -> ResponseReturnValue:
    """Where to turn, the same place on every page."""
    return render_template("base/help.html")


@common_pages.get("/form-token")
def form_token() -> ResponseReturnValue:
    """The token of this session's forms, for a page that outlived its own session (see `ended`)."""
    return {"form_token": surface().form_token}


@common_pages.post("/open")
def make_handover() -> ResponseReturnValue:
    """Make a one-use link that opens this page in a new tab; a new tab has another cookie partition."""
    launch = surface().launch
    if launch is None:
        raise NotFound
    place = _place(request.form.get("place", ""), launch.launch_public_id)
    secret = services().lti.sessions.make_handover(launch.launch_public_id)
    url = url_for("handover.take", launch_id=launch.launch_public_id, h=secret, to=place)
    if "X-Fragment" in request.headers:
        return {"url": url}
    return render_template("base/handover.html", url=url)


def _place(path: str, launch_id: str) -> str:
    """The part of `path` below `/app/<L>/`; empty for anything else."""
    below = f"/app/{launch_id}/"
    return path[len(below) :] if path.startswith(below) else ""


@handover.get("/app/<launch_id>/open")
def take(launch_id: str) -> ResponseReturnValue:
    """Use the one-use link: sets the launch's cookie in this tab's partition."""
    used = services()
    try:
        with used.database.writing() as session:
            cookie = used.lti.sessions.take_handover(session, launch_id, request.args.get("h", ""))
    except SessionEnded:
        return render_template("base/handover_used.html"), 403
    place = request.args.get("to", "")
    # The address is built by us from the launch and a path below it, so no other site can be named.
    home = url_for("app.teacher.home", launch_id=launch_id)
    response = redirect(home + place.lstrip("/") if ".." not in place else home, 303)
    response.set_cookie(cookie.name, cookie.value, **cookie.attributes)
    return response


@desk_door.get("/enter")
def enter_page() -> ResponseReturnValue:
    """Show whom a one-time link is for; only the button uses it up, since mail scanners open links too."""
    secret = request.args.get("t", "")
    try:
        with services().database.reading() as session:
            person = links.look(session, secret, services().clock.now())
            name = person.name
    except links.LinkRefused as refused:
        return _no_entry(refused)
    return render_template("base/enter.html", secret=secret, name=name)


@desk_door.post("/enter")
def enter() -> ResponseReturnValue:
    """Use the link and open the desk."""
    check_same_origin()
    used = services()
    try:
        with used.database.writing() as session:
            secret = links.enter(session, request.form.get("t", ""), used.clock.now())
    except links.LinkRefused as refused:
        return _no_entry(refused)
    response = redirect(url_for("desk.home.index"), 303)
    response.set_cookie(DESK_COOKIE, secret, path="/desk/", secure=True, httponly=True, samesite="Lax")
    return response


def _no_entry(refused: links.LinkRefused) -> ResponseReturnValue:
    page = render_template("base/no_entry.html", code=refused.code, message=_DOOR_WORDS[refused.code])
    return make_response(page, 403)
