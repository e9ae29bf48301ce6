"""Home of `/desk/`: what a person's offices let them do here, and the way out."""

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from microcred.operations import delivering, persons, reading_decide, reading_queue
from microcred.operations.operating import is_operator
from microcred.people import links
from microcred.web.base import wording
from microcred.web.base.surface import DESK_COOKIE, actor, page_url, surface
from microcred.web.review.words import first_capital
from microcred.web.services import services

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True)
class Door:
    """One thing a person can do here."""

    title: str
    text: str
    url: str
    symbol: str


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """What there is to do."""
    who = actor()
    doors = []
    with services().database.reading() as session:
        if who.organizations("reviewer"):
            waiting = reading_queue.queue(session, who, services().clock.now())
            count = _count(len(waiting.rows), more=waiting.after is not None)
            doors.append(Door("Review", f"{count} to read", page_url("review.queue"), "pencil"))
        if who.organizations("approver"):
            undecided = reading_decide.waiting_list(session, who)
            count = _count(len(undecided.rows), more=undecided.after is not None)
            doors.append(Door("Decide", f"{count} to decide", page_url("approve.queue"), "medal"))
        if who.organizations("author") or who.organizations("approver"):
            doors.append(
                Door("Write", "Credentials: drafts, sign-off, publishing", page_url("author.index"), "pencil")
            )
        if is_operator(who) or who.organizations("approver"):
            doors.append(
                Door(
                    "Rules",
                    "Second readings, appeals, time zone, holidays",
                    page_url("rules.index"),
                    "people",
                )
            )
        if is_operator(who):
            asked = len(persons.requests(session, who))
            platform_text = "Which course systems may come in"
            people_text = (
                wording.plural(asked, "wish", "wishes") + " to be erased" if asked else "Find somebody by id"
            )
            doors.append(Door("Platforms", platform_text, page_url("platforms.index"), "link"))
            stuck = delivering.overview(session, who, services().clock.now()).counts
            stopped = stuck["blocked"] + stuck["dead"]
            text = (
                f"{wording.plural(stopped, 'delivery', 'deliveries')} stopped"
                if stopped
                else "All on its way"
            )
            doors.append(Door("Deliveries", text, page_url("outbox.index"), "again"))
            doors.append(Door("People", people_text, page_url("people.index"), "people"))
    return render_template("desk/home.html", doors=doors)


@blueprint.post("/leave")
def leave() -> ResponseReturnValue:
    """End the session of this desk."""
    desk = surface().desk
    assert desk is not None  # this blueprint is on the desk alone
    with services().database.writing() as session:
        links.leave(session, desk, services().clock.now())
    response = redirect(url_for("desk.home.index"), 303)
    response.delete_cookie(DESK_COOKIE, path="/desk/", secure=True, httponly=True, samesite="Lax")
    return response


def _count(number: int, *, more: bool) -> str:
    if not number:
        return "Nothing"
    return f"More than {number}" if more else first_capital(wording.number(number))
