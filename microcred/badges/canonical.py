"""RDF Dataset Canonicalization (RDFC-1.0): names for the nodes without an id, the same for every reader.

Nearly every document has only nodes that differ in what is said of them directly; then the names follow
from one hash for each (section 4.4.3, step 4). That is done here on N-Quads as text, so that statements of
an earlier document can be used again. Where two nodes look alike, pyoxigraph does the whole algorithm.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import TypeAlias

import pyoxigraph as ox

from microcred.badges.errors import IntegrityError

Node: TypeAlias = str | int
"""An IRI or a literal as N-Quads writes it, or the number of a node without an id."""
Statement: TypeAlias = tuple[Node, str, Node, Node]
"""Subject, predicate, object, graph; the default graph is the empty text."""

# Canonicalization tries every order of nodes that look alike and speak of each other: four times six of them
# take 0.2 s, eight 5 s, and twenty no end. Those that do not speak of each other cost nothing.
_MAX_ALIKE_TOGETHER = 6
_MAX_ALIKE = 24

nameless = count().__next__
"""A new node without an id; the number is used once in this process, so parts can be put together."""


@dataclass(frozen=True)
class Part:
    """Statements about nodes that nothing outside the part speaks of, made ready once.

    `lines` name no node without an id; `statements` do; `hashes` are those nodes' (section 4.6).
    """

    lines: tuple[str, ...]
    statements: tuple[Statement, ...]
    hashes: Mapping[int, str]


def part(statements: Iterable[Statement]) -> Part:
    """Make a part ready. A statement that is said twice counts once."""
    lines: list[str] = []
    others: list[Statement] = []
    for statement in dict.fromkeys(statements):
        subject, _, value, graph = statement
        if type(subject) is str and type(value) is str and type(graph) is str:
            lines.append(_line(statement))
        else:
            others.append(statement)
    return Part(tuple(lines), tuple(others), _hashes(others))


def canonical_lines(parts: Sequence[Part]) -> bytes:
    """Sorted canonical N-Quads of the parts together, UTF-8. Raises IntegrityError `too_alike`."""
    hashes = {node: text for one in parts for node, text in one.hashes.items()}
    if len(set(hashes.values())) < len(hashes):
        return _of_alike(parts, hashes)
    ordered = sorted(hashes, key=hashes.__getitem__)
    names = {node: f"_:c14n{number}" for number, node in enumerate(ordered)}
    lines = [line for one in parts for line in one.lines]
    for one in parts:
        for subject, predicate, value, graph in one.statements:
            lines.append(
                _line(
                    (
                        names[subject] if type(subject) is int else subject,
                        predicate,
                        names[value] if type(value) is int else value,
                        names[graph] if type(graph) is int else graph,
                    )
                )
            )
    # Texts sort by code point, which is the order of their UTF-8.
    return "".join(sorted(set(lines))).encode("utf-8")


def _hashes(statements: Iterable[Statement]) -> dict[int, str]:
    """Hash First Degree Quads (section 4.6) of every node in them."""
    about: defaultdict[int, list[Statement]] = defaultdict(list)
    for statement in statements:
        subject, _, value, graph = statement
        for node in {one for one in (subject, value, graph) if type(one) is int}:
            about[node].append(statement)
    return {node: _first_degree(node, said) for node, said in about.items()}


def _first_degree(own: int, statements: Iterable[Statement]) -> str:
    lines = [
        _line(
            (
                subject if type(subject) is str else "_:a" if subject == own else "_:z",
                predicate,
                value if type(value) is str else "_:a" if value == own else "_:z",
                graph if type(graph) is str else "_:a" if graph == own else "_:z",
            )
        )
        for subject, predicate, value, graph in statements
    ]
    return sha256("".join(sorted(lines)).encode("utf-8")).hexdigest()


def _line(statement: Statement) -> str:
    subject, predicate, value, graph = statement
    return f"{subject} {predicate} {value} {graph} .\n" if graph else f"{subject} {predicate} {value} .\n"


def _of_alike(parts: Sequence[Part], hashes: Mapping[int, str]) -> bytes:
    sizes = [size for size in _sizes_of_groups(parts, hashes) if size > 1]
    if sizes and (max(sizes) > _MAX_ALIKE_TOGETHER or sum(sizes) > _MAX_ALIKE):
        raise IntegrityError("too_alike", "too many parts of the document are equal and have no id")
    lines = [line for one in parts for line in one.lines]
    for one in parts:
        for statement in one.statements:
            subject, predicate, value, graph = (
                f"_:b{node}" if type(node) is int else str(node) for node in statement
            )
            lines.append(_line((subject, predicate, value, graph)))
    dataset = ox.Dataset(ox.parse("".join(lines).encode("utf-8"), format=ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    made = ox.serialize(dataset, format=ox.RdfFormat.N_QUADS)
    assert made is not None  # serialize returns bytes when it is given no output
    # RDF text holds line feeds only as \n escapes, so every line is one statement.
    return b"".join(sorted(made.splitlines(keepends=True)))


def _sizes_of_groups(parts: Sequence[Part], hashes: Mapping[int, str]) -> Collection[int]:
    """Of the nodes that look like another one, the sizes of the groups that are linked by statements."""
    looks = Counter(hashes.values())
    group_of = {node: node for node, look in hashes.items() if looks[look] > 1}

    def top(node: int) -> int:
        while group_of[node] != node:
            node = group_of[node]
        return node

    for one in parts:
        for statement in one.statements:
            linked = [node for node in statement if type(node) is int and node in group_of]
            for node in linked[1:]:
                group_of[top(node)] = top(linked[0])
    return Counter(map(top, group_of)).values()
