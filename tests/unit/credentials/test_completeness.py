"""What a try lacks, in words and numbers."""

from hypothesis import given
from hypothesis import strategies as st

from microcred.credentials import Answer, Definition, Piece, Work, parse, progress, sample_text
from microcred.credentials.completeness import all_missing, next_part, share_done
from microcred.credentials.definition import define

SAMPLE = parse(sample_text())
IDEAS = define(SAMPLE.micro_credentials[0], SAMPLE)
PLACES = (("p1-q1", ""), ("p1-q2", ""), ("p3-q1", "A"), ("p3-q1", "B"), ("p4-q1", ""))
ANSWERS = {place: Answer("Some words here.", 3) for place in PLACES}
PIECES = tuple(Piece(requirement) for requirement in ("p2-a1", "p2-a1", "p2-a2", "p2-a2"))
PERMISSIONS = frozenset({("A", "student_family"), ("B", "student_family")})
COMPLETE = Work(ANSWERS, PIECES, PERMISSIONS)


def messages(work: Work) -> dict[str, str]:
    return {missing.place_id: missing.message for missing in all_missing(progress(IDEAS, work))}


def test_nothing_done_names_everything(ideas: Definition) -> None:
    parts = progress(ideas, Work())
    assert [part.state for part in parts] == ["not_started"] * 4
    assert [part.note for part in parts] == ["Not started"] * 4
    assert len(all_missing(parts)) == 5 + 2 + 2
    assert share_done(parts) == 0
    first = next_part(parts)
    assert first is not None
    assert first.part_id == "p1"


def test_complete_work_lacks_nothing(ideas: Definition) -> None:
    parts = progress(ideas, COMPLETE)
    assert all_missing(parts) == []
    assert all(part.done and part.fraction == 1 and part.note == "Ready" for part in parts)
    assert next_part(parts) is None
    assert share_done(parts) == 1


def test_a_201_word_answer_is_too_long_by_one() -> None:
    work = Work(ANSWERS | {("p1-q1", ""): Answer("...", 201)}, PIECES, PERMISSIONS)
    assert messages(work) == {"p1-q1": "“What you did” has 201 words and the limit is 200. Take out 1 word."}


def test_exactly_the_limit_is_fine() -> None:
    assert messages(Work(ANSWERS | {("p1-q1", ""): Answer("...", 200)}, PIECES, PERMISSIONS)) == {}


def test_an_answer_of_white_space_is_no_answer() -> None:
    work = Work(ANSWERS | {("p3-q1", "B"): Answer(" \n", 0)}, PIECES, PERMISSIONS)
    assert messages(work) == {"p3-q1-B": "“Student reflection” for Student B has no answer yet."}


def test_pieces_are_counted_for_each_student() -> None:
    work = Work(ANSWERS, PIECES[:3], PERMISSIONS)
    assert messages(work) == {"p2-a2": "“Student B” needs 1 more piece."}
    part = progress(IDEAS, work)[1]
    assert (part.state, part.note) == ("started", "3 of 4 pieces")
    assert part.fraction == 5 / 6


def test_too_many_pieces_is_said_too() -> None:
    work = Work(ANSWERS, (*PIECES, *[Piece("p2-a1")] * 5), PERMISSIONS)
    assert messages(work) == {"p2-a1": "“Student A” has 7 pieces and may have 6. Remove 1."}
    assert progress(IDEAS, work)[1].fraction < 1


def test_missing_permission_blocks() -> None:
    work = Work(ANSWERS, PIECES, frozenset({("A", "student_family")}))
    assert messages(work) == {
        "permission-student_family-B": "Confirm that you have permission for Student B."
    }


def test_a_locked_part_asks_for_nothing() -> None:
    parts = progress(IDEAS, Work(locked_parts=frozenset({"p1", "p2"})))
    assert [part.state for part in parts] == ["locked", "locked", "not_started", "not_started"]
    assert [missing.place_id for missing in all_missing(parts)] == ["p3-q1-A", "p3-q1-B", "p4-q1"]


def test_a_part_begun_is_where_to_pick_up() -> None:
    work = Work({("p4-q1", ""): Answer("x" * 5, 250)})
    part = next_part(progress(IDEAS, work))
    assert part is not None
    assert (part.part_id, part.note) == ("p4", "1 of 1 answer")


WORKS = st.builds(
    Work,
    responses=st.dictionaries(
        st.sampled_from(PLACES), st.integers(0, 260).map(lambda words: Answer("x " * words, words))
    ),
    evidence=st.lists(st.sampled_from(["p2-a1", "p2-a2", "p9"]).map(Piece), max_size=12),
    permissions=st.frozensets(st.sampled_from(sorted(PERMISSIONS))),
    locked_parts=st.frozensets(st.sampled_from(["p1", "p2", "p3", "p4"])),
)


@given(work=WORKS)
def test_done_and_missing_and_the_meter_agree(work: Work) -> None:
    for part in progress(IDEAS, work):
        assert part.done == (not part.missing)
        assert part.done == (part.fraction == 1)
        assert 0 <= part.fraction <= 1
        assert (part.part_id in work.locked_parts) == (part.state == "locked")
