"""Offers to wallets: what is answered, once and in time, and what is refused."""

import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import base58
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from microcred.badges import integrity, keys
from microcred.badges.vocabulary import CREDENTIALS_V2
from microcred.badges.wallet.metadata import GRANT, JSON_CREDENTIAL, TOKEN_CREDENTIAL
from tests.functional.backpacks.conftest import Packs

BASE = "http://127.0.0.1:5000"
KEY = keys.IssuerKey.from_raw(bytes(range(32)))
DID = f"did:key:{KEY.multibase}"


def offered(packs: Packs) -> str:
    """The id of a new offer."""
    page = packs.teacher.post("badge/wallet")
    assert page.status_code == 200, page.text
    link = html.unescape(re.findall(r'href="(openid-credential-offer:[^"]+)"', page.text)[0])
    return parse_qs(urlsplit(link).query)["credential_offer_uri"][0].rsplit("/", 1)[-1]


def ask(packs: Packs, path: str, **options: Any) -> Any:
    client = packs.course.app.test_client()
    return (client.get if path.startswith("GET ") else client.post)(path.removeprefix("GET "), **options)


def code_of(packs: Packs, offer: str) -> str:
    document = ask(packs, f"GET /wallet/offers/{offer}").get_json()
    assert document["credential_issuer"] == BASE
    code: str = document["grants"][GRANT]["pre-authorized_code"]
    return code


def token_of(packs: Packs, code: str) -> Any:
    return ask(packs, "/wallet/token", data={"grant_type": GRANT, "pre-authorized_code": code})


def proof(packs: Packs, **changed: Any) -> str:
    """A key proof as a wallet makes it."""
    nonce = changed.pop("nonce", None) or ask(packs, "/wallet/nonce").get_json()["c_nonce"]
    header = {"typ": "openid4vci-proof+jwt", "kid": f"{DID}#{KEY.multibase}"} | changed.pop("header", {})
    claims = {"aud": BASE, "iat": int(packs.course.clock.now().timestamp()), "nonce": nonce} | changed
    return jwt.encode(claims, KEY.private_key, algorithm="EdDSA", headers=header)


def credential(packs: Packs, token: str, **body: Any) -> Any:
    asked = {"credential_configuration_id": JSON_CREDENTIAL} | body
    asked.setdefault("proofs", {"jwt": [proof(packs)]})
    return ask(packs, "/wallet/credential", json=asked, headers={"Authorization": f"Bearer {token}"})


def test_an_offer_is_taken_once_and_bound_to_the_wallets_key(packs: Packs) -> None:
    offer = offered(packs)
    code = code_of(packs, offer)
    answer = token_of(packs, code)
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.get_json()["access_token"]
    assert token_of(packs, code).get_json() == {"error": "invalid_grant"}
    got = credential(packs, token)
    assert got.status_code == 200, got.text
    document = got.get_json()["credentials"][0]["credential"]
    integrity.verify(document, keys.did_key_public(document["issuer"]["id"]))
    assert document["credentialSubject"]["id"] == DID
    served = packs.course.app.test_client().get(f"/ob/3.0/credentials/{packs.award()}").get_json(force=True)
    assert document["id"] == served["id"]
    assert document["credentialStatus"] == served["credentialStatus"]
    assert document["credentialSubject"]["identifier"] == served["credentialSubject"]["identifier"]
    assert credential(packs, token).status_code == 401
    assert ask(packs, f"GET /wallet/offers/{offer}").status_code == 404
    assert "A wallet took this badge today" in packs.teacher.post("badge/wallet").text


def test_a_token_credential_and_the_form_of_the_drafts(packs: Packs) -> None:
    token = token_of(packs, code_of(packs, offered(packs))).get_json()["access_token"]
    body = {"credential_configuration_id": TOKEN_CREDENTIAL}
    text = credential(packs, token, **body).get_json()["credentials"][0]["credential"]
    assert jwt.decode(text, options={"verify_signature": False})["sub"] == DID
    token = token_of(packs, code_of(packs, offered(packs))).get_json()["access_token"]
    old = {"format": "ldp_vc", "proof": {"proof_type": "jwt", "jwt": proof(packs)}}
    got = credential(packs, token, credential_configuration_id=None, **old).get_json()
    assert got["credential"]["credentialSubject"]["id"] == DID


def test_what_does_not_prove_a_key_is_refused_and_uses_nothing_up(packs: Packs) -> None:
    token = token_of(packs, code_of(packs, offered(packs))).get_json()["access_token"]
    now = int(packs.course.clock.now().timestamp())
    stranger = jwt.encode({}, Ed25519PrivateKey.generate(), algorithm="EdDSA")
    wrong: list[tuple[Any, str]] = [
        ({"jwt": [proof(packs, aud="https://other.example")]}, "invalid_proof"),
        ({"jwt": [proof(packs, iat=now - 3600)]}, "invalid_proof"),
        ({"jwt": [proof(packs, header={"typ": "JWT"})]}, "invalid_proof"),
        (
            {"jwt": [proof(packs, header={"kid": f"did:key:{keys.IssuerKey.generate().multibase}"})]},
            "invalid_proof",
        ),
        ({"jwt": [proof(packs, header={"kid": "did:web:example.org"})]}, "invalid_proof"),
        ({"jwt": [proof(packs, nonce="made-up")]}, "invalid_nonce"),
        ({"jwt": [stranger]}, "invalid_proof"),
        ({"jwt": []}, "invalid_proof"),
        ({"jwt": [7]}, "invalid_proof"),
        ({"di_vp": [{}]}, "invalid_proof"),
        ("x", "invalid_proof"),
    ]
    for proofs, error in wrong:
        answer = credential(packs, token, proofs=proofs)
        assert (answer.status_code, answer.get_json()["error"]) == (400, error), proofs
    answer = credential(packs, token, credential_configuration_id="other")
    assert answer.get_json()["error"] == "unknown_credential_configuration"
    assert credential(packs, "another").status_code == 401
    late = proof(packs)
    packs.course.clock.move(seconds=301)
    answer = credential(packs, token, proofs={"jwt": [late]})
    assert answer.get_json()["error"] == "invalid_nonce"
    assert credential(packs, token).status_code == 200


def test_offers_and_tokens_end_and_codes_cannot_be_made_up(packs: Packs) -> None:
    offer = offered(packs)
    assert token_of(packs, f"{offer}.{'0' * 64}").get_json() == {"error": "invalid_grant"}
    assert ask(packs, "/wallet/token", data={"grant_type": "password"}).status_code == 400
    code = code_of(packs, offer)
    token = token_of(packs, code_of(packs, offered(packs))).get_json()["access_token"]
    packs.course.clock.move(minutes=31)
    assert token_of(packs, code).get_json() == {"error": "invalid_grant"}
    assert credential(packs, token).status_code == 401
    assert ask(packs, f"/wallet/exchanges/{offer}", json={}).status_code == 404


def test_a_revoked_badge_is_not_given(packs: Packs) -> None:
    from sqlalchemy import update

    from microcred.credentials.models import Award

    token = token_of(packs, code_of(packs, offered(packs))).get_json()["access_token"]
    with packs.course.assembly.database.writing() as session:
        session.execute(
            update(Award).values(revoked_at=packs.course.clock.now(), revocation_reason="Mistake")
        )
    assert credential(packs, token).get_json() == {"error": "invalid_credential_request"}


def presentation(packs: Packs, challenge: str, domain: str, **changed: Any) -> dict[str, Any]:
    """An empty presentation, signed by the wallet's key."""
    document = {"@context": [CREDENTIALS_V2], "type": ["VerifiablePresentation"], "holder": DID}
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-09-28T14:42:00Z",
        "verificationMethod": f"{DID}#{KEY.multibase}",
        "proofPurpose": "authentication",
        "challenge": challenge,
        "domain": domain,
    }
    signature = KEY.sign(integrity._signed_bytes(document, options))
    value = "z" + base58.b58encode(signature).decode()
    return {**document, "proof": {**options, "proofValue": value}} | changed


def test_a_wallet_takes_a_badge_by_an_exchange(packs: Packs) -> None:
    offer = offered(packs)
    protocols = ask(packs, f"GET /wallet/interactions/{offer}").get_json()["protocols"]
    assert protocols["vcapi"] == f"{BASE}/wallet/exchanges/{offer}"
    path = f"/wallet/exchanges/{offer}"
    request = ask(packs, path, json={}).get_json()["verifiablePresentationRequest"]
    assert request["query"][0]["type"] == "DIDAuthentication"
    good = presentation(packs, request["challenge"], request["domain"])
    stolen = presentation(packs, "another challenge", request["domain"])
    elsewhere = presentation(packs, request["challenge"], "other.example")
    changed = good | {"id": "urn:uuid:7a35a4a8-0a7b-4b0e-a4f0-0f2f6f0d0c11"}
    others: list[Any] = [stolen, elsewhere, changed, {}, [], "x", good | {"holder": "did:key:z6Mkother"}]
    for other in others:
        answer = ask(packs, path, json={"verifiablePresentation": other})
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_proof"), other
    answer = ask(packs, path, json={"verifiablePresentation": good})
    assert answer.status_code == 200, answer.text
    (given,) = answer.get_json()["verifiablePresentation"]["verifiableCredential"]
    integrity.verify(given, keys.did_key_public(given["issuer"]["id"]))
    assert given["credentialSubject"]["id"] == DID
    assert ask(packs, path, json={"verifiablePresentation": good}).status_code == 404


@pytest.mark.parametrize("body", [b"", b"[" * 30000, b"x" * 70_000, json.dumps([1]).encode()])
def test_strange_bodies_are_refused(packs: Packs, body: bytes) -> None:
    token = token_of(packs, code_of(packs, offered(packs))).get_json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    assert ask(packs, "/wallet/credential", data=body, headers=headers).status_code in (400, 413)


def test_metadata_says_what_is_offered(packs: Packs) -> None:
    issuer = ask(packs, "GET /.well-known/openid-credential-issuer").get_json()
    server = ask(packs, "GET /.well-known/oauth-authorization-server").get_json()
    assert issuer["credential_issuer"] == server["issuer"] == BASE
    assert set(issuer["credential_configurations_supported"]) == {JSON_CREDENTIAL, TOKEN_CREDENTIAL}


def test_an_offer_with_a_code_is_taken_by_whoever_knows_it_after_few_wrong_tries(packs: Packs) -> None:
    page = packs.teacher.post("badge/wallet", {"with_code": "1"}).text
    code = re.findall(r"asks for this code: <b>(\d{3}) (\d{3})</b>", page)
    assert "dccrequest" not in page
    link = html.unescape(re.findall(r'href="(openid-credential-offer:[^"]+)"', page)[0])
    offer = parse_qs(urlsplit(link).query)["credential_offer_uri"][0].rsplit("/", 1)[-1]
    grant = ask(packs, f"GET /wallet/offers/{offer}").get_json()["grants"][GRANT]
    assert (grant["tx_code"]["length"], grant["tx_code"]["input_mode"]) == (6, "numeric")
    right = "".join(code[0])
    wrong = f"{(int(right) + 1) % 10**6:06}"

    def token(**given: str) -> Any:
        form = {"grant_type": GRANT, "pre-authorized_code": grant["pre-authorized_code"], **given}
        return ask(packs, "/wallet/token", data=form).get_json()

    assert token() == {"error": "invalid_request"}
    assert token(tx_code=wrong) == {"error": "invalid_grant"}
    # The exchange of the VC API has no place for a code: it is not a way round it.
    assert ask(packs, f"/wallet/exchanges/{offer}", json={}).status_code == 404
    assert ask(packs, f"GET /wallet/interactions/{offer}").status_code == 404
    assert credential(packs, token(tx_code=right)["access_token"]).status_code == 200
    plain = code_of(packs, offered(packs))
    form = {"grant_type": GRANT, "pre-authorized_code": plain, "tx_code": right}
    assert ask(packs, "/wallet/token", data=form).get_json() == {"error": "invalid_request"}


def test_guessing_the_code_of_an_offer_ends_it(packs: Packs) -> None:
    page = packs.teacher.post("badge/wallet", {"with_code": "1"}).text
    right = "".join(re.findall(r"asks for this code: <b>(\d{3}) (\d{3})</b>", page)[0])
    link = html.unescape(re.findall(r'href="(openid-credential-offer:[^"]+)"', page)[0])
    offer = parse_qs(urlsplit(link).query)["credential_offer_uri"][0].rsplit("/", 1)[-1]
    form = {"grant_type": GRANT, "pre-authorized_code": code_of(packs, offer)}
    for number in range(5):
        guess = f"{(int(right) + 1 + number) % 10**6:06}"
        assert ask(packs, "/wallet/token", data={**form, "tx_code": guess}).status_code == 400
    assert ask(packs, "/wallet/token", data={**form, "tx_code": right}).get_json() == {
        "error": "invalid_grant"
    }
