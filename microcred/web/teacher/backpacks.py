"""The teacher's backpacks, on the badge page: connect one, send the badge there, let go of it."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from microcred.badges.backpack import hosts
from microcred.badges.backpack.errors import BackpackError
from microcred.operations import backpacks, holding, reading_teacher
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services
from microcred.web.teacher import backpack_words
from microcred.web.teacher.blueprint import blueprint


@blueprint.post("/backpacks")
def connect_backpack() -> ResponseReturnValue:
    """Ask the host what it is, and show the link to the window in which the person signs in there."""
    used = services()
    with used.database.reading() as session:
        loaded = reading_teacher.load(session, actor())
        award = holding.standing_award(session, loaded.pursuit)
        backpacks.may_begin(session, actor(), now=used.clock.now())
    try:
        address = hosts.address_of(request.form.get("text-address") or request.form.get("host", ""))
        with used.database.reading() as session:
            known = backpacks.host_at(session, address)
        met = (
            None if known is not None and used.connector.knows(known) else used.connector.meet(address, known)
        )
    except BackpackError as error:
        raise backpack_words.refusal(error) from error
    with used.database.writing() as session:
        now = used.clock.now()
        host = backpacks.keep_host(session, met, now=now) if met else backpacks.host_at(session, address)
        assert host is not None
        ticket = backpacks.begin(
            session, actor(), host, award, sends_by_itself="by-itself" in request.form, now=now
        )
    return render_template(
        "teacher/backpack_window.html",
        host=host,
        sign_in_host=host.facts["authorization_url"].split("/")[2],
        window_url=url_for("backpack.open_window", t=ticket),
    )


@blueprint.post("/backpacks/<backpack_id>/send")
def send_to_backpack(backpack_id: str) -> ResponseReturnValue:
    """Send this badge there now."""
    used = services()
    with used.database.writing() as session:
        loaded = reading_teacher.load(session, actor())
        award = holding.standing_award(session, loaded.pursuit)
        backpacks.send(session, actor(), backpack_id, award, now=used.clock.now())
    return _back("sending")


@blueprint.post("/backpacks/<backpack_id>/automatic")
def set_backpack_automatic(backpack_id: str) -> ResponseReturnValue:
    """Whether new badges go there by themselves."""
    used = services()
    on = request.form.get("on") == "1"
    with used.database.writing() as session:
        backpacks.set_automatic(session, actor(), backpack_id, on, now=used.clock.now())
    return _back("automatic" if on else "on_demand")


@blueprint.post("/backpacks/<backpack_id>/disconnect")
def disconnect_backpack(backpack_id: str) -> ResponseReturnValue:
    """Let go of it."""
    used = services()
    with used.database.writing() as session:
        backpacks.disconnect(session, actor(), backpack_id, now=used.clock.now())
    return _back("disconnected")


def _back(code: str) -> ResponseReturnValue:
    return redirect(page_url("teacher.badge", ok=code) + "#bp", 303)
