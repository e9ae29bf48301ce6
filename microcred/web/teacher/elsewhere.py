"""Badges earned elsewhere: bring one as a file or by its address, see what could be checked, remove it."""

from flask import redirect, request
from flask.typing import ResponseReturnValue

from microcred.badges.importing import reading
from microcred.badges.importing.facts import Web
from microcred.badges.importing.reading import NotABadge
from microcred.operations import importing
from microcred.operations.errors import OperationRefused
from microcred.outgoing import OutgoingError
from microcred.web.base import takes_files
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services
from microcred.web.teacher.blueprint import blueprint

_WORDS = {
    "too_large": "This file is too large for a badge. Nothing was added.",
    "svg_with_script": "This picture holds a program. A badge never does. Nothing was added.",
    "not_an_svg": "This picture cannot be read safely. Bring the badge as JSON or PNG.",
    "no_badge_inside": "There is no badge inside this picture. Download it once more from where it is kept.",
    "badge_doubled": "This picture holds several badges of one kind, so it is unclear which counts.",
    "url_not_allowed": "We may not open this address. Use the https address of the badge itself.",
    "unexpected_redirect": "This address leads to another one. Use the one it ends at.",
    "not_there": "There is no badge at this address. Check it, or bring the file.",
    "nothing": "Choose a file or give an address.",
}
_NOT_READABLE = (
    "This is not an Open Badge that we can read (2.0 or 3.0; JSON, token, PNG or SVG). Nothing was added."
)
_AWAY = "This address did not answer. Try again later, or bring the file."
CHECKED = {
    "holds": "The signature is its issuer's.",
    "served": "Its issuer's own address confirms it.",
    "not_revoked": "Its issuer has not revoked it.",
    "never_revoked": "Its issuer names no list of revoked badges.",
    "valid_now": "It is valid by its dates.",
    "expired": "It has expired.",
    "yours": "It names one of your confirmed addresses.",
    "another_address": "It names an e-mail address that you have not confirmed here.",
    "not_by_email": "It names its holder in a way that we cannot compare with you.",
    "key_not_found": "We could not find its issuer's key.",
    "other_terms": "It uses terms that we do not know, so its signature could not be checked.",
    "other_proof": "It is signed in a way that we cannot check.",
    "not_there": "Its own address did not answer.",
    "issuer_not_there": "Its issuer's page did not answer.",
    "status_not_there": "Its list of revoked badges did not answer.",
    "status_not_signed": "Its list of revoked badges could not be checked.",
    "other_status": "It says in a way that we do not know whether it is revoked.",
}


@blueprint.post("/record/elsewhere")
@takes_files
def bring_badge() -> ResponseReturnValue:
    """Read, check and keep a badge of another issuer."""
    used = services()
    try:
        given = reading.read(_data())
    except NotABadge as problem:
        raise OperationRefused(f"badge_{problem.code}", _WORDS.get(problem.code, _NOT_READABLE)) from problem
    with used.database.reading() as session:
        emails = importing.addresses_of(session, actor())
    now = used.clock.now()
    learned = importing.look_at(given, Web(used.outgoing), emails, now)
    with used.database.writing() as session:
        importing.keep(session, actor(), learned, now=now)
    return redirect(page_url("teacher.record", ok="badge_added") + "#elsewhere", 303)


@blueprint.post("/record/elsewhere/<badge_id>/remove")
def remove_badge(badge_id: str) -> ResponseReturnValue:
    """Take it out again."""
    used = services()
    with used.database.writing() as session:
        importing.remove(session, actor(), badge_id, now=used.clock.now())
    return redirect(page_url("teacher.record", ok="badge_removed") + "#elsewhere", 303)


def _data() -> bytes:
    """The file, or what is at the address."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return file.stream.read(reading.MAX_BYTES + 1)
    url = request.form.get("text-address", "").strip()
    if not url:
        raise NotABadge("nothing")
    try:
        answer = services().outgoing.request(
            "GET",
            url,
            headers={"Accept": "application/vc+ld+json, application/ld+json, application/json, image/png"},
            deadline=15,
            max_bytes=reading.MAX_BYTES,
        )
    except OutgoingError as error:
        if error.code in ("url_not_allowed", "unexpected_redirect", "too_large"):
            raise NotABadge(error.code) from error
        raise OperationRefused("badge_address_away", _AWAY) from error
    if answer.status == 410:
        raise OperationRefused("badge_revoked", "Its issuer has revoked this badge. It was not added.")
    if answer.status != 200:
        raise NotABadge("not_there")
    return answer.body
