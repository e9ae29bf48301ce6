"""An award in the district of the review tests, its badge made by the worker."""

import pytest
from flask import Flask

from microcred.app.wiring import Assembly
from tests.functional.review.conftest import app, assembly, world
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import World

__all__ = ["app", "assembly", "world"]


@pytest.fixture
def anybody(app: Flask) -> Visitor:
    """Somebody without an account."""
    return Visitor(app)


@pytest.fixture
def award_id(world: World) -> str:
    """An award whose badge is not made yet; the id of its page."""
    decided = world.decide(world.recommended(), "award")
    assert decided.award_public_id
    return decided.award_public_id


@pytest.fixture
def made(award_id: str, assembly: Assembly) -> str:
    """The same with its badge made."""
    assembly.make_worker().run_due()
    return award_id
