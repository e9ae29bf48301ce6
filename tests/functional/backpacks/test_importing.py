"""Badges earned elsewhere: what is verified, what stays unclear, what is refused, and what counts."""

import gzip
import html
import io
import json
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import select

from microcred.badges import integrity, keys, status
from microcred.badges.baking import bake
from microcred.badges.facts import identity_hash
from microcred.badges.importing.models import ImportedBadge
from microcred.badges.importing.reading import NotABadge, read
from microcred.badges.vocabulary import CREDENTIALS_V2, OPEN_BADGES_3
from microcred.people.models import ContactAddress, Organization
from tests.functional.backpacks.conftest import Packs
from tests.interop.badges.hosting import Host, hosting


def png() -> bytes:
    """A picture of one point."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\0")),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


KEY = keys.IssuerKey.from_raw(bytes(range(1, 33)))
MAIL = "pat@example.org"
WHEN = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def web() -> Iterator[Host]:
    """Another issuer's web site."""
    with hosting() as host:
        yield host


@pytest.fixture
def mine(packs: Packs) -> Packs:
    """A person with a confirmed address."""
    with packs.course.assembly.database.writing() as session:
        session.add(
            ContactAddress(
                person_id=packs.teacher.person_id, address=MAIL, confirmed_at=WHEN, created_at=WHEN
            )
        )
    return packs


def did_web(web: Host) -> str:
    """The other issuer's DID, its document served."""
    did = "did:web:" + web.base.removeprefix("http://").replace(":", "%3A")
    web.put_json(f"{web.base}/.well-known/did.json", keys.did_document(did, [KEY.public]))
    return did


def credential(issuer: str, **changed: Any) -> dict[str, Any]:
    """A credential of another issuer, unsigned."""
    document = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
        "id": "urn:uuid:0b1f64a4-6a6e-4b53-9a0f-6f7b9ec5a001",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": issuer, "type": ["Profile"], "name": "Another Alliance"},
        "validFrom": "2026-09-01T12:00:00Z",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": True,
                    "identityHash": identity_hash(MAIL, "salt"),
                    "identityType": "emailAddress",
                    "salt": "salt",
                }
            ],
            "creditsEarned": 12,
            "achievement": {
                "id": "urn:uuid:0b1f64a4-6a6e-4b53-9a0f-6f7b9ec5a002",
                "type": ["Achievement"],
                "name": "Listening to Families",
                "description": "d",
                "criteria": {"narrative": "c"},
            },
        },
    }
    return document | changed


def signed(document: dict[str, Any]) -> dict[str, Any]:
    return integrity.sign(document, KEY, f"{document['issuer']['id']}#{KEY.multibase}", WHEN)


def with_status(document: dict[str, Any], web: Host, revoked: bool) -> dict[str, Any]:
    """The same with a place in a served status list."""
    url = f"{web.base}/status/1"
    issuer = document["issuer"]["id"]
    unsigned = status.list_credential(
        url=url, issuer_did=issuer, revoked=[7] if revoked else [], size=status.MINIMUM_BITS, valid_from=WHEN
    )
    web.put_json(url, integrity.sign(unsigned, KEY, f"{issuer}#{KEY.multibase}", WHEN))
    entry = {
        "id": f"{url}#7",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": url,
    }
    return document | {"credentialStatus": entry}


def bring(packs: Packs, data: bytes, name: str = "badge.json") -> Any:
    """Add a file."""
    return packs.teacher.post(
        "record/elsewhere", {"file": (io.BytesIO(data), name)}, content_type="multipart/form-data"
    )


def added(packs: Packs, answer: Any) -> ImportedBadge:
    assert answer.status_code == 303, html.unescape(answer.text)
    with packs.course.assembly.database.reading() as session:
        return session.scalars(select(ImportedBadge)).one()


def refused(packs: Packs, answer: Any) -> str:
    """The code of a refusal; nothing is stored."""
    assert answer.status_code == 409, answer.status_code
    with packs.course.assembly.database.reading() as session:
        assert session.scalars(select(ImportedBadge)).all() == []
    code: str = answer.text.split('data-error="')[1].split('"')[0]
    return code


def codes(row: ImportedBadge) -> list[str]:
    return [code for _, _, code in row.checks]


def test_a_credential_is_verified_and_listed(mine: Packs, web: Host) -> None:
    document = signed(with_status(credential(did_web(web)), web, revoked=False))
    row = added(mine, bring(mine, json.dumps(document).encode()))
    assert (row.standing, row.hours, row.version) == ("verified", 12, "3.0")
    assert codes(row) == ["holds", "not_revoked", "valid_now", "yours"]
    page = html.unescape(mine.teacher.get("record").text)
    assert "Listening to Families" in page
    assert "Another Alliance, September 1, 2026. 12 hours. <b>Verified.</b>" in page
    assert "It names one of your confirmed addresses." in page
    assert mine.teacher.post(f"record/elsewhere/{row.public_id}/remove").status_code == 303
    assert "Listening to Families" not in mine.teacher.get("record").text


def test_pictures_tokens_and_addresses_are_read(mine: Packs, web: Host) -> None:
    document = signed(credential(f"did:key:{KEY.multibase}"))
    picture = bake(png(), ob2=json.dumps({"type": "Assertion"}), ob3=json.dumps(document))
    assert added(mine, bring(mine, picture, "badge.png")).standing == "verified"
    web.put_png(f"{web.base}/badge.png", picture)
    answer = mine.teacher.post("record/elsewhere", {"text-address": f"{web.base}/badge.png"})
    assert added(mine, answer).standing == "verified"
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0">'
        f"<openbadges:credential><![CDATA[{json.dumps(document)}]]></openbadges:credential></svg>"
    )
    assert added(mine, bring(mine, svg.encode(), "badge.svg")).standing == "verified"


def test_a_token_needs_a_key_of_its_issuers(mine: Packs, web: Host) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    issuer = f"{web.base}/issuer"
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    web.put_json(f"{web.base}/keys/1", jwk)
    claims = credential(issuer) | {"iss": issuer, "sub": "x", "nbf": 1}
    token = jwt.encode(claims, key, algorithm="RS256", headers={"kid": f"{web.base}/keys/1"})
    assert codes(added(mine, bring(mine, token.encode(), "badge.jwt")))[0] == "holds"
    foreign = jwt.encode(claims, key, algorithm="RS256", headers={"kid": "https://other.example/keys/1"})
    row = added(mine, bring(mine, foreign.encode()))
    assert (row.standing, codes(row)[0]) == ("partly", "key_not_found")


def test_what_fails_a_check_is_refused_in_words(mine: Packs, web: Host) -> None:
    did = did_web(web)
    good = signed(with_status(credential(did), web, revoked=True))
    changed = json.loads(json.dumps(good))
    changed["credentialSubject"]["achievement"]["name"] += "!"
    unsigned = credential(did)
    cases = {
        "badge_revoked": good,
        "badge_changed": changed,
        "badge_none": unsigned,
        "badge_not_yet_valid": signed(credential(did, validFrom="2027-01-01T00:00:00Z")),
    }
    for code, document in cases.items():
        assert refused(mine, bring(mine, json.dumps(document).encode())) == code


def test_what_cannot_be_checked_is_said(mine: Packs, web: Host) -> None:
    did = "did:web:127.0.0.1%3A9"
    row = added(mine, bring(mine, json.dumps(signed(credential(did))).encode()))
    assert (row.standing, codes(row)[0]) == ("partly", "key_not_found")
    expired = signed(credential(did_web(web), validUntil="2026-09-02T00:00:00Z"))
    assert added(mine, bring(mine, json.dumps(expired).encode())).standing == "expired"
    other = signed(credential(did_web(web), name="x"))
    other["@context"] = [*other["@context"], "https://unknown.example/context.json"]
    row = added(mine, bring(mine, json.dumps(other).encode()))
    assert codes(row)[0] == "other_terms"
    page = mine.teacher.get("record").text
    assert "Not everything could be checked." in page


def hosted_badge(web: Host) -> dict[str, Any]:
    """An OB 2.0 badge on the other issuer's site."""
    context = "https://w3id.org/openbadges/v2"
    issuer: dict[str, Any] = {
        "@context": context,
        "id": f"{web.base}/issuer",
        "type": "Issuer",
        "name": "Another Alliance",
    }
    badge: dict[str, Any] = {
        "@context": context,
        "id": f"{web.base}/badge",
        "type": "BadgeClass",
        "name": "Reading",
    }
    badge["issuer"] = issuer["id"]
    assertion: dict[str, Any] = {
        "@context": context,
        "id": f"{web.base}/assertion",
        "type": "Assertion",
        "recipient": {"type": "email", "identity": identity_hash(MAIL, "s"), "hashed": True, "salt": "s"},
        "badge": badge["id"],
        "verification": {"type": "HostedBadge"},
        "issuedOn": "2026-09-01T12:00:00Z",
    }
    for document in (issuer, badge, assertion):
        web.put_json(document["id"], document)
    return assertion


def test_a_hosted_assertion_counts_as_its_address_answers(mine: Packs, web: Host) -> None:
    assertion = hosted_badge(web)
    row = added(mine, bring(mine, json.dumps(assertion).encode()))
    assert (row.standing, row.name, row.issuer_name) == ("verified", "Reading", "Another Alliance")
    forged = assertion | {"recipient": {"type": "email", "identity": "else@example.org", "hashed": False}}
    assert codes(added(mine, bring(mine, json.dumps(forged).encode())))[-1] == "yours"  # as it is served


def test_hosted_assertions_that_lie_are_refused(mine: Packs, web: Host) -> None:
    assertion = hosted_badge(web)
    web.put_json(assertion["id"], assertion | {"id": "https://other.example/1"})
    assert refused(mine, bring(mine, json.dumps(assertion).encode())) == "badge_changed"
    web.put_json(assertion["id"], {"id": assertion["id"], "revoked": True}, 410)
    assert refused(mine, bring(mine, json.dumps(assertion).encode())) == "badge_revoked"
    answer = mine.teacher.post("record/elsewhere", {"text-address": assertion["id"]})
    assert refused(mine, answer) == "badge_revoked"
    web.put_json(assertion["id"], assertion)
    issuer = {"id": f"{web.base}/issuer", "type": "Issuer", "name": "A"}
    rules = {"startsWith": f"{web.base}/else/"}
    web.put_json(issuer["id"], issuer | {"verification": rules})
    assert refused(mine, bring(mine, json.dumps(assertion).encode())) == "badge_other_host"


def test_a_signed_assertion_needs_the_issuers_own_key(mine: Packs, web: Host) -> None:
    assertion = hosted_badge(web)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    named = {"id": f"{web.base}/key", "type": "CryptographicKey", "owner": f"{web.base}/issuer"}
    web.put_json(named["id"], named | {"publicKeyPem": pem.decode()})
    issuer = {"id": f"{web.base}/issuer", "type": "Issuer", "name": "A"}
    web.put_json(issuer["id"], issuer | {"publicKey": named["id"]})
    body = assertion | {"id": "urn:uuid:1", "verification": {"type": "SignedBadge", "creator": named["id"]}}
    token = jwt.api_jws.encode(json.dumps(body).encode(), key, algorithm="RS256")
    assert codes(added(mine, bring(mine, token.encode())))[:2] == ["holds", "never_revoked"]
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.api_jws.encode(json.dumps(body | {"id": "urn:uuid:2"}).encode(), other, algorithm="RS256")
    answer = bring(mine, forged.encode())
    assert 'data-error="badge_changed"' in answer.text


def test_bombs_scripts_and_nonsense_are_refused_in_words(packs: Packs, web: Host) -> None:
    zeros = gzip.compress(b"0" * 10_000_000)
    entities = b'<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>'
    script = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    handler = b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>'
    cases = {
        b"": "badge_nothing",
        b"hello": "badge_not_readable",
        b"[]": "badge_not_a_badge",
        b'{"type": "Person"}': "badge_not_a_badge",
        b"[" * 200_000: "badge_not_readable",
        zeros: "badge_not_readable",
        png(): "badge_no_badge_inside",
        png()[:60]: "badge_chunk_invalid",
        entities: "badge_not_an_svg",
        script: "badge_svg_with_script",
        handler: "badge_svg_with_script",
        b"<svg": "badge_not_an_svg",
        b"a.b.c": "badge_not_readable",
    }
    for data, code in cases.items():
        answer = bring(packs, data) if data else packs.teacher.post("record/elsewhere", {})
        assert refused(packs, answer) == code, data[:40]
    for address, code in {
        "http://10.0.0.1/badge": "badge_url_not_allowed",
        "file:///etc/passwd": "badge_url_not_allowed",
        "https://169.254.169.254/": "badge_url_not_allowed",
        "http://127.0.0.1:9/": "badge_address_away",
        f"{web.base}/nothing": "badge_not_there",
    }.items():
        assert refused(packs, packs.teacher.post("record/elsewhere", {"text-address": address})) == code


@pytest.mark.parametrize("data", [b"{" + b" " * 2_000_000, b"\x89PNG" + bytes(9_000_000)])
def test_a_huge_file_is_no_badge(data: bytes) -> None:
    with pytest.raises(NotABadge, match="too_large"):
        read(data)


def test_badges_count_where_the_policy_says_so(mine: Packs, web: Host) -> None:
    did = did_web(web)
    added(mine, bring(mine, json.dumps(signed(credential(did))).encode()))
    assert "Also counted" not in mine.teacher.get("record").text
    with mine.course.assembly.database.writing() as session:
        district = session.scalars(select(Organization).where(Organization.code == "demo")).one()
        district.policies = {"counts_badges_of": [did]}
    page = mine.teacher.get("record").text
    assert "Also counted: 1 badge from elsewhere, 12 hours." in page
