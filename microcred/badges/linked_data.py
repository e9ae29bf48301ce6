"""JSON-LD to canonical N-Quads, for the three contexts that badges and learner records are written in.

A general JSON-LD processor spends most of its time finding out, for every document anew, what the
contexts say. Ours are fixed and bundled, and read once into tables (`vocabulary`); this module walks a
document along them. Statements about the achievement, which everybody who earned it shares, are made once
and kept. The tests hold the output against PyLD's general path, byte for byte.

It is also the "safe mode": a member that no context defines would be shown to a reader without being covered
by the signature, so anything that does not become a statement is refused, never dropped.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import pyoxigraph as ox

from microcred.badges.canonical import Node, Part, Statement, canonical_lines, nameless, part
from microcred.badges.errors import IntegrityError
from microcred.badges.vocabulary import Context, Term, active, context_names

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TYPE, _FIRST, _REST, _NIL = (f"<{_RDF}{name}>" for name in ("type", "first", "rest", "nil"))
_BOOLEAN, _INTEGER, _DOUBLE = (
    ox.NamedNode("http://www.w3.org/2001/XMLSchema#" + name) for name in ("boolean", "integer", "double")
)
_ABSOLUTE_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
_MAX_DEPTH = 32
_MAX_STATEMENTS = 5000
# Beyond this, JSON numbers are not exact in every reader, and their text in RDF would differ.
_MAX_NUMBER = 2**53

_Key: TypeAlias = tuple[Context, int, str]
_KEPT: dict[_Key, tuple[Node, Part]] = {}
"""Achievements that were walked before, by where and how they stand in a document."""
_MOST_KEPT = 64
_LONGEST_KEPT = 256 * 1024


def canonical_nquads(document: Mapping[str, Any], *, context: tuple[str, ...] | None = None) -> bytes:
    """The document as sorted canonical N-Quads, UTF-8, each line ended by a line feed (RDFC-1.0).

    `document` is JSON whose `@context` is a list of bundled context addresses, and so are those of
    credentials inside it; `context` stands in for a document without one (a proof). Raises IntegrityError:
    `context_unknown`, `term_undefined`, `value_unsupported`, `iri_invalid`, `too_large`, `too_alike`.
    """
    names = context_names(document) if context is None else context
    return canonical_lines(_Walk().document(document, active(names)))


class _Walk:
    """One document's way to statements. Nodes without an id get numbers; canonicalisation names them."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.kept: dict[_Key, Part] = {}
        self.elsewhere = 0
        """How many statements there are beside `statements`."""

    def document(self, document: Mapping[str, Any], context: Context) -> list[Part]:
        try:
            self.node(document, context, "", 0)
        except ValueError as problem:  # pyoxigraph: an IRI or a text that RDF cannot hold
            raise IntegrityError("iri_invalid", str(problem)) from problem
        return [part(self.statements), *self.kept.values()]

    def node(self, node: Mapping[str, Any], context: Context, graph: Node, depth: int) -> Node:
        if depth > _MAX_DEPTH or len(self.statements) + self.elsewhere > _MAX_STATEMENTS:
            raise IntegrityError("too_large", "the document is nested too deeply or says too much")
        if depth and "@context" in node:
            context = context.with_named(context_names(node))
        types = _types(node.get("type"))
        typed = context.for_types(types) if types else context
        subject: Node = _iri(node["id"]) if "id" in node else nameless()
        for name in types:
            self.statements.append((subject, _TYPE, _type_iri(context, name), graph))
        for name, value in node.items():
            if name in ("id", "type", "@context"):
                continue
            term = typed.terms.get(name)
            if term is None or term.predicate is None:
                raise IntegrityError("term_undefined", f"{name!r} is not defined by the document's contexts")
            scope = typed.for_property(name, term)
            if term.container == "@list":
                items = [self.list(value, term, scope, graph, depth)]
            else:
                items = [self.value(item, term, scope, graph, depth) for item in _items(name, value)]
            self.statements += [(subject, term.predicate, item, graph) for item in items]
        return subject

    def value(self, value: Any, term: Term, scope: Context, graph: Node, depth: int) -> Node:
        """The RDF term for one value of a property (JSON-LD 1.1 API 5.3 and 8.2)."""
        if isinstance(value, dict):
            if term.container == "@graph":
                named = nameless()
                self.node(value, scope, named, depth + 1)
                return named
            if graph == "" and value.get("type") in ("Achievement", ["Achievement"]) and "id" in value:
                return self.achievement(value, scope, depth + 1)
            return self.node(value, scope, graph, depth + 1)
        if term.container == "@graph" or term.type == "@json":
            raise IntegrityError("value_unsupported", f"{term.iri} needs a JSON object")
        if isinstance(value, str):
            return _text(value, term, scope)
        if term.type in ("@id", "@vocab"):
            raise IntegrityError("value_unsupported", f"{term.iri} needs an address")
        if isinstance(value, bool):
            return str(ox.Literal("true" if value else "false", datatype=term.datatype or _BOOLEAN))
        if isinstance(value, int | float):
            return _number(value, term)
        raise IntegrityError("value_unsupported", f"{term.iri} has a value that would not be signed")

    def achievement(self, node: Mapping[str, Any], scope: Context, depth: int) -> Node:
        """What everybody who earned it shares: its statements are made once and kept. It has an id, so
        nothing outside speaks of its nodes without one; a second one in the same document is made anew.
        """
        try:
            key = (scope, depth, json.dumps(node))
        except (TypeError, ValueError, RecursionError):
            return self.node(node, scope, "", depth)
        if key in self.kept or len(key[2]) > _LONGEST_KEPT:
            return self.node(node, scope, "", depth)
        known = _KEPT.get(key)
        if known is None:
            outside, self.statements = self.statements, []
            self.elsewhere += len(outside)
            subject = self.node(node, scope, "", depth)
            known = subject, part(self.statements)
            self.statements, self.elsewhere = outside, self.elsewhere - len(outside)
            if len(_KEPT) >= _MOST_KEPT:
                _KEPT.clear()
            _KEPT[key] = known
        subject, self.kept[key] = known
        self.elsewhere += len(known[1].lines) + len(known[1].statements)
        return subject

    def list(self, value: Any, term: Term, scope: Context, graph: Node, depth: int) -> Node:
        head: Node = _NIL
        for item in reversed(value if isinstance(value, list) else [value]):
            cell = nameless()
            self.statements.append((cell, _FIRST, self.value(item, term, scope, graph, depth), graph))
            self.statements.append((cell, _REST, head, graph))
            head = cell
        return head


def _items(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        return [value]
    if not value:
        raise IntegrityError("value_unsupported", f"{name!r} is an empty list, which no signature covers")
    return value


def _types(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    types = tuple(value) if isinstance(value, list) else (value,)
    if not types or not all(isinstance(name, str) for name in types):
        raise IntegrityError("value_unsupported", "a type must be text or a list of texts")
    return types


def _type_iri(context: Context, name: str) -> str:
    term = context.terms.get(name)
    if term is not None and term.predicate is not None:
        return term.predicate
    if term is None and name.startswith(("https://", "http://", "urn:")):
        return str(ox.NamedNode(name))
    raise IntegrityError("term_undefined", f"the type {name!r} is not defined by the document's contexts")


def _iri(value: Any) -> str:
    if not isinstance(value, str) or not _ABSOLUTE_IRI.match(value):
        raise IntegrityError("iri_invalid", "an id must be an absolute address")
    return str(ox.NamedNode(value))


def _text(value: str, term: Term, scope: Context) -> str:
    if term.type == "@vocab":
        return _type_iri(scope, value)
    if term.type == "@id":
        return _iri(value)
    return str(ox.Literal(value, datatype=term.datatype) if term.datatype else ox.Literal(value))


def _number(value: int | float, term: Term) -> str:
    """As every JSON reader sees numbers: 2.0 is 2, and only fractions are doubles (JSON-LD 1.1 API 8.2)."""
    if not abs(value) < _MAX_NUMBER:  # also NaN and the infinities
        raise IntegrityError("value_unsupported", "a number is too large to be signed exactly")
    if float(value).is_integer():
        return str(ox.Literal(str(int(value)), datatype=term.datatype or _INTEGER))
    mantissa, exponent = f"{value:.15E}".split("E")
    digits = mantissa.rstrip("0")
    text = f"{digits}{'0' if digits.endswith('.') else ''}E{int(exponent)}"
    return str(ox.Literal(text, datatype=term.datatype or _DOUBLE))
