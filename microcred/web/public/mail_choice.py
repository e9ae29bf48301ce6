"""The page behind the link of a mail: which mails somebody gets, chosen without signing in.

A mail program's own button posts here too (RFC 8058), from its provider's servers: no cookie, no page of ours
before it. The sealed link is what counts, so these posts are not held to our own pages.
"""

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import mail_choice
from microcred.operations.errors import OperationRefused
from microcred.operations.notice_words import TOPICS
from microcred.web.base.incoming import check_size
from microcred.web.services import services

blueprint = Blueprint("mail_choice", __name__)


@blueprint.get(mail_choice.PATH)
def look() -> ResponseReturnValue:
    """What comes by mail now. Opening it changes nothing: mail scanners open links too."""
    return _page("")


@blueprint.post(mail_choice.PATH)
def choose() -> ResponseReturnValue:
    """The one click of a mail program, or the form of the page."""
    check_size()
    used, form, link = services(), request.form, request.args.get("t", "")
    try:
        with used.database.writing() as session:
            if form.get("List-Unsubscribe") == "One-Click" or "stop" in form:
                mail_choice.stop(session, used.keyring, link, used.clock.now())
            elif "choose" in form:
                topics = form.getlist("by_mail")
                mail_choice.choose(session, used.keyring, link, topics, used.clock.now())
    except OperationRefused as refused:
        return _refused(refused)
    return _page("Saved. It holds from the next mail on.")


def _page(said: str) -> ResponseReturnValue:
    used, link = services(), request.args.get("t", "")
    try:
        with used.database.reading() as session:
            found = mail_choice.asked(session, used.keyring, link, used.clock.now())
    except OperationRefused as refused:
        return _refused(refused)
    return render_template("public/mail_choice.html", asked=found, topics=TOPICS, link=link, said=said)


def _refused(refused: OperationRefused) -> ResponseReturnValue:
    return make_response(render_template("public/address_refused.html", refused=refused), 403)
