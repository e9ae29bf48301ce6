"""The documents of both versions say the same award, and never say who earned it in the clear."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from microcred.badges import documents
from microcred.badges.documents import AwardFacts, IdentifierFacts, ResultFacts, StatusEntry
from microcred.badges.errors import FactsError
from tests.unit.badges.samples import ACHIEVEMENT, ISSUER, RECIPIENT_URL, award, plain_award


def nothing_empty(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(nothing_empty(inner) for inner in value.values())
    if isinstance(value, list):
        return bool(value) and all(nothing_empty(inner) for inner in value)
    return value is not None and value != ""


@pytest.mark.parametrize("facts", [award(), plain_award(), award("http://127.0.0.1:8000")])
def test_documents_hold_no_empty_member(facts: AwardFacts) -> None:
    for document in (
        documents.ob3_credential(facts),
        documents.ob2_assertion(facts),
        documents.ob2_badge_class(facts.of_class),
        documents.ob2_issuer_profile(facts.addresses, facts.issuer),
    ):
        assert nothing_empty(document)


def test_neither_version_names_the_recipient() -> None:
    facts = award()
    written = json.dumps([documents.ob3_credential(facts), documents.ob2_assertion(facts)])
    for secret in (RECIPIENT_URL, *(item.value for item in facts.recipient.identifiers)):
        assert secret not in written


def test_the_recipient_can_be_recognised_by_who_knows_them() -> None:
    def hashed(value: str) -> str:
        return "sha256$" + hashlib.sha256((value + "f00dfeed").encode()).hexdigest()

    subject = documents.ob3_credential(award())["credentialSubject"]
    assert [(item["identityType"], item["identityHash"]) for item in subject["identifier"]] == [
        ("ltiUserId", hashed("u-1001")),
        ("emailAddress", hashed("pat@example.org")),
    ]
    recipient = documents.ob2_assertion(award())["recipient"]
    assert recipient == {
        "type": "url",
        "hashed": True,
        "salt": "f00dfeed",
        "identity": hashed(RECIPIENT_URL),
    }


def test_every_result_points_at_its_criterion_and_level() -> None:
    subject = documents.ob3_credential(award())["credentialSubject"]
    levels = {
        description["id"]: {level["id"]: level["name"] for level in description["rubricCriterionLevel"]}
        for description in subject["achievement"]["resultDescription"]
    }
    reached = [levels[item["resultDescription"]][item["achievedLevel"]] for item in subject["result"]]
    assert reached == ["Strong", "Passing", "Yes"]


def test_a_reissue_keeps_id_and_award_date_and_moves_valid_from() -> None:
    first = documents.ob3_credential(award())
    later = award()
    again = documents.ob3_credential(replace(later, valid_from=later.valid_from + timedelta(days=1)))
    assert (again["id"], again["awardedDate"]) == (first["id"], first["awardedDate"])
    assert again["validFrom"] > first["validFrom"]


def test_moments_are_written_in_utc() -> None:
    local = datetime(2026, 9, 12, 8, 0, 0, 999, tzinfo=timezone(timedelta(hours=-7)))
    assert (
        documents.ob3_credential(replace(award(), awarded_date=local))["awardedDate"]
        == "2026-09-12T15:00:00Z"
    )


def test_a_test_badge_says_so_in_both_versions_and_a_real_one_does_not() -> None:
    for base, expected in (("http://127.0.0.1:8000", True), ("https://badges.example.org", False)):
        facts = award(base)
        ob3, ob2 = documents.ob3_credential(facts), documents.ob2_assertion(facts)
        assert ("Test badge" in ob3["credentialSubject"].get("narrative", "")) is expected
        assert ("Test badge" in ob2.get("narrative", "")) is expected


def test_hostile_text_stays_text() -> None:
    hostile = '"><script>alert(1)</script>\x00\x1b \ud800{{7*7}}'
    facts = replace(award(), achievement=replace(ACHIEVEMENT, name=hostile, criteria_narrative=hostile))
    expected = '"><script>alert(1)</script> {{7*7}}'
    assert documents.ob3_credential(facts)["name"] == expected
    assert documents.ob2_badge_class(facts.of_class)["criteria"]["narrative"] == expected


def test_ids_from_outside_cannot_leave_their_place_in_an_address() -> None:
    facts = replace(award(), achievement=replace(ACHIEVEMENT, id="../../app?x=1#y"))
    assert documents.ob2_badge_class(facts.of_class)["id"] == (
        "https://badges.example.org/ob/2.0/badges/..%2F..%2Fapp%3Fx%3D1%23y"
    )


def test_a_revoked_assertion_answers_with_its_reason() -> None:
    facts = award()
    body = documents.ob2_revoked(facts.addresses, facts.public_id, "Awarded in error")
    assert (body["id"], body["revoked"]) == (documents.ob2_assertion(facts)["id"], True)
    assert body["revocationReason"] == "Awarded in error"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda f: replace(f, recipient=replace(f.recipient, identifiers=())), "recipient_missing"),
        (lambda f: replace(f, results=(ResultFacts("p1-c1", "excellent"),)), "result_unknown"),
        (lambda f: replace(f, results=(ResultFacts("p9-c9", "strong"),)), "result_unknown"),
        (lambda f: replace(f, status=StatusEntry(f.status.list_url, -1)), "status_index"),
        (lambda f: replace(f, valid_until=f.awarded_date), "dates"),
        (lambda f: replace(f, valid_from=datetime(2026, 1, 1)), "dates"),  # noqa: DTZ001
        (lambda f: replace(f, achievement=replace(f.achievement, name=" \x00 ")), "text_missing"),
        (lambda f: replace(f, issuer=replace(f.issuer, url="javascript alert")), "address_invalid"),
        (lambda f: replace(f, issuer=replace(f.issuer, url="https://[bad")), "address_invalid"),
        (lambda f: replace(f, recipient=replace(f.recipient, subject_id="pat")), "address_invalid"),
    ],
)
def test_facts_that_make_no_honest_badge_are_refused(
    change: Callable[[AwardFacts], AwardFacts], code: str
) -> None:
    with pytest.raises(FactsError) as refused:
        documents.ob3_credential(change(award()))
    assert refused.value.code == code


def test_an_issuer_without_an_email_address_has_no_profile() -> None:
    with pytest.raises(FactsError) as refused:
        documents.ob2_issuer_profile(award().addresses, replace(ISSUER, email=None))
    assert refused.value.code == "issuer_email"


def test_a_chosen_subject_id_needs_no_identifier() -> None:
    facts = award()
    chosen = replace(facts.recipient, identifiers=(), subject_id="did:example:holder")
    subject = documents.ob3_credential(replace(facts, recipient=chosen))["credentialSubject"]
    assert subject["id"] == "did:example:holder"
    assert "identifier" not in subject


def test_an_identifier_hash_depends_on_its_salt() -> None:
    one, other = (IdentifierFacts("ltiUserId", "u-1", salt).hashed for salt in ("a", "b"))
    assert one != other


def test_an_award_without_expiry_never_expires_in_either_version() -> None:
    facts = replace(award(), valid_until=None)
    assert "validUntil" not in documents.ob3_credential(facts)
    assert "expires" not in documents.ob2_assertion(facts)
    assert documents.ob2_assertion(award())["expires"] == documents.ob3_credential(award())["validUntil"]


def test_the_date_of_award_is_the_issue_date_of_the_hosted_assertion() -> None:
    facts = replace(award(), awarded_date=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert documents.ob2_assertion(facts)["issuedOn"] == "2026-01-02T03:04:05Z"


def test_the_achievement_served_at_its_id_is_the_one_in_the_credential() -> None:
    served = documents.ob3_achievement(award().of_class)
    inside = documents.ob3_credential(award())["credentialSubject"]["achievement"]
    assert served == {"@context": documents.ob3_credential(award())["@context"], **inside}


def test_a_final_slash_of_the_badge_address_makes_no_difference() -> None:
    facts = award()
    slashed = replace(facts, addresses=documents.Addresses("https://badges.example.org/"))
    assert documents.ob3_credential(slashed) == documents.ob3_credential(facts)
