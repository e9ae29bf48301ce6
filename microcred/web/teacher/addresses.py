"""A person's own addresses, on the badge page: add one, remove one, have the badge mailed there."""

from flask import redirect, request
from flask.typing import ResponseReturnValue

from microcred.operations import holding, own_addresses, reading_teacher
from microcred.operations.errors import OperationRefused
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services
from microcred.web.teacher.blueprint import blueprint


@blueprint.post("/badge/addresses")
def add_address() -> ResponseReturnValue:
    """Note an address; a link is mailed there."""
    used = services()
    if not used.settings.sends_mail:
        raise OperationRefused("mail_off", "This installation sends no mail, so no address can be confirmed.")
    with used.database.writing() as session:
        own_addresses.add(session, actor(), request.form.get("text-mail", ""), now=used.clock.now())
    return _back("confirm_mailed")


@blueprint.post("/badge/addresses/<int:address_id>/remove")
def remove_address(address_id: int) -> ResponseReturnValue:
    """Forget an address."""
    used = services()
    with used.database.writing() as session:
        own_addresses.remove(session, actor(), address_id, now=used.clock.now())
    return _back("address_removed")


@blueprint.post("/badge/addresses/<int:address_id>/mail")
def mail_badge(address_id: int) -> ResponseReturnValue:
    """Mail the badge's file to it."""
    used = services()
    with used.database.writing() as session:
        loaded = reading_teacher.load(session, actor())
        award = holding.standing_award(session, loaded.pursuit)
        own_addresses.mail_badge(session, actor(), award, address_id, now=used.clock.now())
    return _back("badge_mailed")


def _back(code: str) -> ResponseReturnValue:
    return redirect(page_url("teacher.badge", ok=code) + "#own", 303)
