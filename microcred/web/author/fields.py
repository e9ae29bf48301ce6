"""Forms made from the schema's own facts: which members a document has, of which kind, and which are needed.

A field is named by its path, such as `parts.0.prompts.1.label`. What a person wrote comes back as plain data,
right or wrong: what is wrong with it is said by `credentials.parsing` alone.
"""

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from microcred.credentials.schema import Condition, MicroCredential, Rule, Stack

_LONG = frozenset(
    {
        *("competency", "key_method", "summary", "instructions", "description", "assessor_note"),
        *("text", "note", "meaning"),
    }
)
"""Members that get a box of several lines."""
_NAMES = {
    "id": "Id",
    "code": "Code",
    "ceu": "CEU",
    "url": "Web address",
    "why": "Why a teacher would choose it",
    "artefact_requirements": "Evidence asked for",
    "assessor_note": "Note for reviewers",
    "assessors_per_attempt": "Reviewers for each try",
    "attempts_before_coaching": "Tries before coaching is offered",
    "double_score_percent": "Share read by a second reviewer, in percent",
    "one_line": "In one line",
    "n": "How many",
    "criteria": "What reviewers look for",
    "repeat_per": "Answered once for each",
    "image_alt": "The picture in words",
}
SECTIONS: Mapping[str, Sequence[tuple[str, str, tuple[str, ...]]]] = {
    "micro_credential": (
        ("about", "Name and purpose", ("id", "code", "version", "title", "one_line", "requires_students")),
        ("finding", "For whom and why", ("grade_bands", "subject_areas", "tags", "why")),
        ("method", "Competency and method", ("competency", "key_method", "method_components")),
        ("preparation", "Rationale and resources", ("suggested_preparation", "rationale", "resources")),
        ("effort", "Time and standards", ("effort", "standards_alignment")),
        ("parts", "Parts: questions, evidence, criteria", ("parts",)),
        ("rule", "Passing rule", ("passing_rule",)),
        ("review", "Review and validity", ("review_policy", "validity")),
        ("badge", "Badge", ("badge",)),
    ),
    "stack": (
        ("about", "Name and purpose", ("id", "code", "version", "title", "one_line")),
        ("groups", "Micro-credentials", ("groups", "order", "total_clock_hours", "ceu")),
        ("capstone", "Capstone", ("capstone",)),
        ("badge", "Badge", ("badge",)),
        ("credit", "Graduate credit", ("graduate_credit",)),
    ),
}
"""Section id, its name, and the members of the document that it holds."""


@dataclass(frozen=True)
class Shown:
    """One field, or a group of them, as a page shows it."""

    kind: Literal["line", "text", "number", "yes_no", "choice", "choices", "lines", "group", "list", "levels"]
    name: str
    label: str
    value: Any = None
    options: tuple[str, ...] = ()
    children: tuple["Shown", ...] = ()
    """Members of a group, or the entries of a list."""
    is_needed: bool = False
    is_there: bool = True
    """For a group that may be left out: whether it is there."""
    adds: tuple[str, ...] = ("entry",)
    """For a list: which sorts of entries may be added."""
    problems: tuple[str, ...] = field(default_factory=tuple)


def model_of(kind: str) -> type[BaseModel]:
    """The document that a kind of entry is."""
    return Stack if kind == "stack" else MicroCredential


def members_of(kind: str, section: str) -> tuple[str, ...]:
    """The members of a section. Raises KeyError."""
    return {key: members for key, _, members in SECTIONS[kind]}[section]


class Form:
    """Shows data as fields, and reads fields back as data."""

    def __init__(self, scales: Mapping[str, Sequence[str]], problems: Mapping[str, Sequence[str]]) -> None:
        """`scales`: level keys by scale; `problems`: words by field name."""
        self._scales = scales
        self._problems = problems

    def show(self, model: type[BaseModel], members: Sequence[str], data: Mapping[str, Any]) -> list[Shown]:
        """The fields of these members."""
        return [self._member(model, name, data.get(name), name, data) for name in members]

    def read(
        self,
        model: type[BaseModel],
        members: Sequence[str],
        given: Mapping[str, str],
        lists: Mapping[str, list[str]],
    ) -> dict[str, Any]:
        """Data from a form; None for a member that was left empty."""
        return {name: self._read(_type_of(model, name), name, given, lists) for name in members}

    def _member(
        self, model: type[BaseModel], name: str, value: Any, path: str, around: Mapping[str, Any]
    ) -> Shown:
        info = model.model_fields[name]
        if value is None and info.annotation is bool and not info.is_required():
            value = info.default  # left out, it means the same
        words = _NAMES.get(name) or name.replace("_", " ").capitalize()
        return self._field(_type_of(model, name), value, path, words, info.is_required(), around)

    def _field(
        self, kind: Any, value: Any, path: str, words: str, needed: bool, around: Mapping[str, Any]
    ) -> Shown:
        kind, optional = _plain(kind)
        told = tuple(self._problems.get(path, ()))
        if get_origin(kind) is tuple:
            return self._list(get_args(kind)[0], value, path, words, needed, told)
        if get_origin(kind) is dict:
            keys = dict.fromkeys([*self._scales.get(str(around.get("scale")), ()), *(value or {})])
            texts = tuple(
                Shown("text", f"{path}.{key}", key, (value or {}).get(key), is_needed=True) for key in keys
            )
            return Shown("levels", path, words, children=texts, is_needed=needed, problems=told)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            data = value if isinstance(value, Mapping) else {}
            members = tuple(
                self._member(kind, name, data.get(name), f"{path}.{name}", data) for name in kind.model_fields
            )
            there = not optional or isinstance(value, Mapping)
            return Shown(
                "group", path, words, children=members, is_needed=not optional, is_there=there, problems=told
            )
        return self._single(kind, value, path, words, needed and not optional, told)

    def _list(
        self, entry: Any, value: Any, path: str, words: str, needed: bool, told: tuple[str, ...]
    ) -> Shown:
        entries = value if isinstance(value, list) else []
        plain, _ = _plain(entry)
        if get_origin(plain) is Literal:
            known = tuple(str(option) for option in get_args(plain))
            # What is chosen comes first and in its order, so that saving changes nothing.
            options = tuple(dict.fromkeys([*(one for one in entries if one in known), *known]))
            return Shown("choices", path, words, entries, options, is_needed=needed, problems=told)
        if _is_text(plain):
            return Shown("lines", path, words, entries, is_needed=needed, problems=told)
        shown = tuple(
            self._field(_choice(plain, one), one, f"{path}.{index}", _entry_name(one, index), True, {})
            for index, one in enumerate(entries)
        )
        adds = ("condition", "rule") if _is_union(plain) else ("entry",)
        return Shown("list", path, words, children=shown, is_needed=needed, adds=adds, problems=told)

    def _single(
        self, kind: Any, value: Any, path: str, words: str, needed: bool, told: tuple[str, ...]
    ) -> Shown:
        if get_origin(kind) is Literal:
            options = tuple(str(option) for option in get_args(kind))
            return Shown("choice", path, words, value, options, is_needed=needed, problems=told)
        if path.endswith(".scale") or path == "scale":
            return Shown("choice", path, words, value, tuple(self._scales), is_needed=needed, problems=told)
        if kind is bool:
            return Shown("yes_no", path, words, bool(value), is_needed=needed, problems=told)
        sort: Any = "number" if kind in (int, float) else "text" if _is_long(path) else "line"
        return Shown(sort, path, words, value, is_needed=needed, problems=told)

    def _read(self, kind: Any, path: str, given: Mapping[str, str], lists: Mapping[str, list[str]]) -> Any:
        kind, optional = _plain(kind)
        if get_origin(kind) is tuple:
            return self._read_list(get_args(kind)[0], path, given, lists)
        if get_origin(kind) is dict:
            start = f"{path}."
            texts = {
                key.removeprefix(start): text.strip() for key, text in given.items() if key.startswith(start)
            }
            return {key: text for key, text in texts.items() if text} or None
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if optional and f"{path}.there" not in given:
                return None
            data = {
                name: self._read(_type_of(kind, name), f"{path}.{name}", given, lists)
                for name in kind.model_fields
            }
            return {name: value for name, value in data.items() if value is not None}
        if kind is bool:
            return path in given
        text = given.get(path, "").replace("\r\n", "\n").strip()
        return None if not text else _number(text, kind) if kind in (int, float) else text

    def _read_list(
        self, entry: Any, path: str, given: Mapping[str, str], lists: Mapping[str, list[str]]
    ) -> list[Any] | None:
        plain, _ = _plain(entry)
        if get_origin(plain) is Literal:
            return list(lists.get(path, [])) or None
        if _is_text(plain):
            lines = (line.strip() for line in given.get(path, "").splitlines())
            return [line for line in lines if line] or None
        count = given.get(f"{path}.count", "0")
        found = []
        for index in range(min(int(count), 200) if count.isdecimal() else 0):
            name = f"{path}.{index}"
            sort = Condition if f"{name}.part" in given else Rule
            found.append(self._read(sort if _is_union(plain) else plain, name, given, lists))
        return found or None


def change(data: dict[str, Any], what: str) -> None:
    """Do what a button of a list asks: `add:parts.0.prompts`, `add_rule:…`, `remove:parts.0`, `up:…`."""
    action, _, path = what.partition(":")
    steps: list[str | int] = [int(step) if step.isdecimal() else step for step in path.split(".")]
    try:
        place: Any = data
        for step in steps[:-1]:
            place = place[step]
        last: Any = steps[-1]
        if action.startswith("add"):
            fresh = (
                {"part": ""}
                if action == "add_condition"
                else {"type": "all_of"}
                if action == "add_rule"
                else {}
            )
            if place.get(last) is None:
                place[last] = []
            place[last].append(fresh)
        elif action == "remove":
            del place[last]
        elif action == "up" and last > 0:
            place[last - 1], place[last] = place[last], place[last - 1]
    except (KeyError, IndexError, TypeError, AttributeError):
        return  # the list has changed meanwhile; what was written is saved all the same


def field_name(place: str) -> str:
    """`parts[0].title (line 12)`, as a problem names its place, as the name of a field."""
    return place.split(" (")[0].replace("[", ".").replace("]", "")


def _type_of(model: type[BaseModel], name: str) -> Any:
    return model.model_fields[name].annotation


def _plain(kind: Any) -> tuple[Any, bool]:
    """A type without its constraints, and whether None is allowed."""
    optional = False
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind):
            rest = [one for one in get_args(kind) if one is not type(None)]
            kind, optional = rest[0] if len(rest) == 1 else reduce(or_, rest), True
        else:
            return kind, optional


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _choice(kind: Any, value: Any) -> Any:
    """Of a condition or a rule, the one that the data is."""
    if not _is_union(kind):
        return kind
    return Condition if isinstance(value, Mapping) and "part" in value else Rule


def _is_text(kind: Any) -> bool:
    return kind is str


def _is_long(path: str) -> bool:
    return path.rpartition(".")[2] in _LONG


def _number(text: str, kind: Any) -> int | float | str:
    """The number, or the text as it is: the check says what is wrong with it."""
    try:
        return int(text) if kind is int else float(text)
    except ValueError:
        return text


def _entry_name(value: Any, index: int) -> str:
    members = value if isinstance(value, Mapping) else {}
    names = (members.get(name) for name in ("title", "label", "part", "type"))
    return f"{index + 1}. {next((name for name in names if isinstance(name, str)), '')}".strip()
