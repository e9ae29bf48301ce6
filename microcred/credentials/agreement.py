"""How well reviewers agree: borderline results, exact agreement, quadratic weighted kappa. Numbers only."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from microcred.credentials.definition import Definition
from microcred.credentials.passing import evaluate
from microcred.credentials.schema import Criterion

MINIMUM_PAIRS = 20
"""Double-scored tries below which agreement figures mean little and are not shown."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of two readings over several tries. Shares are 0 to 1."""

    tries: int
    points: int
    """Points that both readings rated."""
    exact: float
    """Share of points with the same level."""
    same_result: float
    """Share of tries with the same result."""
    kappa: float | None
    """Quadratic weighted kappa, -1 to 1; None where all ratings are of one level and it says nothing."""


@dataclass(frozen=True)
class Pair:
    """Two independent readings of one try: levels by criterion id, and what each came to."""

    first: Mapping[str, str]
    second: Mapping[str, str]
    same_result: bool


@dataclass(frozen=True)
class _Place:
    """A level as a place on its scale, 0 for the lowest."""

    scale: str
    place: int
    places: int


def is_borderline(definition: Definition, ratings: Mapping[str, str]) -> bool:
    """Whether a whole result stands on the edge of the passing rule.

    A result that does not pass is borderline when one level more in a single point would make it pass. One
    that passes is, when no point that has room above its lowest passing level is above it. False while
    anything is unrated.
    """
    passed = evaluate(definition, ratings).passed
    if passed is None:
        return False
    if passed:
        with_room = [each for each in definition.criteria() if _passing_levels(definition, each[1]) > 1]
        return bool(with_room) and all(
            _just_passes(definition, criterion, ratings[criterion.id]) for _, criterion in with_room
        )
    return any(
        evaluate(definition, {**ratings, criterion.id: above}).passed
        for _, criterion in definition.criteria()
        if (above := _one_more(definition, criterion, ratings[criterion.id])) is not None
    )


def agreement(pairs: Sequence[tuple[Definition, Pair]]) -> Agreement | None:
    """The agreement over pairs of readings, each with the version that was read; None without any."""
    places = [both for definition, pair in pairs for both in _places(definition, pair)]
    if not places:
        return None
    return Agreement(
        tries=len(pairs),
        points=len(places),
        exact=sum(first == second for first, second in places) / len(places),
        same_result=sum(pair.same_result for _, pair in pairs) / len(pairs),
        kappa=_weighted_kappa(places),
    )


def exact(agreed: Mapping[str, str], given: Mapping[str, str]) -> tuple[int, int]:
    """(points exactly as agreed, points compared): every agreed point counts, rated or not."""
    return sum(given.get(criterion_id) == level for criterion_id, level in agreed.items()), len(agreed)


def _weighted_kappa(places: Sequence[tuple[_Place, _Place]]) -> float | None:
    """Cohen's kappa with quadratic weights (Cohen 1968): 1 - observed / expected disagreement.

    Scales of different length stand side by side: each is weighed by its own length, and chance is expected
    within each scale alone.
    """
    observed = sum(_weight(first.place, second.place, first.places) for first, second in places)
    expected = 0.0
    for scale in {first.scale for first, _ in places}:
        here = [(first, second) for first, second in places if first.scale == scale]
        length = here[0][0].places
        firsts = Counter(first.place for first, _ in here)
        seconds = Counter(second.place for _, second in here)
        total = sum(
            count * other * _weight(place, against, length)
            for place, count in firsts.items()
            for against, other in seconds.items()
        )
        expected += total / len(here)
    return None if expected == 0 else 1 - observed / expected


def _weight(one: int, other: int, places: int) -> float:
    return ((one - other) / (places - 1)) ** 2 if places > 1 else 0.0


def _places(definition: Definition, pair: Pair) -> Iterable[tuple[_Place, _Place]]:
    for _, criterion in definition.criteria():
        if criterion.id in pair.first and criterion.id in pair.second:
            yield (
                _place(definition, criterion, pair.first[criterion.id]),
                _place(definition, criterion, pair.second[criterion.id]),
            )


def _place(definition: Definition, criterion: Criterion, key: str) -> _Place:
    keys = _keys(definition, criterion)
    return _Place(criterion.scale, keys.index(key), len(keys))


def _keys(definition: Definition, criterion: Criterion) -> list[str]:
    """Level keys of a criterion's scale, lowest first."""
    levels = sorted(definition.scales[criterion.scale].levels, key=lambda level: level.points)
    return [level.key for level in levels]


def _one_more(definition: Definition, criterion: Criterion, key: str) -> str | None:
    keys = _keys(definition, criterion)
    place = keys.index(key) + 1
    return keys[place] if place < len(keys) else None


def _passing_levels(definition: Definition, criterion: Criterion) -> int:
    return sum(level.passes for level in definition.scales[criterion.scale].levels)


def _just_passes(definition: Definition, criterion: Criterion, key: str) -> bool:
    levels = definition.scales[criterion.scale].levels
    lowest = min(level.points for level in levels if level.passes)
    return definition.level(criterion, key).points <= lowest
