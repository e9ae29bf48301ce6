"""The holder's choices, and the badge issued anew because of them: same id, later `validFrom`."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import select

from microcred.app.wiring import Assembly
from microcred.badges import baking, baking_svg, endorsing, integrity, keys
from microcred.badges import lifecycle as badges
from microcred.badges.models import Endorsement
from microcred.badges.status import entry_is_revoked
from microcred.credentials.definition import definition_of
from microcred.credentials.models import Attempt, Award, CredentialVersion, Pursuit
from microcred.operations import awards, holding
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.operations.reading_teacher import Loaded
from microcred.people.models import AuditEvent, ContactAddress
from microcred.placements import Placement
from tests.functional.public.test_verify import change, document
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import World


@dataclass
class Holder:
    """The holder at work on the badge, through the operation alone."""

    world: World
    assembly: Assembly

    def choose(self, *, person: int | None = None, **choice: Any) -> bool:
        chosen: dict[str, Any] = {
            "shows_name": False,
            "shared_prompt": None,
            "recognised_by_email": False,
            "shown_address_id": None,
        }
        with self.world.database.writing() as session:
            pursuit = session.scalars(select(Pursuit)).one()
            attempt = session.scalars(select(Attempt)).one()
            return holding.choose(
                session,
                self.world.actor(person or self.world.teacher),
                _loaded(session, pursuit, attempt),
                **(chosen | choice),
                now=self.world.clock.now(),
            )

    def address(self, *, confirmed: bool) -> int:
        with self.world.database.writing() as session:
            now = self.world.clock.now()
            row = ContactAddress(
                person_id=self.world.teacher,
                address="terry@home.example",
                confirmed_at=now if confirmed else None,
                created_at=now,
            )
            session.add(row)
            session.flush()
            return row.id

    def work(self) -> None:
        self.assembly.make_worker().run_due()


def _loaded(session: Any, pursuit: Pursuit, attempt: Attempt) -> Loaded:
    version = session.get_one(CredentialVersion, pursuit.version_id)
    placement = session.get_one(Placement, pursuit.placement_id)
    return Loaded(placement, pursuit, attempt, definition_of(session, version), {}, (), frozenset())


@pytest.fixture
def holder(world: World, assembly: Assembly, made: str) -> Holder:
    return Holder(world, assembly)


def credential(anybody: Visitor, badge_id: str) -> dict[str, Any]:
    return document(anybody.get(f"/ob/3.0/credentials/{badge_id}"))


def test_chosen_writing_is_shown_everywhere_and_hidden_again(
    holder: Holder, anybody: Visitor, made: str
) -> None:
    first = credential(anybody, made)
    assert holder.choose(shared_prompt="p1-q1")
    holder.work()
    second = credential(anybody, made)
    assert (second["id"], second["awardedDate"]) == (first["id"], first["awardedDate"])
    assert second["credentialStatus"] == first["credentialStatus"]
    assert datetime.fromisoformat(second["validFrom"]) > datetime.fromisoformat(first["validFrom"])
    (shown,) = second["evidence"]
    assert "Then the notes went from 41 to 97." in shown["narrative"]
    assert (
        document(anybody.get(f"/ob/2.0/assertions/{made}"))["evidence"][0]["narrative"] == shown["narrative"]
    )
    baked = baking.extract(anybody.get(f"/ob/badges/{made}.png").get_data())
    assert baked.ob3 is not None
    assert json.loads(baked.ob3) == second
    svg = baking_svg.extract_svg(anybody.get(f"/ob/badges/{made}.svg").get_data())
    assert svg.ob3 is not None
    assert json.loads(svg.ob3) == second
    anybody.get(f"/badges/{made}")
    assert "Then the notes went from 41 to 97." in anybody.page
    assert 'id="shared"' in anybody.page
    assert "<b>Valid</b>" in anybody.page

    assert holder.choose()
    holder.work()
    third = credential(anybody, made)
    assert "evidence" not in third
    assert datetime.fromisoformat(third["validFrom"]) > datetime.fromisoformat(second["validFrom"])
    anybody.get(f"/badges/{made}")
    assert "notes went from" not in anybody.page


def test_the_same_choice_again_issues_nothing(holder: Holder, anybody: Visitor, made: str) -> None:
    assert holder.choose(shared_prompt="p1-q1")
    assert not holder.choose(shared_prompt="p1-q1")
    with holder.world.database.reading() as session:
        actions = session.scalars(select(AuditEvent.action).where(AuditEvent.subject_type == "award")).all()
    assert actions.count("badge.choice") == 1


def test_a_name_is_on_the_page_alone(holder: Holder, anybody: Visitor, made: str) -> None:
    before = credential(anybody, made)
    assert not holder.choose(shows_name=True)
    anybody.get(f"/badges/{made}")
    assert "Terry Tryout earned Idea Shaper" in anybody.page
    assert credential(anybody, made) == before
    with holder.world.database.reading() as session:
        assert "badge.shows_name" in session.scalars(select(AuditEvent.action)).all()


def test_an_address_is_there_only_hashed_and_only_once_confirmed(
    holder: Holder, anybody: Visitor, made: str
) -> None:
    holder.address(confirmed=False)
    assert not holder.choose(recognised_by_email=True)
    with holder.world.database.writing() as session:
        session.scalars(select(ContactAddress)).one().confirmed_at = holder.world.clock.now()
    assert holder.choose(recognised_by_email=True)
    holder.work()
    badge = credential(anybody, made)
    kinds = [one["identityType"] for one in badge["credentialSubject"]["identifier"]]
    assert kinds == ["ltiUserId", "emailAddress"]
    assert "terry@home.example" not in json.dumps(badge)
    assert "id" not in badge["credentialSubject"]
    assert anybody.get(f"/ob/3.0/credentials/{made}.jwt").status_code == 404


def test_an_address_that_is_shown_gives_a_token_whose_key_is_public(
    holder: Holder, anybody: Visitor, made: str
) -> None:
    answer = anybody.get(f"/ob/3.0/credentials/{made}.jwt")
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")
    assert "no signed token for this badge" in answer.get_data(as_text=True)
    assert holder.choose(shown_address_id=holder.address(confirmed=True))
    holder.work()
    assert credential(anybody, made)["credentialSubject"]["id"] == "mailto:terry@home.example"
    answer = anybody.get(f"/ob/3.0/credentials/{made}.jwt")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    token = answer.get_data(as_text=True)
    kid = jwt.get_unverified_header(token)["kid"]
    path = kid.removeprefix("https://tool.example.org")
    key = document(anybody.get(path))
    assert "d" not in key
    issuer_path = path.rsplit("/keys/", 1)[0]
    assert document(anybody.get(f"{issuer_path}/jwks.json")) == {"keys": [key]}
    assert kid not in anybody.get("/lti/jwks").get_data(as_text=True)
    claims = jwt.decode(token, jwt.PyJWK(key).key, ["RS256"], options={"verify_nbf": False})
    assert claims["sub"] == "mailto:terry@home.example"
    holder.choose()
    holder.work()
    assert anybody.get(f"/ob/3.0/credentials/{made}.jwt").status_code == 404


def test_nobody_shows_what_is_not_theirs(holder: Holder) -> None:
    with pytest.raises(NotAllowed):
        holder.choose(person=holder.world.stranger, shows_name=True)
    with pytest.raises(OperationRefused, match="writing_unknown"):
        holder.choose(shared_prompt="p3-q1")  # what students say
    with pytest.raises(OperationRefused, match="address_unknown"):
        holder.choose(shown_address_id=holder.address(confirmed=False))
    change(holder.world, revoked_at=holder.world.clock.now())
    with pytest.raises(NotFound):
        holder.choose(shows_name=True)


def test_a_later_end_is_in_every_rendering(holder: Holder, anybody: Visitor, made: str) -> None:
    ends = holder.world.clock.now() + timedelta(days=700)
    with holder.world.database.writing() as session:
        award = session.scalars(select(Award)).one()
        awards.extend(session, award, until=ends, now=holder.world.clock.now())
    holder.work()
    assert datetime.fromisoformat(credential(anybody, made)["validUntil"]) == ends
    assert datetime.fromisoformat(document(anybody.get(f"/ob/2.0/assertions/{made}"))["expires"]) == ends
    anybody.get(f"/badges/{made}")
    assert "It is valid until September 4, 2028." in anybody.page


def test_a_revoked_badge_is_not_written_anew(holder: Holder, anybody: Visitor, made: str) -> None:
    before = credential(anybody, made)
    with holder.world.database.writing() as session:
        award = session.scalars(select(Award)).one()
        badges.reissue(session, award, now=holder.world.clock.now())
        badges.revoke(session, award, reason="Awarded by mistake", now=holder.world.clock.now())
    holder.work()
    assert credential(anybody, made) == before
    for ending in ("png", "svg", "pdf"):
        assert anybody.get(f"/ob/badges/{made}.{ending}").status_code == 410
    status = anybody.get(
        before["credentialStatus"]["statusListCredential"].removeprefix("https://tool.example.org")
    )
    assert entry_is_revoked(before, document(status))


def test_an_endorsement_is_carried_by_the_achievement_and_by_badges_issued_from_then_on(
    holder: Holder, anybody: Visitor, made: str
) -> None:
    world, store = holder.world, holder.assembly.badges
    endorsement_id = endorsing.endorse(
        world.database,
        store.keys,
        world.clock,
        store.badge_url,
        version_id=world.version_id,
        organization_id=world.issuer_id,
        comment="We count it <b>in full</b>.",
    )
    served = document(anybody.get(f"/ob/3.0/endorsements/{endorsement_id}"))
    with world.database.reading() as session:
        (public,) = store.keys.public_keys(session, served["issuer"]["id"].rsplit(":", 1)[-1])
        assert session.scalars(select(Endorsement)).one().public_id == endorsement_id
    integrity.verify(served, public)
    achievement_path = served["credentialSubject"]["id"].removeprefix("https://tool.example.org")
    assert document(anybody.get(achievement_path))["endorsement"] == [served]
    assert "endorsement" not in credential(anybody, made)["credentialSubject"]["achievement"]
    holder.choose(shared_prompt="p1-q1")
    holder.work()
    assert credential(anybody, made)["credentialSubject"]["achievement"]["endorsement"] == [served]
    anybody.get(f"/badges/{made}")
    assert "We count it &lt;b&gt;in full&lt;/b&gt;." in anybody.page
    assert keys.PublicKey.from_multibase(public.multibase) == public


def test_the_description_and_the_certificate_are_served(anybody: Visitor, made: str) -> None:
    anybody.get(f"/badges/{made}")
    certificate = anybody.get(f"/ob/badges/{made}.pdf")
    assert (certificate.status_code, certificate.mimetype) == (200, "application/pdf")
    assert certificate.get_data().startswith(b"%PDF-1.")
    assertion = document(anybody.get(f"/ob/2.0/assertions/{made}"))
    version = assertion["badge"].rsplit("/", 1)[-1]
    described = document(anybody.get(f"/ob/ctdl/{version}"))
    assert (described["@type"], described["ceterms:name"]) == (
        "ceterms:MicroCredential",
        {"en-US": "Idea Shaper"},
    )
    assert described["ceterms:requires"][0]["ceterms:creditValue"][0]["schema:value"] == 10
    assert anybody.get("/ob/ctdl/x").status_code == anybody.get("/ob/badges/x.pdf").status_code == 404


def test_of_an_erased_holder_nothing_that_was_chosen_stays(
    holder: Holder, anybody: Visitor, made: str
) -> None:
    holder.choose(shows_name=True, shared_prompt="p1-q1", shown_address_id=holder.address(confirmed=True))
    holder.work()
    with holder.world.database.writing() as session:
        award = session.scalars(select(Award)).one()
        badges.keep(session, award, now=holder.world.clock.now())
    holder.work()
    kept = credential(anybody, made)
    assert "evidence" not in kept
    assert "id" not in kept["credentialSubject"]
    anybody.get(f"/badges/{made}")
    assert "Terry" not in anybody.page
    assert "notes went from" not in anybody.page
    with holder.world.database.writing() as session:
        award = session.scalars(select(Award)).one()
        assert badges.withdraw(session, award, now=holder.world.clock.now())
    assert anybody.get(f"/ob/3.0/credentials/{made}.jwt").status_code == 404
