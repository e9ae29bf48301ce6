"""What a teacher confirms before submitting. The ids are kept with the try."""

from typing import NamedTuple

from microcred.credentials.codes import permissions_needed
from microcred.credentials.definition import Definition


class Statement(NamedTuple):
    """A sentence with a box to tick."""

    id: str
    text: str


def statements(definition: Definition) -> tuple[Statement, ...]:
    """The statements of this credential, in the order they are shown."""
    if definition.document.requires_students:
        found = [
            Statement("own_work", "I led this work with my own students."),
            Statement("own_words", "The writing is mine, and the student words are theirs."),
        ]
    else:
        found = [
            Statement("own_work", "I did this work myself."),
            Statement("own_words", "The writing is mine, and words of others are marked as theirs."),
        ]
    whom = "a student or colleague" if permissions_needed(definition) else "anyone"
    found.append(Statement("no_names", f"Nothing here names or shows {whom} without permission."))
    return tuple(found)


def all_confirmed(definition: Definition, confirmed: list[str]) -> bool:
    """Whether every statement of the credential is among `confirmed` ids."""
    return {statement.id for statement in statements(definition)} <= set(confirmed)
