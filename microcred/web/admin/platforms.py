"""Platforms as operators see them: what to copy into the LMS, who may come in, which hosts are called."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from grade_passback import self_test
from lti_tool.models import LMS_KINDS
from microcred.operations import platforms, self_testing
from microcred.operations.errors import OperationRefused
from microcred.web.base import actor, page_url, surface, wording
from microcred.web.services import services

blueprint = Blueprint("platforms", __name__)

LMS_WORDS = {kind: "Another LMS" if kind == "other" else kind.capitalize() for kind in LMS_KINDS}
STATE_WORDS = {
    "pending": "Waits for you",
    "approved": "Open",
    "disabled": "Shut out",
    "noted": "Waits for you",
}
STATE_LOOKS = {
    "pending": ("revise", "clock"),
    "noted": ("revise", "clock"),
    "approved": ("pass", "done"),
    "disabled": ("stop", "stop"),
}
_SAID = {
    "approved": "The platform is open.",
    "disabled": "The platform is shut out. Its open pages end with their next click.",
    "deployment": "The deployment is open.",
    "deployment_disabled": "The deployment is shut out.",
    "host": "The host is on the list.",
    "host_removed": "The host is off the list.",
    "any": "Saved.",
}


@blueprint.get("/platforms")
def index() -> ResponseReturnValue:
    """All platforms, a page at a time."""
    after = request.args.get("after", 0, type=int)
    with services().database.reading() as session:
        rows, next_key = platforms.platforms(session, actor(), after=max(after, 0))
    return render_template("admin/platforms.html", rows=rows, next_key=next_key, **_words())


@blueprint.get("/platforms/<public_id>")
def show(public_id: str) -> ResponseReturnValue:
    """One platform with everything an operator decides about it."""
    return _page(public_id, said=_SAID.get(request.args.get("ok", ""), ""))


@blueprint.post("/platforms/<public_id>/self-test")
def try_connection(public_id: str) -> ResponseReturnValue:
    """The page with what came of trying the platform: keys, access, column, score, people."""
    used, here = services(), surface()
    with used.database.reading() as session:
        subject = self_testing.of_platform(session, actor(), public_id)
    now = used.clock.now()
    when = wording.when(subject.launched_at, now, here.zone) if subject.launched_at else ""
    return _page(public_id, tried=self_test.try_all(used.lti.services, subject, when, now))


@blueprint.post("/platforms/<public_id>/approve")
def approve(public_id: str) -> ResponseReturnValue:
    """Let it in."""
    used = services()
    try:
        with used.database.writing() as session:
            platforms.approve_platform(session, actor(), public_id, used.clock.now())
    except OperationRefused as refused:
        return _refused(public_id, refused)
    return _done(public_id, "approved")


@blueprint.post("/platforms/<public_id>/disable")
def disable(public_id: str) -> ResponseReturnValue:
    """Shut it out."""
    used = services()
    try:
        with used.database.writing() as session:
            platforms.disable_platform(session, actor(), public_id, used.clock.now())
    except OperationRefused as refused:
        return _refused(public_id, refused)
    return _done(public_id, "disabled")


@blueprint.post("/platforms/<public_id>/deployments/<int:row_id>/approve")
def approve_deployment(public_id: str, row_id: int) -> ResponseReturnValue:
    """Let a deployment in and give it to an organization."""
    used = services()
    try:
        with used.database.writing() as session:
            code = request.form.get("organization", "")
            platforms.approve_deployment(session, actor(), public_id, row_id, code, used.clock)
    except OperationRefused as refused:
        return _refused(public_id, refused)
    return _done(public_id, "deployment")


@blueprint.post("/platforms/<public_id>/deployments/<int:row_id>/disable")
def disable_deployment(public_id: str, row_id: int) -> ResponseReturnValue:
    """Shut a deployment out."""
    used = services()
    with used.database.writing() as session:
        platforms.disable_deployment(session, actor(), public_id, row_id, used.clock.now())
    return _done(public_id, "deployment_disabled")


@blueprint.post("/platforms/<public_id>/hosts")
def add_host(public_id: str) -> ResponseReturnValue:
    """Let its service addresses use one more host."""
    used = services()
    try:
        with used.database.writing() as session:
            host = request.form.get("host", "")
            platforms.allow_host(session, actor(), public_id, host, used.clock.now())
    except OperationRefused as refused:
        return _refused(public_id, refused)
    return _done(public_id, "host")


@blueprint.post("/platforms/<public_id>/hosts/remove")
def remove_host(public_id: str) -> ResponseReturnValue:
    """Take a host off the list."""
    used = services()
    with used.database.writing() as session:
        host = request.form.get("host", "")
        platforms.remove_host(session, actor(), public_id, host, used.clock.now())
    return _done(public_id, "host_removed")


@blueprint.post("/platforms/<public_id>/any-deployment")
def any_deployment(public_id: str) -> ResponseReturnValue:
    """Whether new deployments open by their first launch."""
    used = services()
    with used.database.writing() as session:
        allowed = request.form.get("allowed") == "yes"
        platforms.set_any_deployment(session, actor(), public_id, allowed, used.clock.now())
    return _done(public_id, "any")


def _page(public_id: str, *, said: str = "", problem: str = "", tried: Sequence[self_test.Tried] = ()) -> str:
    used = services()
    with used.database.reading() as session:
        found = platforms.platform(session, actor(), public_id)
    lti = used.lti.settings
    row = found.registration
    to_copy = (
        ("OpenID Connect login address", lti.login_url(row.public_id)),
        ("Launch address (redirect URI)", lti.launch_url),
        ("Deep linking address", lti.deep_link_url),
        ("Public keys (JWKS) address", lti.jwks_url),
    )
    theirs = (
        ("Issuer", row.issuer),
        ("Client id", row.client_id),
        ("Authorization address", row.auth_url),
        ("Token address", row.token_url),
        ("Public keys address", row.jwks_url),
    )
    return render_template(
        "admin/platform.html",
        found=found,
        row=row,
        to_copy=to_copy,
        theirs=theirs,
        said=said,
        problem=problem,
        tried=tried,
        **_words(),
    )


def _words() -> dict[str, dict[str, str] | dict[str, tuple[str, str]]]:
    return {"lms_words": LMS_WORDS, "state_words": STATE_WORDS, "state_looks": STATE_LOOKS}


def _refused(public_id: str, refused: OperationRefused) -> ResponseReturnValue:
    """The page again with what was wrong; whoever may not see it gets the plain answer."""
    if refused.status == 403:
        raise refused
    return _page(public_id, problem=refused.message), refused.status


def _done(public_id: str, code: str) -> ResponseReturnValue:
    return redirect(page_url("platforms.show", public_id=public_id, ok=code), 303)
