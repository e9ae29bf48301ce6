"""Our badges before other people's verifiers: 1EdTech's for OB 2.0, Digital Bazaar's for OB 3.0."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from microcred.badges import art, documents, integrity, keys, status, vc_jwt
from microcred.badges.baking import bake
from microcred.badges.baking_svg import bake_svg
from microcred.badges.rsa_keys import RsaKey
from microcred.badges.vocabulary import LEARNER_RECORD_2, context_document
from tests.interop.badges.hosting import Host, hosting
from tests.interop.badges.judging import Verdict, judge_ob2, judge_ob3
from tests.unit.badges.samples import ART, KEY, NOW, PUBLIC, RECIPIENT_URL, award, plain_award
from tests.unit.badges.test_nested import endorsed, record

MEMBER = ("credentialSubject", "verifiableCredential", 0)
ENDORSEMENT = ("credentialSubject", "achievement", "endorsement", 0)


@dataclass(frozen=True)
class Issued:
    """One award in every form that leaves the building."""

    facts: documents.AwardFacts
    ob3: dict[str, Any]
    ob2: dict[str, Any]
    baked: bytes
    baked_svg: bytes


@cache
def picture() -> bytes:
    return art.badge_png(art.badge_svg(ART), 200)


def issued(facts: documents.AwardFacts) -> Issued:
    ob3 = integrity.sign(documents.ob3_credential(facts), KEY, f"{facts.issuer_did}#{KEY.multibase}", NOW)
    ob2 = documents.ob2_assertion(facts)
    texts = {"ob2": json.dumps(ob2), "ob3": json.dumps(ob3)}
    svg = bake_svg(art.badge_svg(ART), **texts, hosted=ob2["id"])
    return Issued(facts, ob3, ob2, bake(picture(), **texts), svg)


def known_addresses(facts: documents.AwardFacts, *, revoked: tuple[int, ...] = ()) -> dict[str, Any]:
    """What a verifier of OB 3.0 looks up: the issuer's DID document and the signed status list."""
    unsigned = status.list_credential(
        url=facts.status.list_url, issuer_did=facts.issuer_did, revoked=revoked, valid_from=NOW
    )
    signed = integrity.sign(unsigned, KEY, f"{facts.issuer_did}#{KEY.multibase}", NOW)
    document = keys.did_document(facts.issuer_did, [KEY.public])
    return {
        facts.status.list_url: signed,
        f"{PUBLIC}/ob/issuers/{facts.issuer.id}/did.json": document,
    }


def write(folder: Path, name: str, content: Any) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return file


def changed(badge: dict[str, Any], *path: str | int, value: Any) -> dict[str, Any]:
    copied = copy.deepcopy(badge)
    holder: Any = copied
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return copied


def host_badge(host: Host, badge: Issued) -> None:
    facts, urls = badge.facts, badge.facts.addresses
    host.put_json(badge.ob2["id"], badge.ob2)
    host.put_json(urls.badge_class(facts.achievement.id), documents.ob2_badge_class(facts.of_class))
    host.put_json(urls.issuer(facts.issuer.id), documents.ob2_issuer_profile(urls, facts.issuer))
    host.put_png(urls.art(facts.achievement.id), picture())
    host.put_png(urls.baked(facts.public_id), badge.baked)


@pytest.fixture
def host() -> Iterator[Host]:
    with hosting() as found:
        yield found


def assert_accepted(verdicts: list[Verdict]) -> None:
    assert [verdict.problems for verdict in verdicts if not verdict.valid] == []


def assert_refused(verdicts: list[Verdict]) -> None:
    assert verdicts
    assert all(not verdict.valid and verdict.problems for verdict in verdicts)


@pytest.mark.parametrize("base", [PUBLIC, "http://127.0.0.1:8000"], ids=["did:web", "did:key"])
def test_the_ob3_verifier_accepts_our_credentials_as_json_and_baked(base: str, tmp_path: Path) -> None:
    rich, plain = issued(award(base)), issued(plain_award(base))
    files = [
        write(tmp_path, "rich.json", rich.ob3),
        write(tmp_path, "plain.json", plain.ob3),
        write(tmp_path, "baked.png", rich.baked),
        write(tmp_path, "baked.svg", rich.baked_svg),
    ]
    assert_accepted(judge_ob3(files, known_addresses(rich.facts), tmp_path))


def test_the_ob3_verifier_accepts_odd_but_honest_text(tmp_path: Path) -> None:
    odd = '"><script>\u2028\u2029 Ünïcode 😀 \\ \t tab\nline\r\n &amp; 日本語 \x85\x7f\x1b \xa0'
    facts = award()
    achievement = replace(facts.achievement, name=odd, criteria_narrative=odd, credits_available=0.1 + 0.2)
    badge = issued(replace(facts, achievement=achievement, credits_earned=1234567.25))
    file = write(tmp_path, "odd.json", badge.ob3)
    assert_accepted(judge_ob3([file], known_addresses(facts), tmp_path))


def test_the_ob3_verifier_refuses_every_changed_credential(tmp_path: Path) -> None:
    badge = issued(award())
    flipped = bytearray(badge.baked)
    flipped[badge.baked.index(b"Idea Shaper", badge.baked.index(b"openbadgecredential"))] ^= 1
    proof_value = badge.ob3["proof"]["proofValue"]
    subject = badge.ob3["credentialSubject"]
    other_level = subject["achievement"]["resultDescription"][0]["rubricCriterionLevel"][0]["id"]
    copies = [
        changed(badge.ob3, "name", value="Idea Shapes"),
        changed(badge.ob3, "credentialSubject", "creditsEarned", value=11),
        changed(badge.ob3, "credentialSubject", "result", 0, "achievedLevel", value=other_level),
        changed(badge.ob3, "credentialSubject", "identifier", 0, "salt", value="f00dfeee"),
        changed(badge.ob3, "validUntil", value="2039-09-12T15:00:00Z"),
        changed(badge.ob3, "credentialStatus", "statusListIndex", value="1"),
        changed(badge.ob3, "unknownMember", value="shown but not signed"),
        changed(badge.ob3, "proof", "created", value="2026-09-14T08:30:01Z"),
        changed(badge.ob3, "proof", "proofValue", value=proof_value[:-1] + "23"[proof_value.endswith("2")]),
        changed(badge.ob3, "issuer", "id", value="did:web:evil.example"),
    ]
    files = [write(tmp_path, f"{number}.json", document) for number, document in enumerate(copies)]
    files.append(write(tmp_path, "flipped.png", bytes(flipped)))
    assert_refused(judge_ob3(files, known_addresses(badge.facts), tmp_path))


def test_the_token_verifier_accepts_our_tokens_and_refuses_changed_ones(tmp_path: Path) -> None:
    facts = award()
    named = replace(facts, recipient=replace(facts.recipient, subject_id="mailto:pat@example.org"))
    key, kid = RsaKey.generate(), f"{PUBLIC}/ob/issuers/{facts.issuer.id}/keys/one"
    token = vc_jwt.sign(documents.ob3_credential(named), key, kid)
    known = {**known_addresses(facts), kid: key.public_jwk(kid)}
    endless = vc_jwt.sign(documents.ob3_credential(replace(named, valid_until=None)), key, kid)
    good = [write(tmp_path, f"{n}.jwt", text.encode()) for n, text in enumerate((token, endless))]
    assert_accepted(judge_ob3(good, known, tmp_path))
    head, body, seal = token.split(".")
    other = vc_jwt.sign(documents.ob3_credential(named), RsaKey.generate(), kid)
    flipped = f"{head}.{body[:200]}{'A' if body[200] != 'A' else 'B'}{body[201:]}.{seal}"
    bad = [write(tmp_path, f"bad-{n}.jwt", text.encode()) for n, text in enumerate((other, flipped))]
    assert_refused(judge_ob3(bad, known, tmp_path))


def test_the_ob3_verifier_accepts_endorsed_badges_and_learner_records_with_every_member(
    tmp_path: Path,
) -> None:
    method = f"{award().issuer_did}#{KEY.multibase}"
    whole = integrity.sign(record(), KEY, method, NOW)
    badge = issued(endorsed(award()))
    known = {**known_addresses(award()), LEARNER_RECORD_2: context_document(LEARNER_RECORD_2)}
    files = [write(tmp_path, "record.json", whole), write(tmp_path, "endorsed.json", badge.ob3)]
    assert_accepted(judge_ob3(files, known, tmp_path))
    changes = [
        changed(whole, "name", value="Another record"),
        changed(whole, *MEMBER, "credentialSubject", "creditsEarned", value=99),
        changed(badge.ob3, *ENDORSEMENT, "credentialSubject", "endorsementComment", value="Three credits."),
        changed(badge.ob3, *ENDORSEMENT, "proof", "created", value="2020-01-01T00:00:00Z"),
    ]
    bad = [write(tmp_path, f"{number}.json", document) for number, document in enumerate(changes)]
    assert_refused(judge_ob3(bad, known, tmp_path))
    revoked = known | known_addresses(award(), revoked=(award().status.index,))
    assert_refused(judge_ob3(files[:1], revoked, tmp_path))


def test_the_ob3_verifier_refuses_a_revoked_credential(tmp_path: Path) -> None:
    badge = issued(award())
    files = [write(tmp_path, "badge.json", badge.ob3), write(tmp_path, "baked.png", badge.baked)]
    revoked = known_addresses(badge.facts, revoked=(badge.facts.status.index,))
    assert_refused(judge_ob3(files, revoked, tmp_path))
    neighbours = known_addresses(badge.facts, revoked=(94_566, 94_568))
    assert_accepted(judge_ob3(files, neighbours, tmp_path))


def test_the_ob3_verifier_refuses_a_list_or_key_that_is_not_the_issuers(tmp_path: Path) -> None:
    badge = issued(award())
    file = write(tmp_path, "badge.json", badge.ob3)
    known = known_addresses(badge.facts)
    forged = changed(known[badge.facts.status.list_url], "validFrom", value="2026-01-01T00:00:00Z")
    assert_refused(judge_ob3([file], {**known, badge.facts.status.list_url: forged}, tmp_path))
    stranger = keys.did_document(badge.facts.issuer_did, [keys.IssuerKey.from_raw(bytes(32)).public])
    other_key = {url: stranger if url.endswith("did.json") else found for url, found in known.items()}
    assert_refused(judge_ob3([file], other_key, tmp_path))


def test_the_ob3_verifier_accepts_a_badge_of_a_retired_key(tmp_path: Path) -> None:
    badge = issued(award())
    file = write(tmp_path, "badge.json", badge.ob3)
    known = known_addresses(badge.facts)
    both = [keys.IssuerKey.from_raw(bytes(32)).public, KEY.public]
    rotated = keys.did_document(badge.facts.issuer_did, both)
    after = {url: rotated if url.endswith("did.json") else found for url, found in known.items()}
    assert_accepted(judge_ob3([file], after, tmp_path))


def test_the_ob2_validator_accepts_our_hosted_and_baked_badge(host: Host, tmp_path: Path) -> None:
    badge = issued(award(host.base))
    host_badge(host, badge)
    baked = [write(tmp_path, "baked.png", badge.baked), write(tmp_path, "baked.svg", badge.baked_svg)]
    assert_accepted(judge_ob2([badge.ob2["id"], *baked], recipient=f"url={RECIPIENT_URL}"))


def test_the_ob2_validator_accepts_the_least_that_an_award_says(host: Host) -> None:
    badge = issued(plain_award(host.base))
    host_badge(host, badge)
    assert_accepted(judge_ob2([badge.ob2["id"]]))


def test_the_ob2_validator_refuses_another_recipient(host: Host) -> None:
    badge = issued(award(host.base))
    host_badge(host, badge)
    assert_refused(judge_ob2([badge.ob2["id"]], recipient="url=https://badges.example.org/people/else"))


def test_the_ob2_validator_refuses_changed_and_missing_documents(host: Host, tmp_path: Path) -> None:
    badge = issued(award(host.base))
    host_badge(host, badge)
    moved = changed(badge.ob2, "id", value=f"{host.base}/ob/2.0/assertions/nobodys")
    elsewhere = bake(badge.baked, ob2=json.dumps(moved), ob3="{}")
    host.put_json(f"{host.base}/ob/2.0/assertions/copied", badge.ob2)
    broken = host.base + "/ob/2.0/assertions/broken"
    host.put_json(broken, {**badge.ob2, "id": broken, "issuedOn": "yesterday"})
    forged = host.base + "/ob/2.0/assertions/forged"
    host.put_json(forged, {**badge.ob2, "id": forged, "badge": f"{host.base}/ob/2.0/badges/none"})
    picture = write(tmp_path, "elsewhere.png", elsewhere)
    assert_refused(judge_ob2([picture, broken, forged, f"{host.base}/ob/2.0/assertions/none"]))


def test_the_ob2_validator_refuses_a_revoked_badge(host: Host, tmp_path: Path) -> None:
    badge = issued(award(host.base))
    host_badge(host, badge)
    gone = documents.ob2_revoked(badge.facts.addresses, badge.facts.public_id, "Awarded in error")
    host.put_json(badge.ob2["id"], gone, status=410)
    baked = write(tmp_path, "baked.png", badge.baked)
    assert_refused(judge_ob2([badge.ob2["id"], baked]))


def test_a_changed_byte_of_the_baked_assertion_is_refused(host: Host, tmp_path: Path) -> None:
    badge = issued(award(host.base))
    host_badge(host, badge)
    place = badge.baked.index(b"/ob/2.0/assertions/", badge.baked.index(b"openbadges\0"))
    flipped = bytearray(badge.baked)
    flipped[place + len(b"/ob/2.0/assertions/")] ^= 1
    repaired = bake(
        badge.baked, ob2=json.dumps(badge.ob2).replace(badge.facts.public_id, "l7q2mwy5"), ob3="{}"
    )
    files = {"flipped.png": bytes(flipped), "repaired.png": repaired}
    assert_refused(judge_ob2([write(tmp_path, name, png) for name, png in files.items()]))
