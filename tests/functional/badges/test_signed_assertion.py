"""The OB 2.0 assertion as a JWS: signed when somebody asks, anew with every copy, gone once revoked."""

import jwt

from microcred.badges import lifecycle
from microcred.credentials.models import Award
from tests.functional.badges.test_store import awarded, badge_row, get, revoke
from tests.support.campus import Campus


def test_a_signed_assertion_leads_to_its_key_and_to_what_was_revoked(here: Campus) -> None:
    award_id = awarded(here)
    path = f"/ob/2.0/assertions/{award_id}.jws"
    assert get(here, path).status_code == 404
    here.work()
    hosted = get(here, f"/ob/2.0/assertions/{award_id}").get_json(force=True)
    issuer_path = (
        get(here, hosted["badge"]).get_json(force=True)["issuer"].removeprefix("https://badges.example.org")
    )
    assert "publicKey" not in get(here, issuer_path).get_json(force=True)
    assert get(here, f"{issuer_path}/revoked").status_code == 404
    for rendering in (
        path,
        path.removesuffix(".jws"),
        f"/ob/badges/{award_id}.png",
        f"/ob/badges/{award_id}.svg",
    ):
        # A revocation must be seen within a minute, also behind a cache.
        assert get(here, rendering).headers["Cache-Control"] == "public, max-age=60", rendering
    token = get(here, path).text
    assert get(here, path).text == token
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["id"].startswith("urn:uuid:")
    issuer = get(here, issuer_path).get_json(force=True)
    assert issuer["publicKey"] == [claims["verification"]["creator"]]
    key = get(here, issuer["publicKey"][0]).get_json(force=True)
    assert key["owner"] == issuer["id"]
    jwt.decode(token, key["publicKeyPem"], algorithms=["RS256"])
    same = {name: value for name, value in hosted.items() if name not in ("id", "verification")}
    assert {name: claims[name] for name in same} == same
    assert get(here, issuer["revocationList"]).get_json(force=True)["revokedAssertions"] == []
    revoke(here, award_id)
    assert get(here, path).status_code == 410
    (signed, also) = get(here, issuer["revocationList"]).get_json(force=True)["revokedAssertions"]
    assert (signed["id"], also["id"]) == (claims["id"], hosted["id"])
    assert signed["revocationReason"] == "Awarded by mistake"


def test_a_badge_written_anew_is_signed_anew_under_the_same_id(here: Campus) -> None:
    award_id = awarded(here)
    here.work()
    path = f"/ob/2.0/assertions/{award_id}.jws"
    before = jwt.decode(get(here, path).text, options={"verify_signature": False})
    with here.assembly.database.writing() as session:
        award = session.get_one(Award, badge_row(here).award_id)
        award.valid_until = award.awarded_at.replace(year=award.awarded_at.year + 3)
        lifecycle.reissue(session, award, now=here.clock.now())
    here.work()
    assert badge_row(here).ob2_jws is None
    after = jwt.decode(get(here, path).text, options={"verify_signature": False})
    assert after["id"] == before["id"]
    assert "expires" in after
    assert "expires" not in before or after["expires"] != before["expires"]
