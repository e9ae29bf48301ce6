"""Comments: plain, short, exact."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grade_passback.comments import LONGEST, CommentFacts, comment_for, plain_text

FACTS = CommentFacts(
    decision_due=date(2026, 3, 9),
    missing="Part 2 is missing one item",
    parts_to_revise=[1],
    decided_on=date(2026, 3, 3),
    verify_url="https://badges.example.org/badges/abc",
    appeal_until=date(2026, 4, 2),
)


@pytest.mark.parametrize(
    ("moment", "comment"),
    [
        ("opened", None),
        ("submitted", "Received. Decision due by March 9, 2026."),
        ("incomplete", "Part 2 is missing one item"),
        ("revisions_requested", "Revisions needed in Part 1. Open to read feedback."),
        ("withdrawn", "Withdrawn by you."),
        ("awarded", "Earned March 3, 2026. https://badges.example.org/badges/abc"),
        ("denied", "Not awarded. You may appeal until April 2, 2026."),
        ("appeal_opened", "Appeal received."),
        ("revoked", "Revoked March 3, 2026."),
    ],
)
def test_comment_of_each_moment(moment: str, comment: str | None) -> None:
    assert comment_for(moment, FACTS) == comment


def test_several_parts_are_listed() -> None:
    facts = CommentFacts(parts_to_revise=[1, 3, 4])
    assert (
        comment_for("revisions_requested", facts)
        == "Revisions needed in Parts 1, 3 and 4. Open to read feedback."
    )


@given(st.text(max_size=3000))
def test_any_text_becomes_short_text_that_can_be_written(text: str) -> None:
    plain = plain_text(text)
    assert len(plain) <= LONGEST
    plain.encode()
    assert "\n" not in plain
