"""What happens in a run, known beforehand: who hands in, who is decided on, how often decisions change."""

import random
from dataclasses import dataclass

from microcred.credentials import Definition

LMS = ("other", "canvas", "moodle", "schoology")
"""One platform of each; that of `other` has no column yet, so it is made in the middle of it all."""
FIRST_ID = 1000
"""Persons, identities, pursuits and tries of learner n have the id FIRST_ID + n."""
CREDENTIAL = "mc-shape-ideas"
_HEARING = ("other", "canvas")
"""Platforms that are told of hand-ins."""
STEPS_A_LEARNER = 2.4
"""A little more than there are on average."""
LATER_DECISIONS = (0, 0, 1, 1, 2)
"""How many times a decision is revised, by lot."""


@dataclass(frozen=True)
class Step:
    """One transaction: a learner hands in (`variant` 0), or a decision with the ratings of a variant."""

    learner: int
    variant: int


def steps(learners: int, seed: int, part: int, parts: int) -> list[Step]:
    """The steps of one writer, in order; those of different learners are mixed."""
    chance = random.Random(f"{seed} {part}")
    timed: list[tuple[float, Step]] = []
    for learner in range(part, learners, parts):
        decisions = 1 + chance.choice(LATER_DECISIONS)
        hands_in = LMS[platform_of(learner)] in _HEARING
        variants = [*([0] if hands_in else []), *chance.sample(range(1, 9), decisions)]
        moments = sorted(chance.random() for _ in variants)
        timed += [(at, Step(learner, variant)) for at, variant in zip(moments, variants, strict=True)]
    return [step for _, step in sorted(timed, key=lambda pair: pair[0])]


def platform_of(learner: int) -> int:
    """Index in LMS of the platform that a learner belongs to."""
    return (learner // 4) % len(LMS)


def ratings(definition: Definition, variant: int) -> dict[str, str]:
    """Levels of all criteria. Every variant takes one more step down from the best: each has its own sum."""
    left, levels_by_criterion = variant, {}
    for _, criterion in definition.criteria():
        levels = definition.levels(criterion)
        down = min(left, len(levels) - 1)
        levels_by_criterion[criterion.id] = levels[down][0].key
        left -= down
    return levels_by_criterion


def points(definition: Definition, variant: int) -> tuple[float, float]:
    """Points and their maximum for these ratings, counted here a second time."""
    chosen = ratings(definition, variant)
    levels = [(criterion.id, definition.levels(criterion)) for _, criterion in definition.criteria()]
    given = sum(level.points for name, row in levels for level, _ in row if level.key == chosen[name])
    return given, sum(max(level.points for level, _ in row) for _, row in levels)
