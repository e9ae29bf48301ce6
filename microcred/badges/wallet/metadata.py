"""What wallets read before they ask: issuer metadata, offers (OID4VCI 1.0, sections 4.1 and 12.2)."""

from typing import Any
from urllib.parse import quote

from microcred.badges.vocabulary import CREDENTIALS_V2, OPEN_BADGES_3
from microcred.badges.wallet.proofs import ALGORITHMS

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
JSON_CREDENTIAL = "OpenBadgeCredential_ldp_vc"
TOKEN_CREDENTIAL = "OpenBadgeCredential_jwt_vc_json"  # noqa: S105 (the name of a format)
CONFIGURATIONS = (JSON_CREDENTIAL, TOKEN_CREDENTIAL)
CODE_DIGITS = 6
_TYPES = ["VerifiableCredential", "OpenBadgeCredential"]


def issuer_metadata(base: str) -> dict[str, Any]:
    """The document at `/.well-known/openid-credential-issuer`; `base` is the issuer's identifier."""
    common = {
        "cryptographic_binding_methods_supported": ["did:key", "did:jwk"],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": list(ALGORITHMS)}},
        "credential_metadata": {"display": [{"name": "Micro-credential", "locale": "en"}]},
    }
    return {
        "credential_issuer": base,
        "credential_endpoint": f"{base}/wallet/credential",
        "nonce_endpoint": f"{base}/wallet/nonce",
        "display": [{"name": "Micro-credentials", "locale": "en"}],
        "credential_configurations_supported": {
            JSON_CREDENTIAL: {
                "format": "ldp_vc",
                "credential_signing_alg_values_supported": ["eddsa-rdfc-2022"],
                "credential_definition": {"@context": [CREDENTIALS_V2, OPEN_BADGES_3], "type": _TYPES},
                **common,
            },
            TOKEN_CREDENTIAL: {
                "format": "jwt_vc_json",
                "credential_signing_alg_values_supported": ["RS256"],
                "credential_definition": {"type": _TYPES},
                **common,
            },
        },
    }


def server_metadata(base: str) -> dict[str, Any]:
    """The document at `/.well-known/oauth-authorization-server` (RFC 8414)."""
    return {
        "issuer": base,
        "token_endpoint": f"{base}/wallet/token",
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["none"],
        "pre-authorized_grant_anonymous_access_supported": True,
    }


def offer(base: str, code: str, *, needs_code: bool = False) -> dict[str, Any]:
    """A credential offer with a code that needs no sign-in; `needs_code` asks for a transaction code too."""
    asked = {
        "tx_code": {
            "input_mode": "numeric",
            "length": CODE_DIGITS,
            "description": "The six digits on the page that showed you this offer",
        }
    }
    return {
        "credential_issuer": base,
        "credential_configuration_ids": list(CONFIGURATIONS),
        "grants": {GRANT: {"pre-authorized_code": code, **(asked if needs_code else {})}},
    }


def offer_link(base: str, offer_id: str) -> str:
    """What a QR code holds and a link opens: the offer by its address."""
    address = quote(f"{base}/wallet/offers/{offer_id}", safe="")
    return f"openid-credential-offer://?credential_offer_uri={address}"


def exchange_link(base: str, offer_id: str) -> str:
    """What Learner Credential Wallet opens: a VC-API exchange."""
    request = (
        f'{{"credentialRequestOrigin":"{base}","protocols":{{"vcapi":"{base}/wallet/exchanges/{offer_id}"}}}}'
    )
    return f"dccrequest://request?request={quote(request, safe='')}"
