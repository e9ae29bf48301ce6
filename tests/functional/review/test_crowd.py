"""Random people press random buttons for thousands of steps; fairness holds after every one of them."""

import pytest

from tests.functional.review.crowd import Crowd, answers, check, published
from tests.functional.review.world import World


def drive(world: World, seed: int, steps: int) -> Crowd:
    crowd = Crowd.gather(world, seed)
    before, kept = published(world), 0
    for number in range(steps):
        crowd.step()
        if number % 20 == 0:
            check(world)
            assert answers(world) >= kept
            kept = answers(world)
    check(world)
    assert published(world) == before
    return crowd


def test_fairness_holds_whatever_people_do(world: World) -> None:
    crowd = drive(world, 11, 160)
    assert crowd.done["submit"] + crowd.done["submit too"]
    assert crowd.refused


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_fairness_holds_for_thousands_of_steps(busy_world: World, seed: int) -> None:
    crowd = drive(busy_world, seed, 2000)
    assert {"award", "deny", "send back"} <= set(crowd.done)
    assert {"own_work", "not_yours", "no_such_try"} & set(crowd.refused)
