"""The privacy page: what is stored about the person who opened it, a copy to take along, asking to be erased.

It is what an LMS's `DataPrivacyLaunchRequest` opens, and everybody finds it from Help.
"""

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import exporting, linking, privacy, summarizing
from microcred.web.base import actor, page_url
from microcred.web.services import services

blueprint = Blueprint("privacy", __name__)

_SAID = {
    "asked": "Your wish is on record. An operator answers it; until then everything stays as it is.",
    "taken_back": "You took it back. Nothing is erased.",
}


@blueprint.get("/privacy")
def page() -> ResponseReturnValue:
    """What is stored, in plain words."""
    who = actor()
    with services().database.reading() as session:
        stored = summarizing.summary(session, who.person_ids)
        accounts = linking.linked(session, who)
        asked = privacy.open_request(session, who)
    # An LMS may name somebody else in its request: each person is shown their own data only.
    about_another = (
        who.launch is not None
        and who.launch.for_user_sub is not None
        and who.launch.for_user_sub != who.launch.sub
    )
    return render_template(
        "privacy/page.html",
        stored=stored,
        accounts=accounts,
        asked=asked,
        about_another=about_another,
        said=_SAID.get(request.args.get("ok", ""), ""),
    )


@blueprint.post("/privacy/download")
def download() -> ResponseReturnValue:
    """Everything as a zip, streamed."""
    who, used = actor(), services()
    with used.database.writing() as session:
        made = exporting.export(session, who.own_id, by=who.own_id, now=used.clock.now())
    response = Response(exporting.archive(made, used.storage), mimetype="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="my-micro-credential-data.zip"'
    return response


@blueprint.post("/privacy/erase")
def ask() -> ResponseReturnValue:
    """Ask to be erased."""
    who, used = actor(), services()
    with used.database.writing() as session:
        keeps = request.form.get("badges") == "keep"
        privacy.ask_to_be_erased(session, who, keeps_badges=keeps, now=used.clock.now())
    return redirect(page_url("privacy.page", ok="asked"), 303)


@blueprint.post("/privacy/erase/undo")
def take_back() -> ResponseReturnValue:
    """Take that back."""
    who, used = actor(), services()
    with used.database.writing() as session:
        privacy.take_request_back(session, who, now=used.clock.now())
    return redirect(page_url("privacy.page", ok="taken_back"), 303)
