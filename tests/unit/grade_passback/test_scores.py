"""The score mapping: every moment and scheme, for the plain specification and narrowed by a dialect."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grade_passback.scores import MOMENTS, GradeFacts, Score, ScoreDraft, score_for
from grade_passback.wire import content_of
from lti_tool.dialects import Dialect, dialect_named

PLAIN, CANVAS, MOODLE, SCHOOLOGY = (
    dialect_named(name) for name in ("other", "canvas", "moodle", "schoology")
)
PARTS = ("p1", "p2", "p3", "p4")
WHOLE = GradeFacts(scheme="hundred", tags=["main"], part_ids=PARTS, points=Score(17, 20))
BY_PART = GradeFacts(scheme="per_part", tags=PARTS, part_ids=PARTS, passed_parts=frozenset({"p1", "p2"}))
LATER = datetime(2026, 4, 1, tzinfo=UTC)


def only(drafts: Sequence[ScoreDraft]) -> ScoreDraft:
    (draft,) = drafts
    return draft


@pytest.mark.parametrize(
    ("scheme", "score"),
    [
        ("complete", Score(1, 1)),
        ("hundred", Score(100, 100)),
        ("rubric_points", Score(17, 20)),
        ("graduate_letter", Score(85.0, 100)),
    ],
)
def test_award_by_scheme(scheme: str, score: Score) -> None:
    draft = only(score_for("awarded", replace(WHOLE, scheme=scheme), "Earned.", PLAIN))
    assert (draft.activity_progress, draft.grading_progress) == ("Completed", "FullyGraded")
    assert draft.score == score
    assert draft.comment == "Earned."


@pytest.mark.parametrize(
    ("given", "maximum", "percent"),
    [(1, 3, 33.3), (2, 3, 66.7), (49, 400, 12.2), (147, 400, 36.8), (7, 7, 100)],
)
def test_a_percent_has_one_decimal_and_halves_go_to_the_even_neighbour(
    given: int, maximum: int, percent: float
) -> None:
    facts = replace(WHOLE, scheme="graduate_letter", points=Score(given, maximum))
    draft = only(score_for("awarded", facts, None, PLAIN))
    assert draft.score == Score(percent, 100)
    assert content_of(draft)["scoreGiven"] == percent


@pytest.mark.parametrize("scheme", ["complete", "hundred", "rubric_points", "graduate_letter"])
def test_no_scheme_gives_a_bonus(scheme: str) -> None:
    facts = replace(WHOLE, scheme=scheme, points=Score(20, 20))
    score = only(score_for("awarded", facts, None, PLAIN)).score
    assert score is not None
    assert score.given == score.maximum


def test_a_bonus_would_go_out_as_it_is() -> None:
    content = content_of(ScoreDraft("main", "Completed", "FullyGraded", Score(11, 10)))
    assert (content["scoreGiven"], content["scoreMaximum"]) == (11, 10)


def test_award_by_part_is_one_of_one_in_every_column() -> None:
    drafts = score_for("awarded", BY_PART, None, PLAIN)
    assert {draft.tag: draft.score for draft in drafts} == dict.fromkeys(PARTS, Score(1, 1))


@pytest.mark.parametrize(
    ("moment", "progress"),
    [
        ("opened", ("Started", "NotReady")),
        ("submitted", ("Submitted", "PendingManual")),
        ("incomplete", ("InProgress", "NotReady")),
        ("revisions_requested", ("InProgress", "NotReady")),
        ("withdrawn", ("Started", "NotReady")),
        ("appeal_opened", ("Submitted", "PendingManual")),
    ],
)
def test_status_has_no_number(moment: str, progress: tuple[str, str]) -> None:
    draft = only(score_for(moment, WHOLE, "x", PLAIN))
    assert (draft.activity_progress, draft.grading_progress) == progress
    assert draft.score is None
    assert "scoreGiven" not in content_of(draft)


def test_revisions_send_the_passed_parts_alone_as_scores() -> None:
    drafts = {
        draft.tag: draft for draft in score_for("revisions_requested", BY_PART, "Revisions needed.", PLAIN)
    }
    assert [drafts[tag].score for tag in PARTS] == [Score(1, 1), Score(1, 1), None, None]
    assert drafts["p1"].grading_progress == "FullyGraded"
    assert (drafts["p3"].grading_progress, drafts["p3"].comment) == ("NotReady", "Revisions needed.")


def test_denied_is_blank_unless_the_course_wants_a_zero() -> None:
    draft = only(score_for("denied", WHOLE, "Not awarded.", PLAIN))
    assert (draft.grading_progress, draft.score) == ("FullyGraded", None)


def test_zero_waits_for_the_end_of_the_window_for_appeals() -> None:
    blank, zero = score_for(
        "denied", replace(WHOLE, denied_as="zero", zero_from=LATER), "Not awarded.", PLAIN
    )
    assert (blank.score, blank.not_before) == (None, None)
    assert (zero.score, zero.not_before) == (Score(0, 100), LATER)


def test_denied_by_part_keeps_passed_parts() -> None:
    facts = replace(BY_PART, denied_as="zero", zero_from=None)
    scores = {draft.tag: draft.score for draft in score_for("denied", facts, "x", PLAIN)}
    assert scores == {"p1": Score(1, 1), "p2": Score(1, 1), "p3": Score(0, 1), "p4": Score(0, 1)}


def test_appeal_keeps_the_score_that_stands() -> None:
    facts = replace(WHOLE, previous={"main": Score(80, 100)})
    assert only(score_for("appeal_opened", facts, "x", PLAIN)).score == Score(80, 100)
    assert only(score_for("appeal_lost", facts, "x", PLAIN)).score == Score(80, 100)
    assert only(score_for("appeal_won", facts, "x", PLAIN)).score == Score(100, 100)


def test_revoked_follows_policy() -> None:
    assert score_for("revoked", WHOLE, "Revoked.", PLAIN) == []
    facts = replace(WHOLE, previous={"main": Score(100, 100)})
    assert only(score_for("revoked", facts, "Revoked.", PLAIN)).score == Score(100, 100)
    assert only(score_for("revoked", replace(facts, revoked_as="zero"), "x", PLAIN)).score == Score(0, 100)


def test_canvas_hears_of_hand_ins_and_final_scores() -> None:
    heard = {moment for moment in MOMENTS if score_for(moment, WHOLE, "x", CANVAS)}
    assert heard == {"submitted", "awarded", "denied", "appeal_won", "appeal_lost"}


@pytest.mark.parametrize("dialect", [MOODLE, SCHOOLOGY])
def test_moodle_and_schoology_hear_of_final_scores_alone(dialect: Dialect) -> None:
    assert not score_for("submitted", WHOLE, "x", dialect)
    assert not score_for("appeal_opened", replace(WHOLE, previous={"main": Score(1, 1)}), "x", dialect)
    assert only(score_for("awarded", WHOLE, "x", dialect)).is_final
    drafts = score_for("revisions_requested", BY_PART, "x", dialect)
    assert [draft.tag for draft in drafts] == ["p1", "p2"]


def test_canvas_submission_keeps_the_grade_and_a_correction_makes_no_attempt() -> None:
    extension = "https://canvas.instructure.com/lti/submission"
    assert CANVAS.shape_score({}, "submitted", False)[extension]["preserve_score"] is True
    assert CANVAS.shape_score({}, "awarded", True)[extension]["new_submission"] is False
    assert "prioritize_non_tool_grade" not in str(CANVAS.shape_score({}, "awarded", True))


numbers = st.integers(0, 40)


@st.composite
def facts(draw: st.DrawFn) -> GradeFacts:
    scheme = draw(st.sampled_from(["complete", "hundred", "rubric_points", "per_part", "graduate_letter"]))
    tags = list(PARTS) if scheme == "per_part" else ["main"]
    maximum = draw(st.integers(1, 40))
    known = draw(st.sets(st.sampled_from(tags)))
    return GradeFacts(
        scheme=scheme,
        tags=tags,
        part_ids=PARTS,
        passed_parts=frozenset(draw(st.sets(st.sampled_from(PARTS)))),
        points=Score(draw(st.integers(0, maximum)), maximum),
        denied_as=draw(st.sampled_from(["blank", "zero"])),
        zero_from=draw(st.sampled_from([None, LATER])),
        previous={tag: Score(draw(numbers), 40) for tag in known},
    )


@given(facts(), st.sampled_from(MOMENTS), st.sampled_from([PLAIN, CANVAS, MOODLE, SCHOOLOGY]))
def test_no_moment_harms_a_gradebook(facts: GradeFacts, moment: str, dialect: Dialect) -> None:
    drafts = score_for(moment, facts, "x", dialect)
    for draft in drafts:
        content = content_of(draft)
        if draft.score is None:
            assert draft.tag not in facts.previous, "a post without a score erases the one that stands"
        else:
            assert 0 <= content["scoreGiven"] <= content["scoreMaximum"]
        if moment in ("opened", "submitted", "incomplete", "withdrawn"):
            assert draft.score is None, "no number before a decision"
        if moment == "revisions_requested":
            assert draft.score in (None, Score(1, 1)), "never a zero for revisions needed"
        if dialect in (MOODLE, SCHOOLOGY) and moment not in dialect.moments:
            assert draft.is_final
    dated = [draft.tag for draft in drafts if draft.not_before is None]
    assert len(dated) == len(set(dated)), "one post at a time for a column"


@pytest.mark.parametrize("wrong", [(-1, 1), (1, 0), (float("nan"), 1), (1, float("inf"))])
def test_impossible_scores_do_not_exist(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError):
        Score(*wrong)
