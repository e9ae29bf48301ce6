"""YAML as plain data and the line of every member; safe for text from outside: no aliases, no depth."""

from dataclasses import dataclass
from typing import Any

import yaml

from microcred.credentials.errors import Path, Problem

MAX_CHARACTERS = 50_000_000
MAX_DEPTH = 40

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"
_STRING = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class Read:
    """What was read: `data`, and the line (from 1) at which each path stands."""

    data: Any
    lines: dict[Path, int]
    problems: list[Problem]


def read(text: str) -> Read:
    """The one document in `text`; `data` is None where the text itself has problems."""
    lines: dict[Path, int] = {}
    try:
        problem = _unsafe(text)
        if problem is not None:
            return Read(None, lines, [problem])
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return Read(None, lines, [Problem("the file", "The file is empty.")])
            problems: list[Problem] = []
            _visit(node, (), lines, problems)
            return Read(None if problems else loader.construct_document(node), lines, problems)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        return Read(None, lines, [_syntax(error)])
    except ValueError as error:
        # The constructor of dates: 2026-02-30 has the shape of a date and is none.
        return Read(None, lines, [Problem("the file", f"A value cannot be read: {error}.")])


def _unsafe(text: str) -> Problem | None:
    """What would make reading itself costly, found before anything is built."""
    if len(text) > MAX_CHARACTERS:
        return Problem("the file", "The file is too large for a catalogue.")
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return Problem(
                f"line {line}", "Write the value out: a catalogue has no anchors and aliases.", line
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            return Problem(f"line {line}", "Lists and members are nested too deeply.", line)
    return None


def _visit(node: yaml.Node, path: Path, lines: dict[Path, int], problems: list[Problem]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _visit(item, (*path, index), lines, problems)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            member = (*path, str(key.value)) if isinstance(key, yaml.ScalarNode) else path
            wrong = _wrong_key(key, member in lines and member != path)
            if wrong:
                problems.append(Problem.at(member, wrong, {member: line}))
            else:
                lines[member] = line
                _visit(value, member, lines, problems)


def _wrong_key(key: yaml.Node, is_known: bool) -> str:
    if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
        return "The name of a member must be plain text."
    if key.tag != _STRING:
        return f"Put the name in quotes: '{key.value}'. Without them it is not text in YAML."
    return "This member is here twice." if is_known else ""


def _syntax(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    if mark is None:
        return Problem("the file", f"This is not YAML: {what}.")
    line = mark.line + 1
    return Problem(f"line {line}, column {mark.column + 1}", f"This is not YAML: {what}.", line)
