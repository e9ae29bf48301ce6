"""Codes instead of names: who student A and colleague A are is known to the teacher alone.

The catalogue says in words how many people a credential follows ("Work from two students", "Four students,
including ..."). `repeat_count` of a prompt says it as a number; where it is left out, the number is read from
the part's instructions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from microcred.credentials.definition import Definition
from microcred.credentials.schema import ArtefactRequirement, Part, Prompt

CLASS_CODE = "class"
"""Stands for everyone in the room, where a permission covers a whole class."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_USUAL_COUNT = 2
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_COUNT = re.compile(
    rf"\b({'|'.join(_NUMBERS)}|[1-6])\s+(?:of\s+the\s+\w+\s+)?(?:\w+\s+)?(?:students?|learners?|colleagues?)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^(?:Student|Learner|Colleague) ([A-Z])$")


@dataclass(frozen=True)
class PermissionNeeded:
    """A permission that must be on record before the work can be sent."""

    student_code: str
    kind: str
    """`student_family` or `colleague`: who must agree."""
    label: str
    """Such as `Student A`."""
    part_ids: tuple[str, ...]

    @property
    def place_id(self) -> str:
        return f"permission-{self.kind}-{self.student_code}"


def repeat_codes(part: Part, prompt: Prompt) -> tuple[str, ...]:
    """The codes a prompt is answered for: `("",)` where it is answered once, else `("A", "B", ...)`."""
    if prompt.repeat_per is None:
        return ("",)
    count = prompt.repeat_count or _number_in(part.instructions) or _USUAL_COUNT
    return tuple(_LETTERS[:count])


def student_codes(definition: Definition) -> list[str]:
    """The codes of the students a credential follows, such as `["A", "B"]`; empty where it follows none."""
    codes = set[str]()
    for part in definition.parts:
        for prompt in part.prompts:
            if prompt.repeat_per == "student":
                codes.update(repeat_codes(part, prompt))
        for requirement in part.artefact_requirements:
            if requirement.about == "student":
                label = code_in_label(requirement)
                codes.update([label] if label else _LETTERS[: _number_in(requirement.description) or 0])
    return sorted(codes) or (list(_LETTERS[:_USUAL_COUNT]) if definition.document.requires_students else [])


def code_in_label(requirement: ArtefactRequirement) -> str:
    """`A` for a requirement labelled `Student A`; else empty: its pieces may show several people."""
    found = _LABEL.match(requirement.label)
    return found[1] if found else ""


def requirement_codes(definition: Definition, requirement: ArtefactRequirement) -> tuple[str, ...]:
    """Whom the pieces of a requirement show, as codes; empty where it is about the teacher."""
    match requirement.about:
        case "student":
            label = code_in_label(requirement)
            return (label,) if label else tuple(student_codes(definition))
        case "class":
            return (CLASS_CODE,)
        case "colleague":
            return (code_in_label(requirement) or "A",)
        case "teacher":
            return ()


def permissions_needed(definition: Definition) -> tuple[PermissionNeeded, ...]:
    """Every permission a credential asks for, once for each code and kind, in the order of the parts."""
    parts = dict[tuple[str, str], list[str]]()
    for code, kind, part_id in _consents(definition):
        if part_id not in parts.setdefault((code, kind), []):
            parts[code, kind].append(part_id)
    return tuple(
        PermissionNeeded(code, kind, person_label(code, kind), tuple(part_ids))
        for (code, kind), part_ids in parts.items()
    )


def person_label(code: str, kind: str) -> str:
    """`Student A`, `Colleague A` or `Everyone in the class`; `kind` is `consent_needed` or `repeat_per`."""
    if code == CLASS_CODE:
        return "Everyone in the class"
    return f"{'Colleague' if kind == 'colleague' else 'Student'} {code}"


def _consents(definition: Definition) -> Iterator[tuple[str, str, str]]:
    for part in definition.parts:
        for requirement in part.artefact_requirements:
            if requirement.consent_needed != "none":
                for code in requirement_codes(definition, requirement):
                    yield code, requirement.consent_needed, part.id


def _number_in(text: str) -> int | None:
    found = _COUNT.search(text)
    return None if found is None else _NUMBERS.get(found[1].lower()) or int(found[1])
