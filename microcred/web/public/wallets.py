"""What wallets ask: OpenID for Verifiable Credential Issuance 1.0 with a pre-authorized code, and a VC-API
exchange (VCALM) with DIDAuthentication. Nothing here knows a session; an offer's own secrets open it.
"""

import json
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from microcred.badges.vocabulary import CREDENTIALS_V2
from microcred.badges.wallet import metadata
from microcred.badges.wallet.issuing import OfferRefused
from microcred.badges.wallet.proofs import ProofRefused, holder_of_jwt, holder_of_presentation
from microcred.web.services import services

blueprint = Blueprint("wallets", __name__)

_BODY_BYTES = 64 * 1024


@blueprint.before_request
def _limit() -> None:
    request.max_content_length = _BODY_BYTES


@blueprint.after_request
def _open_to_wallets(response: Response) -> Response:
    """Wallets in a browser ask from their own origin."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.errorhandler(OfferRefused)
def _refused(refused: OfferRefused) -> ResponseReturnValue:
    response = jsonify(error=refused.error)
    response.status_code = refused.status
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = f'Bearer error="{refused.error}"'
    return response


@blueprint.errorhandler(ProofRefused)
def _no_proof(refused: ProofRefused) -> ResponseReturnValue:
    return jsonify(error=refused.code, error_description=refused.words), 400


@blueprint.get("/.well-known/openid-credential-issuer")
def issuer_metadata() -> ResponseReturnValue:
    """OID4VCI 1.0, section 12.2.2."""
    return _kept(metadata.issuer_metadata(services().wallets.base))


@blueprint.get("/.well-known/oauth-authorization-server")
def server_metadata() -> ResponseReturnValue:
    """RFC 8414."""
    return _kept(metadata.server_metadata(services().wallets.base))


@blueprint.get("/wallet/offers/<offer_id>")
def offer(offer_id: str) -> ResponseReturnValue:
    """OID4VCI 1.0, section 4.1.3."""
    return jsonify(services().wallets.offer(offer_id))


@blueprint.post("/wallet/token")
def token() -> ResponseReturnValue:
    """OID4VCI 1.0, section 6."""
    if request.form.get("grant_type") != metadata.GRANT:
        raise OfferRefused("unsupported_grant_type")
    code, transaction_code = request.form.get("pre-authorized_code", ""), request.form.get("tx_code")
    return jsonify(services().wallets.token(code, transaction_code))


@blueprint.post("/wallet/nonce")
def nonce() -> ResponseReturnValue:
    """OID4VCI 1.0, section 7."""
    return jsonify(c_nonce=services().wallets.nonce())


@blueprint.post("/wallet/credential")
def credential() -> ResponseReturnValue:
    """OID4VCI 1.0, section 8; the single `proof` and `format` of its drafts are understood too."""
    wallets = services().wallets
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    offer_id = wallets.offer_of(bearer if kind.lower() == "bearer" else "")
    asked = _object()
    wanted = asked.get("credential_configuration_id") or _CONFIGURATION_OF.get(str(asked.get("format")))
    if wanted not in metadata.CONFIGURATIONS:
        raise OfferRefused("unknown_credential_configuration")
    old = asked.get("proof")
    proofs = asked.get("proofs")
    given = (
        proofs.get("jwt") if isinstance(proofs, dict) else [old.get("jwt")] if isinstance(old, dict) else None
    )
    if not isinstance(given, list) or len(given) != 1:
        raise ProofRefused("invalid_proof", "one proof of type jwt is needed")
    holder = holder_of_jwt(
        given[0], audience=wallets.base, nonce_is_good=wallets.nonce_is_good, now=services().clock.now()
    )
    made = wallets.give(offer_id, holder, as_token=wanted == metadata.TOKEN_CREDENTIAL)
    return jsonify({"credentials": [{"credential": made}]} | ({"credential": made} if old else {}))


_CONFIGURATION_OF = {"ldp_vc": metadata.JSON_CREDENTIAL, "jwt_vc_json": metadata.TOKEN_CREDENTIAL}


@blueprint.get("/wallet/interactions/<offer_id>")
def interaction(offer_id: str) -> ResponseReturnValue:
    """The protocols by which this offer can be taken."""
    wallets = services().wallets
    wallets.exchange_offer(offer_id)
    return jsonify(
        protocols={
            "vcapi": f"{wallets.base}/wallet/exchanges/{offer_id}",
            "OID4VCI": metadata.offer_link(wallets.base, offer_id),
        }
    )


@blueprint.post("/wallet/exchanges/<offer_id>")
def exchange(offer_id: str) -> ResponseReturnValue:
    """An exchange of the VC API: first the request for a proof, then the badge for it."""
    wallets = services().wallets
    challenge = wallets.challenge(offer_id)
    domain = wallets.base.split("://", 1)[1]
    presentation = _object(may_be_empty=True).get("verifiablePresentation")
    if presentation is None:
        wanted = {
            "query": [
                {
                    "type": "DIDAuthentication",
                    "acceptedMethods": [{"method": "key"}],
                    "acceptedCryptosuites": [{"cryptosuite": "eddsa-rdfc-2022"}],
                }
            ],
            "challenge": challenge,
            "domain": domain,
            "interact": {
                "service": [
                    {
                        "type": "UnmediatedPresentationService2021",
                        "serviceEndpoint": f"{wallets.base}/wallet/exchanges/{offer_id}",
                    }
                ]
            },
        }
        return jsonify(verifiablePresentationRequest=wanted)
    holder = holder_of_presentation(presentation, challenge=challenge, domain=domain)
    made = wallets.give(wallets.exchange_offer(offer_id), holder)
    answer = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [made],
    }
    return jsonify(verifiablePresentation=answer)


@blueprint.route("/wallet/<path:_path>", methods=["OPTIONS"])
def preflight(_path: str) -> ResponseReturnValue:
    """Whether a wallet in a browser may ask."""
    return "", 204


def _object(*, may_be_empty: bool = False) -> dict[str, Any]:
    body = request.get_data()
    if may_be_empty and not body:
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise OfferRefused("invalid_credential_request") from problem
    if not isinstance(value, dict):
        raise OfferRefused("invalid_credential_request")
    return value


def _kept(document: dict[str, Any]) -> ResponseReturnValue:
    response = jsonify(document)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
