"""The work of one try as reviewers and approvers read it: answers and evidence; nothing names the teacher.

File names given by the teacher are never part of it: an item is called after what was asked for, such as
`Student A, item 2`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from microcred.credentials.codes import person_label
from microcred.credentials.definition import Definition
from microcred.credentials.models import Attempt, EvidenceItem, Response
from microcred.credentials.schema import Part, Prompt

SHOWN_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""What every browser draws."""
_WORDS = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True)
class Run:
    """A run of text; `new` where it was not in the earlier try."""

    text: str
    new: bool


@dataclass(frozen=True)
class Answer:
    """A written answer: its prompt, whose words it is, and its paragraphs."""

    prompt_id: str
    student_code: str
    heading: str
    """Such as `question 2` or `Student A`."""
    label: str
    text: str
    """The prompt itself."""
    paragraphs: tuple[tuple[Run, ...], ...]
    words: int
    word_limit: int | None

    @property
    def has_new(self) -> bool:
        """Whether anything is marked as new."""
        return any(run.new for paragraph in self.paragraphs for run in paragraph)


@dataclass(frozen=True)
class Item:
    """A piece of evidence under a neutral name."""

    public_id: str
    name: str
    caption: str
    kind: str
    """`file` or `link`."""
    type_group: str
    media_type: str
    size: int | None
    host: str | None
    """Where a link leads, without its path."""
    state: str = "ready"
    """`ready`, `preparing`, `scanning` or `infected`; only what is ready is opened."""
    storage_key: str | None = None
    """What is opened: the copy that plays, else the file itself. `media_type` and `size` are those of it."""
    transcript: str = ""
    problem: bool = False
    """Whether a copy that plays was needed and could not be made."""

    @property
    def shows(self) -> str:
        """How a page shows it: `picture`, `audio`, `video`, `pdf`, or empty where it is only downloaded."""
        if self.state != "ready" or self.problem:
            return ""
        kind = self.media_type.partition("/")[0]
        if self.media_type in SHOWN_PICTURES:
            return "picture"
        return kind if kind in ("audio", "video") else "pdf" if self.media_type == "application/pdf" else ""

    @property
    def is_picture(self) -> bool:
        """Whether it can stand in the page as a picture."""
        return self.shows == "picture"

    @property
    def has_captions(self) -> bool:
        """Whether the transcript is one with times (WebVTT), which a player shows."""
        return self.transcript.lstrip("\ufeff").startswith("WEBVTT")


@dataclass(frozen=True)
class Asked:
    """One evidence requirement with the items given for it."""

    label: str
    description: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class PartWork:
    """What stands in one part."""

    part_id: str
    number: int
    title: str
    answers: tuple[Answer, ...]
    asked: tuple[Asked, ...]

    @property
    def words(self) -> int:
        """Words over all answers."""
        return sum(answer.words for answer in self.answers)

    @property
    def items(self) -> tuple[Item, ...]:
        """All evidence of the part, in order."""
        return tuple(item for asked in self.asked for item in asked.items)


def read_work(
    session: Session, attempt: Attempt, definition: Definition, *, earlier: Attempt | None = None
) -> tuple[PartWork, ...]:
    """The work of a try, part by part; `earlier` is the try to mark new text against."""
    answers = answers_of(session, attempt.id)
    before = answers_of(session, earlier.id) if earlier is not None else None
    items = session.scalars(
        select(EvidenceItem)
        .where(
            EvidenceItem.attempt_id == attempt.id,
            EvidenceItem.removed_at.is_(None),
            EvidenceItem.hidden_at.is_(None),
        )
        .options(joinedload(EvidenceItem.file))
        .order_by(EvidenceItem.id)
    ).all()
    return tuple(_part(part, answers, before, items) for part in definition.parts)


def runs(text: str, earlier: str | None) -> tuple[tuple[Run, ...], ...]:
    """Paragraphs of `text`; words that `earlier` does not have at that place are marked as new."""
    marked = _marked(text, earlier)
    paragraphs: list[list[Run]] = [[]]
    for run in marked:
        for number, line in enumerate(re.split(r"\s*\n\s*", run.text)):
            if number and paragraphs[-1]:
                paragraphs.append([])
            if line:
                paragraphs[-1].append(Run(line, run.new))
    return tuple(tuple(paragraph) for paragraph in paragraphs if paragraph)


def _marked(text: str, earlier: str | None) -> Iterable[Run]:
    if earlier is None or not earlier.strip():
        return [Run(text, False)]
    was, now = _WORDS.findall(earlier), _WORDS.findall(text)
    matcher = SequenceMatcher(
        None, [word.strip() for word in was], [word.strip() for word in now], autojunk=False
    )
    return [
        Run("".join(now[start:end]), kind != "equal")
        for kind, _, _, start, end in matcher.get_opcodes()
        if end > start
    ]


def answers_of(session: Session, attempt_id: int) -> dict[tuple[str, str], Response]:
    """What was written in a try, by prompt and student code."""
    rows = session.scalars(select(Response).where(Response.attempt_id == attempt_id))
    return {(row.prompt_id, row.student_code): row for row in rows}


def _part(
    part: Part,
    answers: Mapping[tuple[str, str], Response],
    before: Mapping[tuple[str, str], Response] | None,
    items: Sequence[EvidenceItem],
) -> PartWork:
    written = tuple(
        _answer(prompt, f"question {number}" if len(part.prompts) > 1 else "question", response, before)
        for number, prompt in enumerate(part.prompts, start=1)
        for (prompt_id, _), response in sorted(answers.items())
        if prompt_id == prompt.id
    )
    asked = tuple(
        Asked(
            requirement.label,
            requirement.description,
            tuple(
                _item(item, f"{requirement.label}, item {number}")
                for number, item in enumerate(
                    (item for item in items if item.requirement_id == requirement.id), start=1
                )
            ),
        )
        for requirement in part.artefact_requirements
    )
    return PartWork(part.id, part.number, part.title, written, asked)


def _answer(
    prompt: Prompt,
    question: str,
    response: Response,
    before: Mapping[tuple[str, str], Response] | None,
) -> Answer:
    old = before.get((prompt.id, response.student_code)) if before is not None else None
    return Answer(
        prompt_id=response.prompt_id,
        student_code=response.student_code,
        heading=person_label(response.student_code, prompt.repeat_per or "")
        if response.student_code
        else question,
        label=prompt.label,
        text=prompt.text,
        paragraphs=runs(response.body, old.body if old is not None else None),
        words=response.words,
        word_limit=prompt.word_limit,
    )


def _item(item: EvidenceItem, name: str) -> Item:
    file = item.file
    media_type, size, key = item.media_type or "", item.size, item.storage_key
    if file is not None:
        size = file.size
        if file.view_key is not None:
            media_type, size, key = file.view_media_type or "", file.view_size, file.view_key
    return Item(
        public_id=item.public_id,
        name=name,
        caption=item.caption,
        kind=item.kind,
        type_group=item.type_group or item.kind,
        media_type=media_type,
        size=size,
        host=urlsplit(item.url).hostname if item.url else None,
        state=file.state if file is not None else "ready",
        storage_key=key,
        transcript=item.transcript,
        problem=file is not None and bool(file.view_problem),
    )
