"""Reading a catalogue file: what is right comes out as it went in, what is wrong is named with its place."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microcred.credentials import CatalogueRefused, Problem, parse, sample_text, to_yaml
from tests.support.catalogue import plain

RAW: dict[str, Any] = plain(sample_text())
Change = Callable[[dict[str, Any]], object]


def problems_of(text: str) -> list[Problem]:
    with pytest.raises(CatalogueRefused) as refused:
        parse(text)
    return refused.value.problems


def places_after(change: Change) -> list[str]:
    """The places, without lines, that are named after `change` to the sample."""
    data = copy.deepcopy(RAW)
    change(data)
    return [problem.place.partition(" (line")[0] for problem in problems_of(json.dumps(data))]


def first(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data["micro_credentials"][0]
    return found


def test_the_sample_comes_out_equal_and_in_the_same_order() -> None:
    file = parse(sample_text())
    assert file.as_data() == RAW
    assert to_yaml(file.as_data()) == to_yaml(RAW)
    assert parse(to_yaml(RAW)).as_data() == RAW
    assert (len(file.micro_credentials), len(file.stacks)) == (8, 2)


def test_a_problem_names_path_and_line() -> None:
    lines = sample_text().splitlines()
    number = next(index for index, line in enumerate(lines) if line.strip().startswith("not_evident:"))
    lines[number] = lines[number].replace("not_evident:", "no_evidence:")
    first_problem, second = problems_of("\n".join(lines))
    place = "micro_credentials[0].parts[0].criteria[0].levels"
    assert second.place == f"{place}.no_evidence (line {number + 1})"
    assert first_problem.place.startswith(f"{place}.not_evident (line ")
    assert "describe it" in first_problem.message


def test_every_problem_is_named_at_once() -> None:
    def change(data: dict[str, Any]) -> None:
        data["issuers"][0]["url"] = "not an address"
        del first(data)["title"]
        first(data)["effort"]["clock_hours"] = "ten"
        data["micro_credentials"][1]["issuer"] = "iss-nobody"
        data["stacks"][0]["groups"][0]["choose"] = 9
        data["surprise"] = 1

    assert sorted(places_after(change)) == [
        "issuers[0].url",
        "micro_credentials[0].effort.clock_hours",
        "micro_credentials[0].title",
        "micro_credentials[1].issuer",
        "stacks[0].groups[0].choose",
        "surprise",
    ]


def rule(**members: object) -> Change:
    return lambda data: first(data)["passing_rule"].update(members)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d["issuers"].append(d["issuers"][0]), "issuers[2].id"),
        (lambda d: d["micro_credentials"].append(d["micro_credentials"][0]), "micro_credentials[8].version"),
        (lambda d: d["scales"][0]["levels"][3].update(points=9), "scales[0].levels"),
        (lambda d: d["scales"][0]["levels"][1].update(key="strong"), "scales[0].levels[1].key"),
        (lambda d: first(d).update(status="live"), "micro_credentials[0].status"),
        (lambda d: first(d).update(parts=[]), "micro_credentials[0].parts"),
        (lambda d: first(d)["parts"][1].update(number=3), "micro_credentials[0].parts[1].number"),
        (lambda d: first(d)["parts"][1].update(scale="five"), "micro_credentials[0].parts[1].scale"),
        (
            lambda d: first(d)["parts"][3]["prompts"][0].update(id="p1-q1"),
            "micro_credentials[0].parts[3].prompts[0].id",
        ),
        (
            lambda d: first(d)["parts"][0]["prompts"][0].update(word_limit=0),
            "micro_credentials[0].parts[0].prompts[0].word_limit",
        ),
        (
            lambda d: first(d)["parts"][0]["prompts"][0].update(word_limit=True),
            "micro_credentials[0].parts[0].prompts[0].word_limit",
        ),
        (
            lambda d: first(d)["standards_alignment"][0].update(framework="X"),
            "micro_credentials[0].standards_alignment[0].framework",
        ),
        (lambda d: first(d)["validity"].update(expires=True), "micro_credentials[0].validity"),
        (
            lambda d: first(d)["badge"].update(primary_colour="blue"),
            "micro_credentials[0].badge.primary_colour",
        ),
        (lambda d: first(d)["tags"].append("\x00"), "micro_credentials[0].tags[3]"),
        (lambda d: first(d).update(title="x" * 301), "micro_credentials[0].title"),
        (
            lambda d: first(d)["resources"][0].update(url="javascript:alert(1)"),
            "micro_credentials[0].resources[0].url",
        ),
        (rule(type="at_least"), "micro_credentials[0].passing_rule"),
        (
            rule(conditions=[{"part": "p9", "requires": "passing"}]),
            "micro_credentials[0].passing_rule.conditions[0].part",
        ),
        (
            rule(conditions=[{"part": "p2", "requires": "passing"}]),
            "micro_credentials[0].passing_rule.conditions[0].requires",
        ),
        (
            rule(conditions=[{"part": "p2", "requires": "no"}]),
            "micro_credentials[0].passing_rule.conditions[0].requires",
        ),
        (
            rule(conditions=[{"type": "any_of", "conditions": [{"part": "p9", "requires": "passing"}]}]),
            "micro_credentials[0].passing_rule.conditions[0].conditions[0].part",
        ),
        (
            lambda d: d["stacks"][0]["graduate_credit"]["weights"][0].update(percent=21),
            "stacks[0].graduate_credit.weights",
        ),
        (
            lambda d: d["stacks"][0]["graduate_credit"].update(university="u"),
            "stacks[0].graduate_credit.university",
        ),
        (
            lambda d: d["stacks"][0]["graduate_credit"].update(minimum_to_grant="C"),
            "stacks[0].graduate_credit.minimum_to_grant",
        ),
        (
            lambda d: d["stacks"][1]["groups"][1]["micro_credentials"].append("mc-options"),
            "stacks[1].groups[1].micro_credentials[2]",
        ),
        (lambda d: d["stacks"][0].update(id="mc-feedback"), "stacks[0].id"),
    ],
)
def test_each_mistake_is_named_once_with_its_place(change: Change, place: str) -> None:
    assert places_after(change) == [place]


def test_a_broken_scale_does_not_make_every_criterion_wrong() -> None:
    assert places_after(lambda data: data["scales"][0]["levels"][0].pop("label")) == [
        "scales[0].levels[0].label"
    ]


def test_a_rule_may_nest_and_count() -> None:
    data = copy.deepcopy(RAW)
    nested = {"type": "at_least", "n": 1, "conditions": [{"part": "p1", "requires": "strong"}]}
    first(data)["passing_rule"]["conditions"].append(nested)
    assert parse(json.dumps(data)).as_data() == data


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("[1, 2", "not YAML"),
        ("a: 1\n b: 2", "not YAML"),
        ("just words", "has members such as"),
        ("a: 1\na: 2", "twice"),
        ("--- 1\n--- 2", "not YAML"),
        ("a: &x 1\nb: *x", "anchors"),
        ("a: !!python/object/apply:os.system ['true']", "not YAML"),
        ("yes: 1", "quotes"),
        ("? [a]\n: 1", "plain text"),
        ("a: 2026-02-30", "cannot be read"),
        ("[" * 500 + "]" * 500, "nested"),
        ("\x00", "not YAML"),
        ('a: "\\ud800"', "not YAML"),
    ],
)
def test_text_that_is_no_catalogue_is_refused_in_words(text: str, words: str) -> None:
    problem = problems_of(text)[0]
    assert words in problem.message


def test_an_unquoted_yes_is_explained() -> None:
    text = sample_text().replace("requires: 'yes'", "requires: yes", 1)
    (problem,) = problems_of(text)
    assert problem.place.startswith("micro_credentials[0].passing_rule.conditions[1].requires (line ")
    assert "put it in quotes" in problem.message


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, member in members:
        found += paths(member, (*path, key))
    return found


SMALL = RAW | {"micro_credentials": RAW["micro_credentials"][:1], "stacks": []}
PATHS = paths(SMALL)
VALUES = st.one_of(
    *(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
    ),
    *(st.just([]), st.just({}), st.just([[]]), st.just({"part": "p1"})),
)


@settings(max_examples=40)
@given(path=st.sampled_from(PATHS), value=VALUES, removed=st.booleans())
def test_any_change_is_either_refused_with_places_or_kept_exactly(
    path: tuple[Any, ...], value: object, removed: bool
) -> None:
    data = copy.deepcopy(SMALL)
    holder = data
    for step in path[:-1]:
        holder = holder[step]
    if removed:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    text = json.dumps(data)
    problems: list[Problem] = []
    kept: dict[str, Any] | None = None
    try:
        kept = parse(text).as_data()
    except CatalogueRefused as refused:
        problems = refused.problems
    assert (kept is None) == bool(problems)
    assert all(problem.place and problem.message for problem in problems)
    assert kept is None or kept == plain(text)
