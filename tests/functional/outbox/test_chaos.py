"""The short form of `make chaos`: every grade arrives, once, while everything around the tool breaks."""

import pytest

from tests.chaos.platforms import Faults
from tests.chaos.run import Size, run
from tests.chaos.stores import Engine


@pytest.mark.parametrize("engine", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"])
def test_every_gradebook_ends_at_the_newest_decision(engine: Engine) -> None:
    # No unanswered requests: each costs its whole deadline. And fewer refusals than in a long run: a score
    # may need five requests that all come through, and one of so few learners would often wait for minutes.
    faults = Faults(server_error=0.2, silent=0)
    size = Size(
        learners=40, kills=2, restarts=1, seconds=8, haste=400, slow=3, settles=8, patience=240, faults=faults
    )
    outcome = run(engine, size)
    assert outcome.verdict.awards == 40
    assert not any(outcome.verdict.faults.values()), (outcome.verdict.faults, outcome.verdict.examples)
    assert outcome.kills == 2
