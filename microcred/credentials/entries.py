"""One micro-credential or stack by itself, as an author writes it: YAML text to a checked document.

What a catalogue says once for all (issuers, scales, frameworks) is there already; the entry is checked
against it with the rules of a whole file, and every problem is named at its place in the author's own text.
"""

from collections.abc import Collection
from typing import Any, Literal

from microcred.credentials import checks
from microcred.credentials.errors import CatalogueRefused, Path, Problem
from microcred.credentials.parsing import known_ids, shape
from microcred.credentials.schema import CatalogueFile, MicroCredential, Stack
from microcred.credentials.yaml_text import Read, read

Kind = Literal["micro_credential", "stack"]
_DOCUMENTS: dict[Kind, type[MicroCredential] | type[Stack]] = {
    "micro_credential": MicroCredential,
    "stack": Stack,
}
_SECTIONS = ("issuers", "universities", "frameworks", "grade_schemes", "scales")


def parse_entry(
    text: str, kind: Kind, head: CatalogueFile, *, issuer: str, micro_credentials: Collection[str]
) -> MicroCredential | Stack:
    """The document in `text`. Raises CatalogueRefused with every problem, in the order of the text.

    `issuer` is whose entry it must be; `micro_credentials` are the ids a stack may name.
    """
    source = read(text)
    problems = list(source.problems)
    if not problems:
        problems = [
            Problem.at(path, message, source.lines)
            for path, message in _problems(source, kind, head, issuer, micro_credentials)
        ]
    if problems:
        raise CatalogueRefused(sorted(problems, key=lambda problem: problem.line or 0))
    return _DOCUMENTS[kind].model_validate(source.data)


def data_of(text: str) -> dict[str, Any] | None:
    """The members in `text`, right or wrong; None where it is no YAML with members."""
    found = read(text)
    return found.data if not found.problems and isinstance(found.data, dict) else None


def _problems(
    source: Read, kind: Kind, head: CatalogueFile, issuer: str, micro_credentials: Collection[str]
) -> list[tuple[Path, str]]:
    if not isinstance(source.data, dict):
        return [((), "An entry has members such as `id`, `title` and `parts`.")]
    broken = list(shape(_DOCUMENTS[kind], source.data, source.data, ()))
    if source.data.get("issuer") not in (None, issuer):
        broken.append((("issuer",), f"This draft belongs to `{issuer}`."))
    if broken:
        return broken
    ids: dict[str, list[str | None]] = {name: [item.id for item in getattr(head, name)] for name in _SECTIONS}
    ids["micro_credentials"] = list(micro_credentials)
    known = known_ids(ids, {scale.id: scale for scale in head.scales})
    document = _DOCUMENTS[kind].model_validate(source.data)
    if isinstance(document, Stack):
        return list(checks.check_stack(document, known, ()))
    return list(checks.check_credential(document, known, ()))
