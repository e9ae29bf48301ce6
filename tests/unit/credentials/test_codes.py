"""Codes instead of names, read from what the sample catalogue says in words."""

import pytest

from microcred.credentials import Definition
from microcred.credentials.codes import permissions_needed, person_label, repeat_codes, student_codes


@pytest.mark.parametrize(
    ("code", "students", "answers"),
    [
        ("CI-101", "AB", "AB"),
        ("AS-110", "ABC", "AB"),
        ("DI-120", "ABCD", "ABCD"),
        ("ML-130", "AB", "AB"),
        ("UD-140", "AB", "AB"),
        ("DA-150", "AB", "AB"),
        ("DT-160", "", "AB"),
        ("TL-170", "", "A"),
    ],
)
def test_how_many_people_each_sample_follows(
    definitions: dict[str, Definition], code: str, students: str, answers: str
) -> None:
    definition = definitions[code]
    assert "".join(student_codes(definition)) == students
    part, prompt = definition.prompt("p3-q1")
    assert "".join(repeat_codes(part, prompt)) == answers


def test_an_author_may_say_the_number(ideas: Definition) -> None:
    part, prompt = ideas.prompt("p3-q1")
    assert repeat_codes(part, prompt.model_copy(update={"repeat_count": 3})) == ("A", "B", "C")
    assert repeat_codes(part, prompt.model_copy(update={"repeat_per": None})) == ("",)


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("CI-101", [("A", "student_family"), ("B", "student_family")]),
        ("DI-120", [("class", "student_family")]),
        ("DT-160", []),
        ("TL-170", [("A", "colleague")]),
    ],
)
def test_permissions_are_asked_once_for_each_code_and_kind(
    definitions: dict[str, Definition], code: str, needed: list[tuple[str, str]]
) -> None:
    found = permissions_needed(definitions[code])
    assert [(item.student_code, item.kind) for item in found] == needed
    assert len({item.place_id for item in found}) == len(found)


def test_people_are_called_by_their_code() -> None:
    assert person_label("A", "student_family") == "Student A"
    assert person_label("B", "colleague") == "Colleague B"
    assert person_label("class", "student_family") == "Everyone in the class"
