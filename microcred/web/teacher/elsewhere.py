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
from microcred.web.teacher.elsewhere_words import AWAY, NOT_READABLE, REFUSED
from microcred.web.teacher.record import show_record


@blueprint.post("/record/elsewhere")
@takes_files
def bring_badge() -> ResponseReturnValue:
    """Read, check and keep a badge of another issuer; where that fails, the page says why beside the form."""
    try:
        _bring()
    except OperationRefused as refused:
        if not refused.code.startswith("badge_"):
            raise
        return show_record(refused), refused.status
    return redirect(page_url("teacher.record", ok="badge_added") + "#elsewhere", 303)


def _bring() -> None:
    used = services()
    try:
        given = reading.read(_data())
    except NotABadge as problem:
        raise OperationRefused(f"badge_{problem.code}", REFUSED.get(problem.code, NOT_READABLE)) from problem
    with used.database.reading() as session:
        emails = importing.addresses_of(session, actor())
    now = used.clock.now()
    learned = importing.look_at(given, Web(used.outgoing), emails, now)
    with used.database.writing() as session:
        importing.keep(session, actor(), learned, now=now)


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
        raise OperationRefused("badge_address_away", AWAY) from error
    if answer.status == 410:
        raise OperationRefused("badge_revoked", "Its issuer has revoked this badge.")
    if answer.status != 200:
        raise NotABadge("not_there")
    return answer.body
