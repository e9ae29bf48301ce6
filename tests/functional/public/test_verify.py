"""The verification page and the documents of badges, as anybody reads them."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from microcred.badges.models import Badge
from microcred.credentials.models import Award
from microcred.people.models import Person
from tests.functional.review.visitor import ORIGIN, Visitor
from tests.functional.review.world import SECRETS, World


def path_of(address: str) -> str:
    assert address.startswith(ORIGIN + "/")
    return urlsplit(address).path


def document(answer: TestResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.get_data())
    return found


def change(world: World, **values: Any) -> None:
    with world.database.writing() as session:
        session.execute(update(Award).values(**values))


def test_the_page_says_that_a_badge_is_valid_and_what_it_stands_for(anybody: Visitor, made: str) -> None:
    assert anybody.get(f"/badges/{made}").status_code == 200
    for words in (
        "<b>Valid</b>",
        "Signature and status checked just now. Not revoked. It does not expire.",
        "Idea Shaper",
        "Riverbend Educator Alliance",
        "October 5, 2026",
        "10 hours (1.0 CEU)",
        "Passing on Parts 1, 3 and 4, and Yes on Part 2.",
        "Nurture creative expression",
        "Read by a reviewer who did not know whose work it was",
    ):
        assert words in anybody.page
    assert f'<meta property="og:url" content="{ORIGIN}/badges/{made}">' in anybody.page
    assert '<meta property="og:title" content="Idea Shaper">' in anybody.page


def test_the_page_names_nobody_and_shows_no_evidence_unless_the_holder_says_so(
    world: World, anybody: Visitor, made: str
) -> None:
    anybody.get(f"/badges/{made}")
    for secret in (*SECRETS, "Well shown", "notes went from", "Robin", "Avery"):
        assert secret not in anybody.page
    change(world, shows_name=True)
    anybody.get(f"/badges/{made}")
    assert "Terry Tryout earned Idea Shaper" in anybody.page
    assert "terry@school.example" not in anybody.page


def test_before_the_file_is_made_the_page_says_so(anybody: Visitor, award_id: str) -> None:
    assert anybody.get(f"/badges/{award_id}").status_code == 200
    assert "The badge file is being made." in anybody.page


def test_a_changed_badge_is_not_called_valid(world: World, anybody: Visitor, made: str) -> None:
    with world.database.writing() as session:
        badge = session.scalars(select(Badge)).one()
        assert badge.ob3 is not None
        subject = badge.ob3["credentialSubject"] | {"creditsEarned": 100.0}
        badge.ob3 = badge.ob3 | {"credentialSubject": subject}
    anybody.get(f"/badges/{made}")
    assert "Do not rely on this" in anybody.page
    assert "<b>Valid</b>" not in anybody.page


def test_a_revoked_an_expired_an_unknown_and_a_withdrawn_badge(
    world: World, anybody: Visitor, made: str
) -> None:
    change(world, valid_until=world.clock.now())
    anybody.get(f"/badges/{made}")
    assert "<b>Expired</b>" in anybody.page
    change(world, valid_until=None, revoked_at=world.clock.now(), revocation_reason="Awarded by mistake")
    anybody.get(f"/badges/{made}")
    assert "Not valid any more" in anybody.page
    assert "The issuer took it back on October 5, 2026. Reason: Awarded by mistake." in anybody.page
    assert "Download" not in anybody.page
    assert anybody.get("/badges/nothing-has-this-id").status_code == 404
    with world.database.writing() as session:
        session.execute(update(Person).where(Person.id == world.teacher).values(state="erased", name=None))
    assert anybody.get(f"/badges/{made}").status_code == 410
    assert "This badge was withdrawn" in anybody.page


def test_every_document_is_found_from_the_assertion_and_open_to_all(
    world: World, anybody: Visitor, made: str
) -> None:
    assertion = anybody.get(f"/ob/2.0/assertions/{made}", Origin="https://checker.example")
    assert assertion.mimetype == "application/ld+json"
    assert document(assertion)["id"] == f"{ORIGIN}/ob/2.0/assertions/{made}"
    badge_class = anybody.get(path_of(document(assertion)["badge"]))
    assert document(badge_class)["id"] == document(assertion)["badge"]
    issuer = anybody.get(path_of(document(badge_class)["issuer"]))
    assert document(issuer)["name"] == "Riverbend Educator Alliance"
    baked = anybody.get(path_of(document(assertion)["image"]))
    art = anybody.get(path_of(document(badge_class)["image"]["id"]))
    for answer in (assertion, badge_class, issuer, baked, art):
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cache-Control"].startswith("public")
    for picture in (baked, art):
        assert picture.mimetype == "image/png"
        assert picture.get_data().startswith(b"\x89PNG")
    assert b"openbadgecredential" in baked.get_data()


def test_the_credential_its_issuer_and_its_status_list_are_served(
    world: World, anybody: Visitor, made: str
) -> None:
    credential = anybody.get(f"/ob/3.0/credentials/{made}")
    assert credential.mimetype == "application/vc+ld+json"
    assert document(credential)["id"] == f"{ORIGIN}/ob/3.0/credentials/{made}"
    kept = anybody.get(f"/ob/3.0/credentials/{made}.json")
    assert kept.mimetype == "application/json"
    assert document(kept) == document(credential)
    assert "attachment" in kept.headers["Content-Disposition"]
    achievement = anybody.get(path_of(document(credential)["credentialSubject"]["achievement"]["id"]))
    assert document(achievement)["name"] == "Idea Shaper"
    status = anybody.get(path_of(document(credential)["credentialStatus"]["statusListCredential"]))
    assert document(status)["credentialSubject"]["type"] == "BitstringStatusList"
    did = document(credential)["issuer"]["id"]
    host, *path = did.removeprefix("did:web:").split(":")
    identity = anybody.get(f"/{'/'.join(path)}/did.json")
    assert host == "tool.example.org"
    assert document(identity)["id"] == did
    assert document(credential)["proof"]["verificationMethod"] in document(identity)["assertionMethod"]
    assert document(anybody.get("/.well-known/did.json"))["id"] == "did:web:tool.example.org"


def test_a_revoked_assertion_is_gone_with_its_reason(world: World, anybody: Visitor, made: str) -> None:
    change(world, revoked_at=world.clock.now(), revocation_reason="Awarded by mistake")
    answer = anybody.get(f"/ob/2.0/assertions/{made}")
    assert (answer.status_code, document(answer)["revoked"]) == (410, True)
    assert document(answer)["revocationReason"] == "Awarded by mistake"
    assert anybody.get(f"/ob/badges/{made}.png").status_code == 410


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/ob/2.0/issuers/x",
            "/ob/2.0/badges/x",
            "/ob/2.0/badges/x.png",
            "/ob/2.0/assertions/x",
            "/ob/badges/x.png",
        ),
        *("/ob/3.0/credentials/x", "/ob/3.0/credentials/x.json", "/ob/3.0/achievements/x", "/ob/status/99"),
        "/ob/issuers/x/did.json",
    ],
)
def test_an_unknown_document_is_a_plain_404_open_to_all(anybody: Visitor, path: str) -> None:
    answer = anybody.get(path)
    assert answer.status_code == 404
    assert document(answer) == {"error": "not_found"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_document_that_has_not_changed_is_not_sent_again(world: World, anybody: Visitor, made: str) -> None:
    path = f"/ob/3.0/credentials/{made}"
    tag = anybody.get(path).headers["ETag"]
    again = anybody.get(path, **{"If-None-Match": tag})
    assert (again.status_code, again.get_data()) == (304, b"")


def test_a_checker_in_a_browser_may_ask_first(anybody: Visitor) -> None:
    answer = anybody.client.options(
        "/ob/2.0/issuers/x", base_url=ORIGIN, headers={"Origin": "https://checker.example"}
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
