"""The passing rule as data, points, and what they are called."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcred.credentials import Definition, NotInCatalogue, PartState, evaluate, parse, points, sample_text
from microcred.credentials.definition import define
from microcred.credentials.labels import hours_in_words, joined, outcome_in_words, part_label, parts_in_words
from microcred.credentials.schema import PassingRule

PASSING = {"p1-c1": "strong", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "passing", "p4-c1": "passing"}
SAMPLE = parse(sample_text())
IDEAS = define(SAMPLE.micro_credentials[0], SAMPLE)


def test_passing_on_parts_1_3_and_4_and_yes_on_part_2(ideas: Definition) -> None:
    outcome = evaluate(ideas, PASSING)
    assert outcome.passed is True
    assert [result.state for result in outcome.parts.values()] == ["passing", "yes", "passing", "passing"]
    assert outcome.passed_parts == ("p1", "p2", "p3", "p4")


@pytest.mark.parametrize(
    ("criterion", "level", "part", "state"),
    [
        ("p1-c2", "revisions_needed", "p1", PartState.NOT_PASSING),
        ("p2-c1", "no", "p2", PartState.NO),
        ("p4-c1", "not_evident", "p4", PartState.NOT_PASSING),
    ],
)
def test_one_criterion_below_passing_fails_its_part_and_the_whole(
    ideas: Definition, criterion: str, level: str, part: str, state: PartState
) -> None:
    outcome = evaluate(ideas, PASSING | {criterion: level})
    assert outcome.passed is False
    assert outcome.parts[part].state is state
    assert outcome.failed_parts == (part,)


def test_all_passing_is_asked_by_the_other_rule(definitions: dict[str, Definition]) -> None:
    definition = definitions["AS-110"]
    ratings = {criterion.id: "passing" for _part, criterion in definition.criteria()}
    assert evaluate(definition, ratings).passed is True
    assert evaluate(definition, ratings | {"p3-c1": "revisions_needed"}).passed is False
    assert points(definition, ratings).percent == 75.0


def test_nothing_is_decided_while_anything_is_unrated(ideas: Definition) -> None:
    outcome = evaluate(ideas, {key: level for key, level in PASSING.items() if key != "p1-c2"})
    assert outcome.passed is None
    assert outcome.parts["p1"].state is PartState.UNRATED
    assert outcome.unrated == 1
    assert outcome.passed_parts == ("p2", "p3", "p4")


def test_unknown_criteria_and_levels_are_refused(ideas: Definition) -> None:
    with pytest.raises(NotInCatalogue):
        evaluate(ideas, {"p9-c1": "passing"})
    with pytest.raises(NotInCatalogue):
        evaluate(ideas, {"p2-c1": "passing"})


def with_rule(rule: dict[str, Any]) -> Definition:
    passing_rule = PassingRule.model_validate({"text": "Test", **rule})
    return define(IDEAS.document.model_copy(update={"passing_rule": passing_rule}), SAMPLE)


P1 = {"part": "p1", "requires": "passing"}
P2 = {"part": "p2", "requires": "yes"}
P4_STRONG = {"part": "p4", "requires": "strong"}


@pytest.mark.parametrize(
    ("rule", "passed"),
    [
        ({"type": "any_of", "conditions": [P4_STRONG, P2]}, True),
        ({"type": "any_of", "conditions": [P4_STRONG]}, False),
        ({"type": "at_least", "n": 2, "conditions": [P1, P2, P4_STRONG]}, True),
        ({"type": "at_least", "n": 3, "conditions": [P1, P2, P4_STRONG]}, False),
        ({"type": "all_of", "conditions": [P1, {"type": "any_of", "conditions": [P4_STRONG, P2]}]}, True),
        ({"type": "all_of", "conditions": [{"part": "p1", "requires": "strong"}]}, False),
    ],
)
def test_rules_join_and_nest(rule: dict[str, Any], passed: bool) -> None:
    assert evaluate(with_rule(rule), PASSING).passed is passed


def test_points_are_counted_against_the_highest_levels(ideas: Definition) -> None:
    assert points(ideas, PASSING) == (4 + 3 + 3 + 3 + 3, 4 + 4 + 3 + 4 + 4)
    assert points(ideas, PASSING, "p2") == (3, 3)
    assert points(ideas, {}) == (0, 19)
    assert points(ideas, PASSING).percent == 84.2


def test_words_about_parts_and_outcomes(ideas: Definition) -> None:
    assert part_label(ideas.part("p2")) == "Part 2: Work from two students"
    assert parts_in_words(ideas, ["p4", "p1"]) == "Parts 1 and 4"
    assert parts_in_words(ideas, ["p3"]) == "Part 3"
    assert parts_in_words(ideas, []) == ""
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert hours_in_words(ideas) == "10 hours (1.0 CEU)"
    failed = evaluate(ideas, PASSING | {"p1-c1": "revisions_needed", "p4-c1": "not_evident"})
    assert outcome_in_words(ideas, failed) == "Revisions needed in Parts 1 and 4."
    assert outcome_in_words(ideas, evaluate(ideas, {})) == "5 points still to rate."


RATINGS = st.fixed_dictionaries(
    {},
    optional={
        criterion.id: st.sampled_from([level.key for level in IDEAS.scales[criterion.scale].levels])
        for _part, criterion in IDEAS.criteria()
    },
)


@given(ratings=RATINGS)
def test_outcome_agrees_with_the_rule_in_words(ratings: dict[str, str]) -> None:
    outcome = evaluate(IDEAS, ratings)
    if len(ratings) < 5:
        assert outcome.passed is None
    else:
        assert outcome.passed == all(level in ("strong", "passing", "yes") for level in ratings.values())
        assert set(outcome.passed_parts) | set(outcome.failed_parts) == set(outcome.parts)
    assert not set(outcome.passed_parts) & set(outcome.failed_parts)


@given(ratings=RATINGS, criterion=st.sampled_from(["p1-c1", "p1-c2", "p3-c1", "p4-c1"]))
def test_a_better_level_never_makes_a_result_worse(ratings: dict[str, str], criterion: str) -> None:
    before, after = evaluate(IDEAS, ratings), evaluate(IDEAS, ratings | {criterion: "strong"})
    assert set(before.passed_parts) <= set(after.passed_parts)
    assert points(IDEAS, ratings).given <= points(IDEAS, ratings | {criterion: "strong"}).given
    if before.passed:
        assert after.passed
