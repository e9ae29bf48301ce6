"""The notices page, on both surfaces."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import reading_notices
from microcred.operations.notice_words import TOPICS
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services

blueprint = Blueprint("notices", __name__)

_OFFICE_OF = {"reviews": "reviewer", "decisions": "approver"}
_SAID = {"chosen": "Your choice is saved and holds from the next mail on."}


@blueprint.get("/notices")
def page() -> ResponseReturnValue:
    """What there is to know, newest first. Opening the page counts as having seen it."""
    who, used = actor(), services()
    with used.database.reading() as session:
        found = reading_notices.notices(session, who, after=request.args.get("after", type=int))
        chosen = reading_notices.choices(session, who)
    if any(row.is_new for row in found.rows):
        with used.database.writing() as session:
            reading_notices.see_all(session, who, used.clock.now())
    offices = {office.role for office in who.offices}
    topics = [
        (topic, *words, chosen.by_mail[topic])
        for topic, words in TOPICS.items()
        if (_OFFICE_OF[topic] in offices if topic in _OFFICE_OF else who.launch is not None)
    ]
    return render_template(
        "notices/page.html",
        found=found,
        topics=topics,
        address=chosen.address,
        mail_works=used.settings.sends_mail,
        said=_SAID.get(request.args.get("ok", ""), ""),
    )


@blueprint.post("/notices")
def choose() -> ResponseReturnValue:
    """Keep what comes by mail."""
    used = services()
    shown, wanted = request.form.getlist("topic"), request.form.getlist("by_mail")
    with used.database.writing() as session:
        before = reading_notices.choices(session, actor())
        # A topic that the page did not show keeps its choice.
        kept = [topic for topic, by_mail in before.by_mail.items() if by_mail and topic not in shown]
        reading_notices.choose(session, actor(), [*kept, *wanted], used.clock.now())
    return redirect(page_url("notices.page", ok="chosen"), 303)
