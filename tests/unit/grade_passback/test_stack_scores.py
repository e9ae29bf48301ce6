"""The column of a stack: what is counted, and when a gradebook hears of it."""

from datetime import date
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grade_passback.scores import MOMENTS, STACK_MOMENTS, Score, score_for_stack
from grade_passback.wire import content_of
from lti_tool.dialects import dialect_named
from microcred.credentials import CatalogueFile, Stack, StackProgress, parse, sample_text, stack_progress

TODAY = date(2026, 3, 2)
LMS = ("other", "canvas", "moodle", "schoology")


def stack_of(*groups: tuple[int, list[str]]) -> Stack:
    """A stack with these groups: how many of which micro-credentials."""
    model = sample().stacks[0]
    given = [
        model.groups[0].model_copy(update={"id": f"g{n}", "choose": choose, "micro_credentials": tuple(keys)})
        for n, (choose, keys) in enumerate(groups)
    ]
    return model.model_copy(update={"groups": tuple(given)})


@cache
def sample() -> CatalogueFile:
    return parse(sample_text())


ACCESS = stack_of((2, ["a", "b"]), (1, ["c", "d"]))


@pytest.mark.parametrize(
    ("held", "earned"),
    [
        ([], 0),
        (["a"], 1),
        (["a", "a", "z"], 1),
        (["c", "d"], 1),
        (["a", "c", "d"], 2),
        (["a", "b", "c"], 3),
        (["a", "b", "c", "d"], 3),
    ],
)
def test_each_counts_once_and_no_more_than_its_group_asks_for(held: list[str], earned: int) -> None:
    progress = stack_progress(ACCESS, held)
    assert (progress.earned, progress.needed) == (earned, 3)
    assert progress.is_complete is (earned == 3)


def test_the_sample_stacks_ask_for_four_and_three() -> None:
    assert [stack_progress(stack, ()).needed for stack in sample().stacks] == [4, 3]


def test_some_is_in_progress_and_all_is_completed() -> None:
    some = score_for_stack("awarded", StackProgress(1, 3), None, TODAY)
    assert some is not None
    assert (some.activity_progress, some.grading_progress) == ("InProgress", "FullyGraded")
    assert (some.score, some.comment) == (Score(1, 3), "1 of 3 of the stack earned.")
    whole = score_for_stack("appeal_won", StackProgress(3, 3), Score(2, 3), TODAY)
    assert whole is not None
    assert (whole.activity_progress, whole.comment) == ("Completed", "All 3 of the stack earned.")


def test_a_revocation_lowers_the_count_and_says_why() -> None:
    draft = score_for_stack("revoked", StackProgress(2, 3), Score(3, 3), TODAY)
    assert draft is not None
    assert draft.score == Score(2, 3)
    assert draft.comment == "Revoked March 2, 2026. 2 of 3 of the stack earned."


def test_the_last_one_revoked_is_a_zero_but_nobody_begins_with_one() -> None:
    none = StackProgress(0, 3)
    lowered = score_for_stack("revoked", none, Score(1, 3), TODAY)
    assert lowered is not None
    assert lowered.score == Score(0, 3)
    assert score_for_stack("revoked", none, None, TODAY) is None


@pytest.mark.parametrize("moment", sorted(set(MOMENTS) - set(STACK_MOMENTS)))
def test_no_other_moment_is_told(moment: str) -> None:
    assert score_for_stack(moment, StackProgress(2, 3), Score(2, 3), TODAY) is None


KEYS = ["a", "b", "c", "d", "e", "f"]


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    keys = draw(st.permutations(KEYS))
    cuts = sorted(draw(st.sets(st.integers(1, len(keys) - 1), max_size=3)))
    groups = [keys[a:b] for a, b in zip([0, *cuts], [*cuts, len(keys)], strict=True)]
    return stack_of(*((draw(st.integers(1, len(group))), list(group)) for group in groups))


@given(stacks(), st.lists(st.sampled_from([*KEYS, "elsewhere"])), st.sampled_from([*KEYS, "elsewhere"]))
def test_one_more_never_lowers_the_count_and_one_less_never_raises_it(
    stack: Stack, held: list[str], another: str
) -> None:
    before, after = stack_progress(stack, held), stack_progress(stack, [*held, another])
    assert 0 <= before.earned <= after.earned <= before.earned + 1
    assert after.earned <= after.needed == before.needed
    less = stack_progress(stack, [key for key in held if key != another])
    assert before.earned - 1 <= less.earned <= before.earned
    assert stack_progress(stack, KEYS).is_complete


@given(
    stacks(),
    st.sets(st.sampled_from(KEYS)),
    st.sampled_from(STACK_MOMENTS),
    st.one_of(st.none(), st.integers(0, 6)),
    st.sampled_from(LMS),
)
def test_every_lms_keeps_what_is_sent(
    stack: Stack, held: set[str], moment: str, previous: int | None, lms: str
) -> None:
    """Whole points within the column's maximum, final, and no hand-in is made of them."""
    progress = stack_progress(stack, held)
    before = Score(min(previous, progress.needed), progress.needed) if previous is not None else None
    draft = score_for_stack(moment, progress, before, TODAY)
    if draft is None:
        assert progress.earned == 0
        assert before is None
        return
    assert draft.is_final
    content = dialect_named(lms).shape_score(content_of(draft), moment, before is not None)
    assert 0 <= content["scoreGiven"] <= content["scoreMaximum"] == progress.needed
    assert isinstance(content["scoreGiven"], int)
    submission = content.get("https://canvas.instructure.com/lti/submission", {})
    assert submission.get("new_submission", False) is False
    assert "preserve_score" not in submission
