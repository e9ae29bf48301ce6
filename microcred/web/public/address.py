"""The page behind a mailed link: somebody confirms that an address is theirs. Only the button does it, since
mail scanners open links too.
"""

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from microcred.operations import own_addresses
from microcred.operations.errors import OperationRefused
from microcred.web.base.incoming import check_same_origin
from microcred.web.services import services

blueprint = Blueprint("address", __name__)


@blueprint.get("/address")
def look() -> ResponseReturnValue:
    """Whose address this is to be."""
    used, secret = services(), request.args.get("t", "")
    try:
        with used.database.reading() as session:
            asked = own_addresses.asked(session, used.keyring, secret, now=used.clock.now())
    except OperationRefused as refused:
        return _refused(refused)
    return render_template("public/address.html", asked=asked, secret=secret, done=asked.is_confirmed)


@blueprint.post("/address")
def confirm() -> ResponseReturnValue:
    """The mailbox's owner agrees."""
    check_same_origin()
    used, secret = services(), request.form.get("t", "")
    try:
        with used.database.writing() as session:
            own_addresses.confirm(session, used.keyring, secret, now=used.clock.now())
            asked = own_addresses.asked(session, used.keyring, secret, now=used.clock.now())
    except OperationRefused as refused:
        return _refused(refused)
    return render_template("public/address.html", asked=asked, secret=secret, done=True)


def _refused(refused: OperationRefused) -> ResponseReturnValue:
    return make_response(render_template("public/address_refused.html", refused=refused), 403)
