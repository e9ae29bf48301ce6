"""What a teacher confirms before submitting. The ids are kept with the try."""

from collections.abc import Collection
from typing import NamedTuple

from microcred.credentials.codes import permissions_needed
from microcred.credentials.definition import Definition


class Statement(NamedTuple):
    """A sentence with a box to tick."""

    id: str
    text: str


def statements(definition: Definition) -> tuple[Statement, ...]:
    """The statements of a credential, in the order they are shown."""
    if definition.document.requires_students:
        work = Statement("own_work", "I led this work with my own students.")
        words = Statement("own_words", "The writing is mine, and the student words are theirs.")
    else:
        work = Statement("own_work", "I did this work myself.")
        words = Statement("own_words", "The writing is mine, and words of others are marked as theirs.")
    whom = "a student or colleague" if permissions_needed(definition) else "anyone"
    return (work, words, Statement("no_names", f"Nothing here names or shows {whom} without permission."))


def all_confirmed(definition: Definition, confirmed: Collection[str]) -> bool:
    """Whether every statement of the credential is among the ids `confirmed`."""
    return {statement.id for statement in statements(definition)} <= set(confirmed)
