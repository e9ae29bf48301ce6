"""From the text of a catalogue file to a checked `CatalogueFile`, or to everything that is wrong with it."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from microcred.credentials import checks
from microcred.credentials.errors import CatalogueRefused, Path, Problem
from microcred.credentials.schema import (
    CatalogueFile,
    CreditRule,
    Framework,
    GradeScheme,
    Issuer,
    MicroCredential,
    Scale,
    Stack,
    University,
)
from microcred.credentials.yaml_text import Read, read

_SECTIONS: dict[str, type[BaseModel]] = {
    "issuers": Issuer,
    "universities": University,
    "frameworks": Framework,
    "scales": Scale,
    "grade_schemes": GradeScheme,
    "credit_rules": CreditRule,
    "micro_credentials": MicroCredential,
    "stacks": Stack,
}
"""The lists of the file; each entry is looked at by itself, so that none hides another's problems."""

_PATTERN_WORDS = {
    "^https?": "must be a web address that begins with http:// or https://",
    "^[^@": "must be an e-mail address",
    "^#": "must be a colour such as #1F4E79",
    "^[A-Za-z0-9]": "must be an id: letters, digits, dots, dashes and underscores",
    "^[0-9A-Za-z]": "must be a version such as 1.0",
}
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a member that a catalogue has here",
    "string_type": "must be text; put it in quotes if YAML takes it for a number, a date, true or false",
    "string_too_short": "must not be empty",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "tuple_type": "must be a list",
    "dict_type": "must have members",
    "model_type": "must have members",
    "model_attributes_type": "must have members",
}


def parse(text: str) -> CatalogueFile:
    """The catalogue in `text` (YAML). Raises CatalogueRefused with every problem, in the file's order."""
    source = read(text)
    problems = source.problems or list(_problems(source))
    if problems:
        raise CatalogueRefused(sorted(problems, key=lambda problem: problem.line or 0))
    file = CatalogueFile.model_validate(source.data)
    file._lines.update(source.lines)
    return file


def _problems(source: Read) -> Iterator[Problem]:
    data = source.data
    if not isinstance(data, dict):
        yield Problem(
            "the file", "A catalogue has members such as `catalogue`, `issuers` and `micro_credentials`."
        )
        return
    entries = {name: _entries(data, name) for name in _SECTIONS}
    # The file with its lists emptied: unknown and missing members, the head, lists that are no lists.
    whole = {
        name: [] if name in entries and isinstance(value, list) else value for name, value in data.items()
    }
    for path, message in shape(CatalogueFile, whole, data, ()):
        if not (path == ("issuers",) and data.get("issuers")):
            yield Problem.at(path, message, source.lines)
    valid: dict[str, dict[int, Any]] = {name: {} for name in _SECTIONS}
    for name, kind in _SECTIONS.items():
        for index, entry in enumerate(entries[name]):
            broken = list(shape(kind, entry, entry, (name, index)))
            yield from (Problem.at(path, message, source.lines) for path, message in broken)
            if not broken:
                valid[name][index] = kind.model_validate(entry)
    yield from (Problem.at(path, message, source.lines) for path, message in _cross(entries, valid))


def _entries(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else []


def _cross(entries: Mapping[str, list[Any]], valid: Mapping[str, Mapping[int, Any]]) -> checks.Found:
    ids = {name: [_id(entry) for entry in found] for name, found in entries.items()}
    for name, section in ids.items():
        if name not in ("micro_credentials", "stacks"):
            yield from checks.repeated(section, (name,))
    scales = {}
    for index, scale in valid["scales"].items():
        broken = list(checks.check_scale(scale, ("scales", index)))
        yield from broken
        if not broken:
            scales[scale.id] = scale
    known = known_ids(ids, scales)
    versioned = [
        ((name, index), document.id, document.version, document.issuer)
        for name in ("micro_credentials", "stacks")
        for index, document in valid[name].items()
    ]
    yield from checks.check_versions(versioned)
    for key in {key for key in ids["micro_credentials"] if key} & {key for key in ids["stacks"] if key}:
        yield ("stacks", ids["stacks"].index(key), "id"), f"`{key}` is a micro-credential as well."
    for index, document in valid["micro_credentials"].items():
        yield from checks.check_credential(document, known, ("micro_credentials", index))
    for index, stack in valid["stacks"].items():
        yield from checks.check_stack(stack, known, ("stacks", index))


def known_ids(ids: Mapping[str, list[str | None]], scales: Mapping[str, Scale]) -> checks.Known:
    """The ids of each section as the checks want them; a scale not in `scales` is known, but broken."""

    def of(name: str) -> frozenset[str]:
        return frozenset(key for key in ids[name] if key is not None)

    return checks.Known(
        issuers=of("issuers"),
        universities=of("universities"),
        frameworks=of("frameworks"),
        grade_schemes=of("grade_schemes"),
        micro_credentials=of("micro_credentials"),
        scales={key: scales.get(key) for key in of("scales")},
    )


def _id(entry: Any) -> str | None:
    key = entry.get("id") if isinstance(entry, dict) else None
    return key if isinstance(key, str) else None


def shape(kind: type[BaseModel], value: Any, written: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """What is wrong with `value` as a `kind`, each place once; `written` stands at `path` of the file."""
    try:
        kind.model_validate(value)
    except ValidationError as error:
        found: dict[Path, str] = {}
        for detail in error.errors(include_url=False):
            found.setdefault((*path, *_place(detail, written)), _message(detail))
        yield from found.items()


def _place(detail: ErrorDetails, written: Any) -> Path:
    """The steps of pydantic's location that lead through the file: it also names the types it tried."""
    steps: list[str | int] = []
    last = len(detail["loc"]) - 1
    for position, step in enumerate(detail["loc"]):
        is_index = isinstance(written, list) and isinstance(step, int) and step < len(written)
        if is_index or (isinstance(written, dict) and step in written):
            written = written[step]
            steps.append(step)
        elif detail["type"] == "missing" and position == last:
            steps.append(step)
    return tuple(steps)


def _message(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "literal_error":
        return f"must be one of {context['expected'].replace(' or ', ', ')}"
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return next(
            (words for start, words in _PATTERN_WORDS.items() if pattern.startswith(start)), _PLAIN_NAME
        )
    if kind == "string_too_long":
        return f"may have {context['max_length']:,} characters"
    if kind == "too_short":
        return f"needs at least {context['min_length']}"
    if kind == "value_error":
        return str(context["error"])
    if kind in _WORDS:
        return _WORDS[kind]
    bounds = {"greater_than_equal": ("ge", "or more"), "less_than_equal": ("le", "or less")}
    if kind in bounds:
        name, words = bounds[kind]
        return f"must be {context[name]:,} {words}"
    return detail["msg"]


_PLAIN_NAME = "must be a short plain name in lower-case letters"
