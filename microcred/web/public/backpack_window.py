"""The window in which somebody connects a backpack: a tab of its own, outside the LMS.

It has no page session. The ticket of the person's own page opens it, once; from then on a cookie of this
window alone makes the host's answer count.
"""

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from microcred.badges.backpack.errors import BackpackError
from microcred.operations import backpacks
from microcred.operations.errors import OperationRefused
from microcred.web.base.assets import FOLDER
from microcred.web.services import services

blueprint = Blueprint("backpack", __name__, url_prefix="/backpacks")

_COOKIE = "__Secure-backpack-"
_SECONDS = 15 * 60


@blueprint.get("/open")
def open_window() -> ResponseReturnValue:
    """Whose badges go where, and the way on to the host."""
    used = services()
    cookies = {
        name.removeprefix(_COOKIE): value
        for name, value in request.cookies.items()
        if name.startswith(_COOKIE)
    }
    try:
        with used.database.writing() as session:
            opened = backpacks.open_window(session, request.args.get("t", ""), cookies, now=used.clock.now())
    except OperationRefused as refused:
        return _ended(refused.code, refused.message, 403)
    response = make_response(
        render_template(
            "public/backpack_open.html",
            name=opened.person_name,
            host=opened.host,
            sign_in_url=used.connector.sign_in_url(opened.host, opened.browser),
            sign_in_host=opened.host.facts["authorization_url"].split("/")[2],
        )
    )
    # Lax: the way back from the host is a navigation that another site began.
    response.set_cookie(
        _COOKIE + opened.host.public_id,
        opened.browser,
        max_age=_SECONDS,
        path="/backpacks/",
        secure=True,
        httponly=True,
        samesite="Lax",
    )
    return response


@blueprint.get("/answer/<host_id>")
def answer(host_id: str) -> ResponseReturnValue:
    """The host's answer (RFC 6749, section 4.1.2): taken once, from this window, from this host."""
    used, given = services(), request.args
    browser = request.cookies.get(_COOKIE + host_id, "")
    try:
        with used.database.writing() as session:
            sign_in, host = backpacks.answered(session, host_id, browser, now=used.clock.now())
            if not used.connector.is_ours(
                host, browser, state=given.get("state", ""), issuer=given.get("iss")
            ):
                raise OperationRefused(
                    "answer_foreign",
                    "This answer does not belong to this window. Nothing was connected. "
                    "Start again on your badge page.",
                )
            declined = "error" in given or not given.get("code")
            backpacks.close(session, sign_in, "declined" if declined else "answered", now=used.clock.now())
    except OperationRefused as refused:
        return _ended(refused.code, refused.message, 403)
    if declined:
        return _ended("declined", f"{host.name} says that you did not agree. Nothing was connected.", 200)
    try:
        sealed, ends = used.connector.exchange(host, browser, given["code"])
    except BackpackError as error:
        return _ended(
            error.code,
            f"{host.name} did not confirm that you agreed. Nothing was connected. "
            "Close this window and start again on your badge page.",
            502,
        )
    with used.database.writing() as session:
        sent = backpacks.connect(session, sign_in.id, sealed, ends, now=used.clock.now())
    response = make_response(render_template("public/backpack_connected.html", host=host, sent=sent))
    response.delete_cookie(_COOKIE + host_id, path="/backpacks/", secure=True)
    return response


@blueprint.get("/terms")
def terms() -> ResponseReturnValue:
    """What hosts show people before they agree."""
    return _paper("public/backpack_terms.html")


@blueprint.get("/privacy")
def privacy() -> ResponseReturnValue:
    """What we keep of a backpack."""
    return _paper("public/backpack_privacy.html")


@blueprint.get("/logo.svg")
def logo() -> ResponseReturnValue:
    """The picture that hosts show; some fetch it while we register."""
    response = Response((FOLDER / "favicon.svg").read_bytes(), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def _paper(template: str) -> ResponseReturnValue:
    response = make_response(render_template(template))
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _ended(code: str, message: str, status: int) -> Response:
    return make_response(render_template("public/backpack_ended.html", code=code, message=message), status)
