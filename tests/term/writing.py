"""A teacher's draft in a term: writing and adding over a line that breaks, beside other tabs.

What the tool said is saved is kept in mind (`Memory`); the judge compares that with what is stored.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from microcred.credentials.schema import Part
from microcred.operations import teacher
from microcred.operations.actor import Actor
from microcred.operations.errors import OperationRefused
from microcred.operations.reading_teacher import Loaded
from tests.term import pieces
from tests.term.plan import CHANCES
from tests.term.world import Life, Term

Place = tuple[str, str]
"""Prompt id and student code."""


@dataclass
class Memory:
    """What the tool told one teacher is saved."""

    sentences: dict[Place, set[str]] = field(default_factory=dict)
    """Marks of the sentences in each answer."""
    pieces: dict[str, set[str]] = field(default_factory=dict)
    """Marks of the pieces for each requirement."""


@dataclass
class Box:
    """An answer as a page of the teacher's shows it."""

    text: str = ""
    revision: int = 0


class Draft:
    """One teacher's draft; `come` gives the teacher in their course."""

    def __init__(self, term: Term, number: int, luck: Random, come: Callable[[], Actor]) -> None:
        self.memory = Memory()
        self._term, self._number, self._luck, self._come = term, number, luck, come
        self._boxes: dict[Place, Box] = {}
        self._marks = 0

    def box(self, place: Place) -> Box:
        """The answer as the teacher's page shows it."""
        return self._boxes.setdefault(place, Box())

    def open_pages(self, loaded: Loaded) -> None:
        """Come again: the pages show what is stored."""
        for place, row in loaded.responses.items():
            self._boxes[place] = Box(row.body, row.revision)

    def write(self, part: Part, place: Place, sentence: str) -> Life:
        """Add a sentence to an answer and see it saved, whatever the line and other tabs do."""
        luck, box = self._luck, self.box(place)
        if luck.random() < CHANCES.line_breaks:
            # A dead spot, or the lid was closed overnight: the page keeps the text.
            yield self._later(luck.choice((1, 5, 60 * 14)))
        if luck.random() < CHANCES.second_tab:
            # The phone saves first; this page does not know.
            self.save(part, place, Box(box.text, box.revision), sentence)
        self.save(part, place, box, sentence)
        if luck.random() < CHANCES.line_breaks / 2:  # only the answer was lost: once more
            self.save(part, place, Box(box.text, box.revision - 1))
        yield self._later(luck.randint(2, 12))

    def save(self, part: Part, place: Place, box: Box, sentence: str = "") -> None:
        """Save what the page shows, with one more sentence; where it was changed elsewhere, keep both."""
        text = f"{box.text}\n{self._mark()}: {sentence}".strip() if sentence else box.text
        try:
            saved = self._store(part, place, text, box.revision)
        except teacher.StaleText as stale:
            missing = [line for line in text.splitlines() if line not in stale.theirs]
            text = "\n".join([stale.theirs, *missing])
            saved = self._store(part, place, text, stale.revision)
        box.text, box.revision = text, saved.revision
        self.memory.sentences.setdefault(place, set()).update(marks_in(text))

    def _store(self, part: Part, place: Place, text: str, base: int) -> teacher.Saved:
        return self._term.do(
            "save",
            lambda session: teacher.save_response(
                session,
                self._come(),
                part_id=part.id,
                prompt_id=place[0],
                student_code=place[1],
                text=text,
                base_revision=base,
                now=self._term.now,
            ),
        )

    def add_piece(self, part: Part, requirement_id: str, words: str) -> None:
        """Add a link or a file. Raises OperationRefused."""
        requirement = next(each for each in part.artefact_requirements if each.id == requirement_id)
        mark, accepted = self._mark(), requirement.accepted_types
        put = pieces.link if "link" in accepted and self._luck.random() < 0.6 else pieces.file
        caption = f"Piece {mark} {words}"
        add = put(self._term, self._come(), part.id, requirement_id, accepted, mark, caption)
        self._term.do("add piece", add)
        self.memory.pieces.setdefault(requirement_id, set()).add(mark)
        if self._luck.random() < CHANCES.line_breaks / 2:
            with suppress(OperationRefused):  # only the answer was lost: once more
                self._term.do("add piece", add)

    def removed(self, requirement_id: str, caption: str) -> None:
        """A piece was taken out."""
        self.memory.pieces[requirement_id] -= marks_in(caption)

    def _mark(self) -> str:
        self._marks += 1
        return f"m{self._number}x{self._marks}"

    def _later(self, minutes: int) -> datetime:
        return self._term.now + timedelta(minutes=minutes)


def marks_in(text: str) -> set[str]:
    """Marks of sentences and pieces, such as `m12x3`."""
    return {word.rstrip(":") for word in text.split() if word[:1] == "m" and word[1:2].isdecimal()}
