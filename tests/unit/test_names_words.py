"""Names and addresses in text, as people really write them."""

import pytest

from microcred.operations.names_words import Names

PEOPLE = [
    ("Maria Lopez", "Maria", "Lopez"),
    ("José Ángel Núñez", "José", "Núñez"),
    ("Will Young", "Will", "Young"),
    ("Siobhan O’Brien", "Siobhan", "O’Brien"),
    ("Li Na", "Li", "Na"),
    ("Anne-Marie Duval", None, None),
    (None, None, None),
]


def found(text: str) -> list[tuple[str, str]]:
    return [(one.what, one.words) for one in Names(PEOPLE).in_text(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We sat with Maria Lopez.", [("name", "Maria Lopez")]),
        ("MARIA LOPEZ and maria lopez", [("name", "MARIA LOPEZ"), ("name", "maria lopez")]),
        ("Maria's notes, and Lopez again", [("part_of_name", "Maria's"), ("part_of_name", "Lopez")]),
        ("Jose Angel Nunez wrote it", [("name", "Jose Angel Nunez")]),
        ("Núñez wrote it", [("part_of_name", "Núñez")]),
        ("O'Brien asked", [("part_of_name", "O'Brien")]),
        ("Will they? The young ones will.", []),
        ("Will Young did.", [("name", "Will Young")]),
        ("Li Na spoke; Na is sodium", [("name", "Li Na")]),
        ("Anne-Marie Duval", [("name", "Anne-Marie Duval")]),
        ("a mariachi band in Lopezville", []),
        ("write to m.lopez+x@school.example now", [("mail", "m.lopez+x@school.example")]),
        ("student A said 3 @ 4 is odd", []),
        ("Maria Lopez and Maria Lopez", [("name", "Maria Lopez")]),
        ("", []),
    ],
)
def test_what_stands_in_a_text(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("maria_lopez_photo.png", [("name", "maria lopez")]),
        ("MariaLopez.docx", [("name", "Maria Lopez")]),
        ("notes-lopez.pdf", []),
        ("lopez 2.pdf", [("part_of_name", "lopez")]),
        ("IMG_2041.jpg", []),
    ],
)
def test_what_stands_in_a_file_name(name: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.what, one.words) for one in Names(PEOPLE).in_file_name(name)] == expected
