"""The district of the review tests, with an author and a colleague who signs."""

import pytest
from flask import Flask

from microcred.people import grant
from microcred.people.models import Person
from tests.functional.review.conftest import app, approver, assembly, world
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import World

__all__ = ["app", "approver", "assembly", "author", "world"]


@pytest.fixture
def author(app: Flask, world: World) -> Visitor:
    """Ada Author at the desk."""
    with world.database.writing() as session:
        person = Person(name="Ada Author", created_at=world.clock.now())
        session.add(person)
        session.flush()
        grant(
            session,
            person_id=person.id,
            role="author",
            organization_id=world.issuer_id,
            now=world.clock.now(),
            by=None,
        )
        person_id = person.id
    return Visitor.at_desk(app, world.database, world.clock, person_id)
