"""The documents of badges as verifiers read them: world-readable, CORS open, each under its own id.

Nothing here knows a session. OB 2.0 answers 410 for a revoked assertion; OB 3.0 keeps serving the credential,
and its status list says that it was revoked.
"""

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from microcred.badges import keys, pdf
from microcred.badges.public_award import BadgeGone, NoSuchBadge
from microcred.web.base import papers
from microcred.web.services import services

blueprint = Blueprint("documents", __name__)

JSON = "application/json"
JSON_LD = "application/ld+json"
CREDENTIAL = "application/vc+ld+json"
DID = "application/did+ld+json"
KEY_SET = "application/jwk-set+json"
KEY = "application/jwk+json"

_KEPT_SECONDS = 300
_STATUS_SECONDS = 60
"""A revocation is seen by caches after a minute."""
_NO_SIGNED_TEXT = (
    "There is no signed token for this badge. A token names its holder by an address of theirs, and this "
    "holder shows none. The credential is here as JSON, and in the picture.\n"
)


@blueprint.after_request
def open_to_all(response: Response) -> Response:
    """Let every website and verifier read this (badges.md, section 4)."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.get("/ob/2.0/issuers/<issuer_id>")
def issuer(issuer_id: str) -> Response:
    """OB 2.0 Profile."""
    return _document(lambda: services().badges.issuer(issuer_id), JSON_LD)


@blueprint.get("/ob/2.0/badges/<version_id>")
def badge_class(version_id: str) -> Response:
    """OB 2.0 BadgeClass."""
    return _document(lambda: services().badges.badge_class(version_id), JSON_LD)


@blueprint.get("/ob/2.0/badges/<version_id>.png")
def art(version_id: str) -> Response:
    """The badge's picture, nobody's award in it."""
    return _picture(lambda: services().badges.art_png(version_id), f"{version_id}.png", seconds=_KEPT_SECONDS)


@blueprint.get("/ob/2.0/assertions/<badge_id>")
def assertion(badge_id: str) -> Response:
    """OB 2.0 Assertion; 410 with the reason once it was revoked."""
    return _document(lambda: services().badges.assertion(badge_id), JSON_LD, _STATUS_SECONDS)


@blueprint.get("/ob/2.0/assertions/<badge_id>.jws")
def signed_assertion(badge_id: str) -> Response:
    """OB 2.0 Assertion as compact JWS; 410 once it was revoked."""
    try:
        token = services().badges.signed_assertion(badge_id)
    except BadgeGone:
        return _document(lambda: services().badges.assertion(badge_id), JSON_LD)
    except NoSuchBadge:
        return _kept(Response("There is no badge here.\n", 404, mimetype="text/plain"), 0)
    return _kept(Response(token, mimetype="text/plain"), _STATUS_SECONDS)


@blueprint.get("/ob/2.0/issuers/<issuer_id>/keys/<key_id>")
def signing_key(issuer_id: str, key_id: str) -> Response:
    """OB 2.0 CryptographicKey."""
    return _document(lambda: services().badges.issuer_key(issuer_id, key_id), JSON_LD)


@blueprint.get("/ob/2.0/issuers/<issuer_id>/revoked")
def revocations(issuer_id: str) -> Response:
    """OB 2.0 RevocationList."""
    return _document(lambda: services().badges.revocations(issuer_id), JSON_LD, _STATUS_SECONDS)


@blueprint.get("/ob/3.0/achievements/<version_id>")
def achievement(version_id: str) -> Response:
    """OB 3.0 Achievement."""
    return _document(lambda: services().badges.achievement(version_id), JSON_LD)


@blueprint.get("/ob/3.0/credentials/<badge_id>")
def credential(badge_id: str) -> Response:
    """OB 3.0 credential under its own id."""
    return _document(lambda: services().badges.credential(badge_id), CREDENTIAL)


@blueprint.get("/ob/3.0/credentials/<badge_id>.json")
def credential_file(badge_id: str) -> Response:
    """The same as a file to keep."""
    response = _document(lambda: services().badges.credential(badge_id), JSON)
    if response.status_code == 200:
        response.headers["Content-Disposition"] = f'attachment; filename="badge-{badge_id}.json"'
    return response


@blueprint.get("/ob/3.0/credentials/<badge_id>.jwt")
def credential_token(badge_id: str) -> Response:
    """The same as VC-JWT, where the holder shows an id of their own."""
    try:
        token = services().badges.token(badge_id)
    except (BadgeGone, NoSuchBadge):
        return _kept(Response(_NO_SIGNED_TEXT, 404, mimetype="text/plain"), 0)
    return _kept(Response(token, mimetype="text/plain"), _KEPT_SECONDS)


@blueprint.get("/ob/3.0/endorsements/<endorsement_id>")
def endorsement(endorsement_id: str) -> Response:
    """An EndorsementCredential, as badges carry it."""
    return _document(lambda: services().badges.endorsement(endorsement_id), CREDENTIAL)


@blueprint.get("/ob/ctdl/<version_id>")
def description(version_id: str) -> Response:
    """A credential version in CTDL, for registries and search engines."""
    return _document(lambda: services().badges.description(version_id), JSON_LD)


@blueprint.get("/ob/badges/<public_id>.pdf")
def certificate(public_id: str) -> Response:
    """The certificate to print, without a name unless the holder shows it."""
    return _picture(lambda: _certificate(public_id), f"certificate-{public_id}.pdf", "application/pdf")


@blueprint.get("/ob/status/<int:number>")
def status_list(number: int) -> Response:
    """The Bitstring status list."""
    return _document(lambda: services().badges.status_list(number), CREDENTIAL, _STATUS_SECONDS)


@blueprint.get("/ob/badges/<public_id>.png")
def baked(public_id: str) -> Response:
    """The baked PNG."""
    return _picture(lambda: services().badges.baked(public_id), f"badge-{public_id}.png")


@blueprint.get("/ob/badges/<public_id>.svg")
def baked_svg(public_id: str) -> Response:
    """The baked SVG."""
    return _picture(lambda: services().badges.baked_svg(public_id), f"badge-{public_id}.svg", "image/svg+xml")


@blueprint.get("/ob/issuers/<issuer_id>/jwks.json")
def issuer_key_set(issuer_id: str) -> Response:
    """The issuer's RSA keys, which sign VC-JWTs."""
    return _document(lambda: services().badges.key_set(issuer_id), KEY_SET)


@blueprint.get("/ob/issuers/<issuer_id>/keys/<key_id>")
def issuer_key(issuer_id: str, key_id: str) -> Response:
    """One of them, at the address that a token's `kid` is."""
    return _document(lambda: services().badges.public_key(issuer_id, key_id), KEY)


@blueprint.get("/ob/issuers/<issuer_id>/did.json")
def issuer_did(issuer_id: str) -> Response:
    """The DID document of an issuer (did:web with a path)."""
    return _document(lambda: services().badges.did_document(issuer_id), DID)


@blueprint.get("/.well-known/did.json")
def host_did() -> Response:
    """The DID document of the host itself. It signs nothing: each issuer signs with keys of its own."""
    return _document(lambda: keys.did_document(keys.did_web(services().badges.badge_url), []), DID)


def _certificate(public_id: str) -> bytes:
    used = services()
    used.badges.assertion(public_id)  # gone where the badge is
    award = used.badges.public_award(public_id)
    facts = papers.certificate_facts(award, used.badges.addresses, used.clock.now(), award.holder_name)
    return pdf.certificate(facts, used.badges.art_png(award.version_public_id))


def _document(read: Callable[[], dict[str, Any]], media_type: str, seconds: int = _KEPT_SECONDS) -> Response:
    try:
        body, status = read(), 200
    except BadgeGone as gone:
        body, status, seconds = gone.document, 410, _STATUS_SECONDS
    except NoSuchBadge:
        body, status, media_type, seconds = {"error": "not_found"}, 404, JSON, 0
    response = Response(json.dumps(body, ensure_ascii=False), status, mimetype=media_type)
    return _kept(response, seconds)


def _picture(
    read: Callable[[], bytes], name: str, media_type: str = "image/png", seconds: int = _STATUS_SECONDS
) -> Response:
    try:
        response = Response(read(), mimetype=media_type)
    except (BadgeGone, NoSuchBadge) as missing:
        status = 410 if isinstance(missing, BadgeGone) else 404
        return _kept(
            Response(json.dumps({"error": "gone" if status == 410 else "not_found"}), status, mimetype=JSON),
            0,
        )
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return _kept(response, seconds)


def _kept(response: Response, seconds: int) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={seconds}" if seconds else "no-store"
    if response.status_code == 200:
        response.add_etag()
        response.make_conditional(request)
    return response
