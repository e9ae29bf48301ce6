"""Borderline results, exact agreement and quadratic weighted kappa."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcred.credentials.agreement import Agreement, Pair, exact, is_borderline
from microcred.credentials.agreement import agreement as agreement_of
from microcred.credentials.definition import Definition

LEVELS = ("not_evident", "revisions_needed", "passing", "strong")
PASSING = {"p1-c1": "strong", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "passing", "p4-c1": "passing"}
JUST = {"p1-c1": "passing", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "passing", "p4-c1": "passing"}


def agreement(definition: Definition, pairs: list[Pair]) -> Agreement | None:
    return agreement_of([(definition, pair) for pair in pairs])


@pytest.mark.parametrize(
    ("ratings", "borderline"),
    [
        (PASSING, False),
        (JUST, True),
        (JUST | {"p4-c1": "revisions_needed"}, True),
        (JUST | {"p2-c1": "no"}, True),
        (JUST | {"p4-c1": "not_evident"}, False),
        (JUST | {"p4-c1": "revisions_needed", "p3-c1": "revisions_needed"}, False),
        ({"p1-c1": "passing"}, False),
    ],
)
def test_a_result_one_level_from_the_line_is_borderline(
    ideas: Definition, ratings: dict[str, str], borderline: bool
) -> None:
    assert is_borderline(ideas, ratings) is borderline


def test_readings_that_are_the_same_agree_in_full(ideas: Definition) -> None:
    found = agreement(ideas, [Pair(PASSING, PASSING, True), Pair(JUST, JUST, True)])
    assert found is not None
    assert (found.tries, found.points, found.exact, found.same_result, found.kappa) == (2, 10, 1, 1, 1)


def test_all_of_one_level_says_nothing_about_agreement(ideas: Definition) -> None:
    found = agreement(ideas, [Pair(JUST, JUST, True)] * 3)
    assert found is not None
    assert found.kappa is None
    assert agreement(ideas, []) is None


def test_kappa_is_the_published_formula(ideas: Definition) -> None:
    """Against weights, observed and expected disagreement worked out by hand for one scale of four levels."""
    pairs = [(3, 3), (3, 2), (2, 2), (2, 2), (1, 2), (0, 1), (2, 0), (1, 1)]
    found = agreement(
        ideas, [Pair({"p1-c1": LEVELS[one]}, {"p1-c1": LEVELS[two]}, one == two) for one, two in pairs]
    )
    assert found is not None
    observed = sum((one - two) ** 2 / 9 for one, two in pairs)
    expected = sum((one - two) ** 2 / 9 for one, _ in pairs for _, two in pairs) / len(pairs)
    assert found.kappa == pytest.approx(1 - observed / expected)
    assert found.exact == 4 / 8


@given(st.lists(st.tuples(st.sampled_from(LEVELS), st.sampled_from(LEVELS)), min_size=1, max_size=30))
def test_kappa_is_symmetric_and_at_most_one(ideas: Definition, levels: list[tuple[str, str]]) -> None:
    one_way = agreement(ideas, [Pair({"p1-c1": one}, {"p1-c1": two}, one == two) for one, two in levels])
    other = agreement(ideas, [Pair({"p1-c1": two}, {"p1-c1": one}, one == two) for one, two in levels])
    assert one_way is not None
    assert other is not None
    if one_way.kappa is None:
        assert other.kappa is None
    else:
        assert other.kappa is not None
        assert math.isclose(one_way.kappa, other.kappa, abs_tol=1e-9)
        assert one_way.kappa <= 1


def test_every_agreed_point_counts_whether_it_was_rated_or_not() -> None:
    assert exact({"a": "yes", "b": "no"}, {"a": "yes"}) == (1, 2)
    assert exact({"a": "yes"}, {"a": "no", "z": "yes"}) == (0, 1)
