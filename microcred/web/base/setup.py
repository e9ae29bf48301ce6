"""Makes a Flask app serve our pages: templates, assets, headers, errors, surfaces."""

from collections.abc import Sequence

from flask import Blueprint, Flask, request
from werkzeug.exceptions import NotFound

from microcred.web.base import wording
from microcred.web.base.art import badge_art, ring
from microcred.web.base.assets import Assets, assets
from microcred.web.base.common import common_pages, desk_door, handover
from microcred.web.base.ended import relaunch
from microcred.web.base.errors import register_errors
from microcred.web.base.headers import add_headers
from microcred.web.base.icons import icon
from microcred.web.base.incoming import request_id
from microcred.web.base.memory import memory, tell_where_to_go
from microcred.web.base.navigation import navigation, unread_notices
from microcred.web.base.surface import desk_surface, has_surface, launch_surface, page_url, surface
from microcred.web.services import services


def init_web(
    app: Flask,
    *,
    launch: Sequence[Blueprint],
    desk: Sequence[Blueprint],
    public: Sequence[Blueprint] = (),
) -> None:
    """Put `launch` under `/app/<L>/`, `desk` under `/desk/`, `public` where they say.

    A blueprint may be in both of the first two. Its endpoints are then `app.<blueprint>.<view>` and
    `desk.<blueprint>.<view>`; `page_url("<blueprint>.<view>")` finds the right one.
    """
    app.register_blueprint(Blueprint("web", __name__, template_folder="../templates"))
    app.register_blueprint(assets)
    app.register_blueprint(desk_door)
    app.register_blueprint(handover)
    app.register_blueprint(relaunch)
    app.register_blueprint(memory)
    app.register_blueprint(launch_surface([common_pages, *launch]))
    app.register_blueprint(desk_surface([common_pages, *desk]))
    for blueprint in public:
        app.register_blueprint(blueprint)
    app.before_request(_begin)
    app.after_request(add_headers)
    app.after_request(tell_where_to_go)
    app.teardown_request(_close_uploads)
    register_errors(app)
    _teach_templates(app)


def _begin() -> None:
    request_id()
    if "\0" in request.path:
        # No id holds one, and PostgreSQL would not even look for it.
        raise NotFound


def _close_uploads(_error: BaseException | None) -> None:
    """Give spooled uploads back to the system at once."""
    request.close()


def _teach_templates(app: Flask) -> None:
    environment = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals.update(
        icon=icon,
        badge_art=badge_art,
        ring=ring,
        asset=Assets().url,
        page_url=page_url,
        surface=surface,
        has_surface=has_surface,
        navigation=navigation,
        unread_notices=unread_notices,
        request_id=request_id,
        wording=wording,
    )
    environment.filters.update(
        day=lambda moment: wording.day(moment, surface().zone),
        date=lambda moment: wording.date(moment, surface().zone),
        clock=lambda moment: wording.clock_time(moment, surface().zone),
        when=lambda moment: wording.when(moment, services().clock.now(), surface().zone),
        size=wording.size,
        number=wording.number,
    )
