"""The badge page: the award, where to take it, and what its holder lets others see."""

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from microcred.badges import pdf
from microcred.badges.backpack import hosts
from microcred.operations import backpacks, holding, own_addresses, reading_teacher
from microcred.operations.errors import NotFound
from microcred.operations.reading_badge import earned_badge, holder_of
from microcred.web.base import papers
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services
from microcred.web.teacher import backpack_words
from microcred.web.teacher.blueprint import blueprint, said
from microcred.web.teacher.sharing import sharing


@blueprint.get("/badge")
def badge() -> ResponseReturnValue:
    """The badge page, once there is an award."""
    used = services()
    with used.database.reading() as session:
        loaded = reading_teacher.load(session, actor())
        found = earned_badge(session, loaded.pursuit)
        if found is None:
            return redirect(page_url("teacher.home"), 303)
        award = holding.standing_award(session, loaded.pursuit)
        choices = holding.choices(session, loaded, award, holder_of(session, actor()).name)
        connected = backpacks.backpacks_of(session, actor(), found.public_id)
        addresses = own_addresses.addresses(session, actor())
    public = used.badges.public_award(found.public_id)
    return render_template(
        "teacher/badge.html",
        definition=loaded.definition,
        badge=found,
        choices=choices,
        backpacks=connected,
        known_hosts=hosts.KNOWN,
        own_addresses=addresses,
        sends_mail=used.settings.sends_mail,
        say=backpack_words.standing,
        mark=backpack_words.mark,
        is_expired=found.valid_until is not None and found.valid_until <= used.clock.now(),
        sharing=sharing(public, used.badges.addresses),
        said=said(request.args.get("ok")),
    )


@blueprint.post("/badge/choices")
def choose() -> ResponseReturnValue:
    """Keep what the holder lets others see."""
    form = request.form
    address = form.get("shown-address", "")
    with services().database.writing() as session:
        loaded = reading_teacher.load(session, actor())
        anew = holding.choose(
            session,
            actor(),
            loaded,
            shows_name="shows-name" in form,
            shared_prompt=form.get("shared") or None,
            recognised_by_email="by-email" in form,
            shown_address_id=int(address) if address.isascii() and address.isdecimal() else None,
            now=services().clock.now(),
        )
    return redirect(page_url("teacher.badge", ok="written_anew" if anew else "shown"), 303)


@blueprint.get("/badge/certificate.pdf")
def certificate() -> ResponseReturnValue:
    """The certificate with the holder's name, for the holder alone."""
    used = services()
    with used.database.reading() as session:
        loaded = reading_teacher.load(session, actor())
        award_id = holding.standing_award(session, loaded.pursuit).public_id
        name = holder_of(session, actor()).name
    award = used.badges.public_award(award_id)
    if award.is_test and not award.is_issued:
        raise NotFound("no_certificate", "There is no certificate for trying out.")
    facts = papers.certificate_facts(award, used.badges.addresses, used.clock.now(), name)
    return paper(
        pdf.certificate(facts, used.badges.art_png(award.version_public_id)), f"certificate-{award_id}"
    )


def paper(content: bytes, name: str) -> Response:
    """A PDF that only its holder sees."""
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response
