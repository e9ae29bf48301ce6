"""The two places where people work: `/app/<L>/` (pages of a launch) and `/desk/` (a first-party session).

A page that exists on both is one blueprint, registered in both; `page_url` keeps people on the surface they
are on. Who they are and what they may is looked up again for every request.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from flask import Blueprint, g, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.sessions import COOKIE, HEADER, PageSession, SessionEnded
from microcred.operations import rooms
from microcred.operations.actor import Actor, actor_for_desk, actor_for_launch
from microcred.people import links, policies
from microcred.web.base.ended import desk_ended_page, launch_ended_page
from microcred.web.base.headers import allow_frames
from microcred.web.base.incoming import (
    FORM_TOKEN,
    FORM_TOKEN_HEADER,
    SAFE_METHODS,
    CrossSite,
    check_same_origin,
    check_size,
)
from microcred.web.services import services

DESK_COOKIE = "__Secure-desk"


@dataclass(frozen=True)
class Surface:
    """Where this request takes place, and who is at work."""

    name: Literal["app", "desk"]
    actor: Actor
    form_token: str
    zone: ZoneInfo
    """The organization's time zone: all dates are shown in it."""
    launch: PageSession | None = None
    desk: links.OpenDesk | None = None


def surface() -> Surface:
    """The surface of this request; only inside pages of `/app/<L>/` and `/desk/`."""
    found: Surface = g.surface
    return found


def has_surface() -> bool:
    """Whether this request is one of `/app/<L>/` or `/desk/` with an open session."""
    return "surface" in g


def actor() -> Actor:
    """Who is at work in this request."""
    return surface().actor


def page_url(endpoint: str, **values: Any) -> str:
    """The address of a page on the surface of this request; `endpoint` is `blueprint.view`."""
    here = surface()
    if here.launch is not None:
        values["launch_id"] = here.launch.launch_public_id
    return url_for(f"{here.name}.{endpoint}", **values)


def launch_surface(pages: Sequence[Blueprint]) -> Blueprint:
    """`/app/<L>/` with these blueprints on it."""
    parent = Blueprint("app", __name__, url_prefix="/app/<launch_id>")
    parent.url_value_preprocessor(_take_launch_id)
    parent.before_request(_enter_launch)
    for child in pages:
        parent.register_blueprint(child)
    return parent


def desk_surface(pages: Sequence[Blueprint]) -> Blueprint:
    """`/desk/` with these blueprints on it."""
    parent = Blueprint("desk", __name__, url_prefix="/desk")
    parent.before_request(_enter_desk)
    for child in pages:
        parent.register_blueprint(child)
    return parent


def _take_launch_id(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.launch_id = (values or {}).pop("launch_id", "")


def _enter_launch() -> ResponseReturnValue | None:
    used, launch_id = services(), g.launch_id
    check_same_origin()
    credential = request.cookies.get(COOKIE) or request.headers.get(HEADER)
    try:
        with used.database.reading() as session:
            launch = used.lti.sessions.resolve(session, launch_id, credential)
            who = actor_for_launch(session, launch, used.clock.now())
            zone = policies.zone_of(session, launch.organization_id)
    except SessionEnded as ended:
        check_size()
        return launch_ended_page(launch_id, ended.reason)
    if launch.needs_touch:
        used.lti.sessions.touch(launch)
    allow_frames(launch.platform_origins)
    g.surface = Surface("app", who, used.lti.sessions.form_token(launch_id), zone, launch=launch)
    check_size()
    _check_form_token()
    _check_room()
    return None


def _enter_desk() -> ResponseReturnValue | None:
    used = services()
    check_same_origin()
    now = used.clock.now()
    try:
        with used.database.reading() as session:
            desk = links.resume(session, request.cookies.get(DESK_COOKIE, ""), now)
            who = actor_for_desk(session, desk.person_id, now)
            offices = [office.organization_id for office in who.offices if office.organization_id is not None]
            zone = policies.zone_of(session, offices[0] if offices else None)
            stale = links.needs_touch(session, desk, now)
    except links.DeskEnded:
        check_size()
        return desk_ended_page()
    if stale:
        with used.database.writing() as session:
            links.touch(session, desk, now)
    g.surface = Surface("desk", who, used.keyring.mac("form", f"desk:{desk.session_id}"), zone, desk=desk)
    check_size()
    _check_form_token()
    _check_room()
    return None


def _check_room() -> None:
    here = surface()
    rooms.require(here.actor, (request.endpoint or "").removeprefix(f"{here.name}."))


def _check_form_token() -> None:
    if request.method in SAFE_METHODS:
        return
    # Uploads bring bytes, not a form: their token stands in a header.
    here, given = surface(), request.form.get(FORM_TOKEN) or request.headers.get(FORM_TOKEN_HEADER, "")
    if here.launch is not None:
        good = services().lti.sessions.check_form_token(here.launch.launch_public_id, given)
    else:
        assert here.desk is not None
        good = services().keyring.check_mac("form", f"desk:{here.desk.session_id}", given)
    if not good:
        raise CrossSite
