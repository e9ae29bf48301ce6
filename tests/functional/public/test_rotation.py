"""Rotation of an issuer's key: badges of the old key stay valid, new ones are signed with the new key."""

from sqlalchemy import select

from microcred.app.wiring import Assembly
from microcred.badges.models import IssuerKey
from microcred.credentials.models import Award
from tests.functional.public.test_verify import document
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import World


def test_an_older_badge_stays_valid_and_its_key_stays_listed(
    world: World, assembly: Assembly, anybody: Visitor, made: str
) -> None:
    old = document(anybody.get(f"/ob/3.0/credentials/{made}"))["proof"]["verificationMethod"]
    with world.database.reading() as session:
        issuer_id = session.scalars(select(Award.issuer_id)).one()
    (fresh,) = assembly.badges.keys.rotate(issuer_id)
    did, _, _ = old.partition("#")
    identity = document(anybody.get(f"/{'/'.join(did.split(':')[3:])}/did.json"))
    assert identity["assertionMethod"] == [f"{did}#{fresh.key_id}", old]
    anybody.get(f"/badges/{made}")
    assert "<b>Valid</b>" in anybody.page


def test_a_key_that_answers_no_more_makes_its_badges_invalid(
    world: World, assembly: Assembly, anybody: Visitor, made: str
) -> None:
    with world.database.writing() as session:
        row = session.scalars(select(IssuerKey)).one()
        row.fragment = "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"
    anybody.get(f"/badges/{made}")
    assert "Do not rely on this" in anybody.page
