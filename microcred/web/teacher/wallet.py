"""Putting a badge into a wallet: an offer as QR code and links, good once and for half an hour."""

import segno
from flask import render_template, request
from flask.typing import ResponseReturnValue

from microcred.badges.wallet import issuing, metadata
from microcred.operations import holding, reading_teacher
from microcred.operations.errors import OperationRefused
from microcred.operations.reading_badge import earned_badge
from microcred.web.base.surface import actor
from microcred.web.services import services
from microcred.web.teacher.blueprint import blueprint


@blueprint.post("/badge/wallet")
def offer_to_wallet() -> ResponseReturnValue:
    """Make an offer and show it. Nothing is stored with whoever only looks at the badge page."""
    used = services()
    needs_code = request.form.get("with_code") == "1"
    with used.database.reading() as session:
        loaded = reading_teacher.load(session, actor())
        found = earned_badge(session, loaded.pursuit)
        if found is None or not found.is_signed:
            raise OperationRefused("not_signed", "Your badge is being signed. Try again in a moment.")
    with used.database.writing() as session:
        award = holding.standing_award(session, loaded.pursuit)
        offer_id = issuing.make_offer(session, award, needs_code=needs_code, now=used.clock.now()).public_id
        taken_at = issuing.newest_taken(session, award)
    link = metadata.offer_link(used.wallets.base, offer_id)
    return render_template(
        "teacher/wallet.html",
        definition=loaded.definition,
        link=link,
        exchange=None if needs_code else metadata.exchange_link(used.wallets.base, offer_id),
        code=used.wallets.transaction_code(offer_id) if needs_code else None,
        picture=segno.make(link, error="m").svg_data_uri(scale=6, border=4, dark="#1b2530", light="#ffffff"),
        taken_at=taken_at,
    )
