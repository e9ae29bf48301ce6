"""The verification page: for readers without an account. No evidence, and a name only by choice."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from microcred.badges.public_award import NoSuchBadge, PublicAward
from microcred.credentials.definition import Definition
from microcred.credentials.labels import hours_in_words
from microcred.credentials.schema import Part
from microcred.web.base import wording
from microcred.web.public.checking import Standing, signature_holds
from microcred.web.services import services

blueprint = Blueprint("verify", __name__)

_PART_ICONS = {
    "written_response": "pencil",
    "artefacts": "people",
    "student_reflections": "speech",
    "peer_reflections": "speech",
    "teacher_reflection": "pencil",
}


@blueprint.get("/badges/<public_id>")
def badge(public_id: str) -> ResponseReturnValue:
    """Whether the badge is valid, what it stands for, and how to check it elsewhere."""
    used = services()
    try:
        award = used.badges.public_award(public_id)
    except NoSuchBadge:
        return _plain("public/unknown.html", 404)
    if award.is_withdrawn:
        return _plain("public/withdrawn.html", 410)
    now = used.clock.now()
    response = make_response(render_template("public/badge.html", **_page(award, now)))
    response.headers["Cache-Control"] = "no-cache"
    # A page to be shared: who follows a link from it may say where it came from, without the address itself.
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    return response


def _plain(template: str, status: int) -> ResponseReturnValue:
    response = make_response(render_template(template), status)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _page(award: PublicAward, now: datetime) -> dict[str, Any]:
    badges = services().badges
    standing = _standing(award, now)
    document = award.definition.document
    urls = badges.addresses
    who = award.holder_name
    return {
        "award": award,
        "document": document,
        "standing": standing,
        "verdict": _verdict(award, standing),
        "title": f"{who} earned {document.badge.name}" if who else document.badge.name,
        "awarded_on": wording.date(award.awarded_at, award.zone),
        "hours": hours_in_words(award.definition),
        "parts": [(_PART_ICONS[part.kind], _part_words(part)) for part in document.parts],
        "standards": _standards(award.definition),
        "page_url": urls.page(award.public_id),
        "picture_url": urls.art(award.version_public_id),
        "files": _files(award),
    }


def _standing(award: PublicAward, now: datetime) -> Standing:
    if award.revoked_at is not None:
        return Standing.REVOKED
    if award.valid_until is not None and award.valid_until <= now:
        return Standing.EXPIRED
    if award.is_trial:
        return Standing.TRIAL
    if not award.is_issued:
        return Standing.BEING_MADE
    return Standing.VALID if signature_holds(services().badges, award.public_id) else Standing.BROKEN


def _verdict(award: PublicAward, standing: Standing) -> dict[str, str]:
    zone: ZoneInfo = award.zone
    ends = (
        f"It is valid until {wording.date(award.valid_until, zone)}."
        if award.valid_until
        else "It does not expire."
    )
    match standing:
        case Standing.VALID if award.is_test:
            why = "It comes from a test or an address that is not public: not a record of achievement."
            return {
                "kind": "test",
                "word": "Valid test badge",
                "text": f"Signature and status checked just now. {why}",
            }
        case Standing.VALID:
            checked = f"Signature and status checked just now. Not revoked. {ends}"
            return {"kind": "pass", "word": "Valid", "text": checked}
        case Standing.TRIAL:
            return {
                "kind": "test",
                "word": "Only a trial",
                "text": "This comes from a test user or a test site. Nothing was awarded; there is no badge.",
            }
        case Standing.BEING_MADE:
            return {
                "kind": "wait",
                "word": "Awarded",
                "text": "The badge file is being made. Look again in a minute.",
            }
        case Standing.REVOKED:
            when = wording.date(award.revoked_at, zone) if award.revoked_at else ""
            why = f" Reason: {award.revocation_reason}." if award.revocation_reason else ""
            return {
                "kind": "stop",
                "word": "Not valid any more",
                "text": f"The issuer took it back on {when}.{why}",
            }
        case Standing.EXPIRED:
            when = wording.date(award.valid_until, zone) if award.valid_until else ""
            return {"kind": "wait", "word": "Expired", "text": f"It was valid until {when}."}
        case Standing.BROKEN:
            return {
                "kind": "stop",
                "word": "Do not rely on this",
                "text": "The signature does not fit the badge.",
            }


def _part_words(part: Part) -> str:
    looked_for = "; ".join(criterion.title[:1].lower() + criterion.title[1:] for criterion in part.criteria)
    return f"{part.title}: {looked_for}"


def _standards(definition: Definition) -> list[tuple[str, str, str]]:
    """Each standard: its short name, what it asks, the framework it is from."""
    return [
        (f"{one.framework} {one.code}", one.label, definition.frameworks[one.framework].name)
        for one in definition.document.standards_alignment
    ]


def _files(award: PublicAward) -> dict[str, str] | None:
    """What can be taken to another checker; a revoked badge is not handed out any more."""
    if not award.is_issued or award.revoked_at is not None:
        return None
    badge_id = award.public_id
    return {
        "picture": url_for("documents.baked", public_id=badge_id),
        "paper": url_for("documents.certificate", public_id=badge_id),
        "json": url_for("documents.credential_file", badge_id=badge_id),
        "hosted": services().badges.addresses.assertion(badge_id),
    }
