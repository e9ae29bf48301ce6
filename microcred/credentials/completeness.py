"""What a try still lacks, part by part, in words: the steps, the meter, and whether it may be submitted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from microcred.credentials.codes import PermissionNeeded, permissions_needed, person_label, repeat_codes
from microcred.credentials.definition import Definition
from microcred.credentials.labels import counted, joined
from microcred.credentials.schema import ArtefactRequirement, Part, Prompt


@dataclass(frozen=True)
class Answer:
    """A written answer and its words, counted by `words.count_words`."""

    body: str
    words: int


@dataclass(frozen=True)
class Piece:
    """A piece of evidence that has not been removed."""

    requirement_id: str
    student_code: str = ""
    type_group: str = ""
    is_hidden: bool = False
    """It may show who somebody is, and does not count until it is changed."""


@dataclass(frozen=True)
class Work:
    """The plain facts of a try."""

    responses: Mapping[tuple[str, str], Answer] = field(default_factory=dict)
    """(prompt id, student code or empty) to the answer."""
    evidence: Sequence[Piece] = ()
    permissions: frozenset[tuple[str, str]] = frozenset()
    """(student code, kind) of every permission given and not withdrawn."""
    locked_parts: frozenset[str] = frozenset()
    flagged: frozenset[tuple[str, str]] = frozenset()
    """(prompt id, student code) of answers in which a reviewer saw a name, not changed since."""


class PartStep(StrEnum):
    """How far a part is."""

    NOT_STARTED = "not_started"
    STARTED = "started"
    READY = "ready"
    LOCKED = "locked"


@dataclass(frozen=True)
class Missing:
    """One thing to do before submitting; `place_id` is such as `p1-q1`, `p3-q1-A`, `p2-a1`."""

    place_id: str
    message: str


@dataclass(frozen=True)
class PartProgress:
    """How far one part is; `fraction` runs from 0 to 1."""

    part_id: str
    number: int
    title: str
    state: PartStep
    fraction: float
    note: str
    missing: tuple[Missing, ...]

    @property
    def done(self) -> bool:
        return self.state in (PartStep.READY, PartStep.LOCKED)


@dataclass(frozen=True)
class _Step:
    """A thing to do: `have` of `want` are done, `missing` says what is left."""

    have: int
    want: int
    missing: Missing | None
    touched: bool


def progress(definition: Definition, work: Work) -> list[PartProgress]:
    """How far each part is, in order."""
    permissions = permissions_needed(definition)
    return [_part_progress(part, permissions, work) for part in definition.parts]


def all_missing(parts: Sequence[PartProgress]) -> list[Missing]:
    """Everything to do before submitting, in order; a permission that two parts need is named once."""
    return list(dict.fromkeys(missing for part in parts for missing in part.missing))


def share_done(parts: Sequence[PartProgress]) -> float:
    """How much of the whole is there, 0 to 1."""
    return sum(part.fraction for part in parts) / len(parts) if parts else 0.0


def next_part(parts: Sequence[PartProgress]) -> PartProgress | None:
    """Where to pick up: the first part begun but not ready, else the first not ready; None when all are."""
    open_parts = [part for part in parts if not part.done]
    return next((part for part in open_parts if part.state is PartStep.STARTED), next(iter(open_parts), None))


def prompt_place(prompt_id: str, student_code: str = "") -> str:
    """The place of an answer: `p1-q1`, `p3-q1-A`."""
    return f"{prompt_id}-{student_code}" if student_code else prompt_id


def _part_progress(part: Part, permissions: Sequence[PermissionNeeded], work: Work) -> PartProgress:
    if part.id in work.locked_parts:
        note = "Done in an earlier try"
        return PartProgress(part.id, part.number, part.title, PartStep.LOCKED, 1.0, note, ())
    steps = [*_answers(part, work), *_pieces(part, work), *_permissions(part, permissions, work)]
    missing = tuple(step.missing for step in steps if step.missing is not None)
    wanted = sum(step.want for step in steps)
    fraction = sum(min(step.have, step.want) for step in steps) / wanted if wanted else 1.0
    if not missing:
        state = PartStep.READY
    elif any(step.touched for step in steps):
        state = PartStep.STARTED
    else:
        state = PartStep.NOT_STARTED
    return PartProgress(part.id, part.number, part.title, state, fraction, _note(part, state, work), missing)


def _answers(part: Part, work: Work) -> Iterator[_Step]:
    for prompt in part.prompts:
        for code in repeat_codes(part, prompt):
            answer = work.responses.get((prompt.id, code))
            words = answer.words if answer else 0
            problem = _answer_problem(prompt, code, words)
            if not problem and (prompt.id, code) in work.flagged:
                problem = (
                    f"A reviewer saw a name in “{prompt.label}”. Write a code or a role instead, and save."
                )
            missing = Missing(prompt_place(prompt.id, code), problem) if problem else None
            written = bool(answer and answer.body.strip())
            if prompt.required or problem:
                yield _Step(int(not problem), 1, missing, written)


def _answer_problem(prompt: Prompt, code: str, words: int) -> str:
    name = f"“{prompt.label}”"
    if code and prompt.repeat_per:
        name += f" for {person_label(code, prompt.repeat_per)}"
    if prompt.word_limit and words > prompt.word_limit:
        over = counted(words - prompt.word_limit, "word")
        return f"{name} has {words:,} words and the limit is {prompt.word_limit:,}. Take out {over}."
    if prompt.required and words == 0:
        return f"{name} has no answer yet."
    return ""


def _pieces(part: Part, work: Work) -> Iterator[_Step]:
    for requirement in part.artefact_requirements:
        have = _count(requirement, work)
        problem = _hidden_problem(requirement, work) or _pieces_problem(requirement, have)
        missing = Missing(requirement.id, problem) if problem else None
        # Too many pieces is one thing to do as well, also where none was asked for.
        want = max(requirement.min_count, int(bool(problem)))
        if want:
            yield _Step(have if not problem or have < want else want - 1, want, missing, have > 0)


def _pieces_problem(requirement: ArtefactRequirement, have: int) -> str:
    name = f"“{requirement.label}”"
    if have < requirement.min_count:
        more = counted(requirement.min_count - have, "more piece" if have else "piece")
        return f"{name} needs {more}."
    if have > requirement.max_count:
        most = requirement.max_count
        return f"{name} has {have} pieces and may have {most}. Remove {have - most}."
    return ""


def _hidden_problem(requirement: ArtefactRequirement, work: Work) -> str:
    hidden = sum(piece.is_hidden and piece.requirement_id == requirement.id for piece in work.evidence)
    if not hidden:
        return ""
    if hidden == 1:
        return (
            f"A piece of “{requirement.label}” is hidden: somebody may be known by it. "
            "Blur or replace it, or take it out."
        )
    return (
        f"{hidden} pieces of “{requirement.label}” are hidden: somebody may be known by them. "
        "Blur or replace them, or take them out."
    )


def _permissions(part: Part, permissions: Sequence[PermissionNeeded], work: Work) -> Iterator[_Step]:
    for needed in permissions:
        if part.id in needed.part_ids:
            given = (needed.student_code, needed.kind) in work.permissions
            # "the class", not "Everyone": the sentence goes on.
            whom = (
                needed.label[0].lower() + needed.label[1:]
                if needed.label.startswith("Everyone")
                else needed.label
            )
            message = f"Confirm that you have permission for {whom}."
            yield _Step(int(given), 1, None if given else Missing(needed.place_id, message), given)


def _count(requirement: ArtefactRequirement, work: Work) -> int:
    return sum(piece.requirement_id == requirement.id and not piece.is_hidden for piece in work.evidence)


def _note(part: Part, state: PartStep, work: Work) -> str:
    """What there is, in few words: `2 of 4 pieces`, `1 of 2 answers`, `Ready`."""
    if state is PartStep.READY:
        return "Ready"
    if state is PartStep.NOT_STARTED:
        return "Not started"
    notes = []
    places = [
        (prompt.id, code) for prompt in part.prompts if prompt.required for code in repeat_codes(part, prompt)
    ]
    if places:
        written = sum(place in work.responses and work.responses[place].words > 0 for place in places)
        notes.append(f"{written} of {counted(len(places), 'answer')}")
    wanted = sum(requirement.min_count for requirement in part.artefact_requirements)
    if wanted:
        have = sum(min(_count(item, work), item.min_count) for item in part.artefact_requirements)
        notes.append(f"{have} of {counted(wanted, 'piece')}")
    return joined(notes) or "Started"
