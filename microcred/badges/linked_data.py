"""JSON-LD to canonical N-Quads, for the three contexts that badges and learner records are written in.

A general JSON-LD processor spends most of its time finding out, for every document anew, what the
contexts say. Ours are fixed and bundled (`contexts/`), and they use a small part of JSON-LD 1.1: term
definitions with a type and a container, and scoped contexts. This module reads them once into tables and
walks a document along them; RDF Dataset Canonicalization (RDFC-1.0) is done by pyoxigraph. The tests hold
its output against PyLD's general path, byte for byte.

It is also the "safe mode": a member that no context defines would be shown to a reader without being covered
by the signature, so anything that does not become a statement is refused, never dropped.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

import pyoxigraph as ox

from microcred.badges.errors import IntegrityError

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES_3 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
LEARNER_RECORD_2 = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"

_FILES = {
    CREDENTIALS_V2: "credentials-v2.json",
    OPEN_BADGES_3: "open-badges-3.0.3.json",
    LEARNER_RECORD_2: "clr-2.0.1.json",
}
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TYPE, _FIRST, _REST, _NIL = (ox.NamedNode(_RDF + name) for name in ("type", "first", "rest", "nil"))
_BOOLEAN, _INTEGER, _DOUBLE = (
    ox.NamedNode("http://www.w3.org/2001/XMLSchema#" + name) for name in ("boolean", "integer", "double")
)
_ABSOLUTE_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
_MAX_DEPTH = 32
_MAX_QUADS = 5000
# Canonicalization tries every order of nodes without an id that look alike: 20 can take 30 s.
_MAX_ALIKE = 8
# Beyond this, JSON numbers are not exact in every reader, and their text in RDF would differ.
_MAX_NUMBER = 2**53

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class _Term:
    iri: str
    predicate: ox.NamedNode | None
    type: str | None
    datatype: ox.NamedNode | None
    container: str | None
    context: Mapping[str, Any] | None
    protected: bool = field(compare=False)


@dataclass(eq=False)
class _Context:
    """An active context. Scoped ones are derived once and kept, so a known shape costs only look-ups."""

    terms: dict[str, _Term]
    previous: "_Context | None" = None
    by_types: dict[tuple[str, ...], "_Context"] = field(default_factory=dict)
    by_property: dict[str, "_Context"] = field(default_factory=dict)
    by_names: dict[tuple[str, ...], "_Context"] = field(default_factory=dict)

    def with_named(self, names: tuple[str, ...]) -> "_Context":
        """With bundled contexts that a credential inside another one names for itself (5.1.2, step 9)."""
        known = self.by_names.get(names)
        if known is None:
            terms = self.terms
            for name in names:
                terms = _extended(terms, context_document(name)["@context"], may_override=False)
            known = self.by_names[names] = _Context(terms)
        return known

    def for_types(self, types: tuple[str, ...]) -> "_Context":
        """With the types' own terms, in lexical order; they end at the next node (JSON-LD 1.1 API 5.1.2)."""
        known = self.by_types.get(types)
        if known is None:
            terms = self.terms
            for name in sorted(types):
                term = self.terms.get(name)
                if term is not None and term.context is not None:
                    terms = _extended(terms, term.context, may_override=False)
            known = self if terms is self.terms else _Context(terms, previous=self)
            self.by_types[types] = known
        return known

    def for_property(self, name: str, term: _Term) -> "_Context":
        """For the values of `name`: back to before the type's own terms, then the property's own."""
        known = self.by_property.get(name)
        if known is None:
            known = self.previous or self
            if term.context is not None:
                known = _Context(_extended(known.terms, term.context, may_override=True))
            self.by_property[name] = known
        return known


def canonical_nquads(document: Mapping[str, Any], *, context: tuple[str, ...] | None = None) -> bytes:
    """The document as sorted canonical N-Quads, UTF-8, each line ended by a line feed (RDFC-1.0).

    `document` is JSON whose `@context` is a list of bundled context addresses, and so are those of
    credentials inside it; `context` stands in for a document without one (a proof). Raises IntegrityError:
    `context_unknown`, `term_undefined`, `value_unsupported`, `iri_invalid`, `too_large`, `too_alike`.
    """
    names = tuple(_context_names(document)) if context is None else context
    quads = list(_Walk().document(document, _active(names)))
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    lines = ox.serialize(dataset, format=ox.RdfFormat.N_QUADS)
    assert lines is not None  # serialize returns bytes when it is given no output
    # RDF text holds line feeds only as \n escapes, so every line is one statement.
    return b"".join(sorted(lines.splitlines(keepends=True)))


def context_document(url: str) -> Json:
    """The bundled context at this address, as JSON. Raises IntegrityError `context_unknown`."""
    if url not in _FILES:
        raise IntegrityError("context_unknown", f"{url!r} is not a bundled context")
    text = (resources.files("microcred.badges") / "contexts" / _FILES[url]).read_text("utf-8")
    loaded: Json = json.loads(text)
    return loaded


def _context_names(document: Mapping[str, Any]) -> Iterator[str]:
    names = document.get("@context")
    for name in names if isinstance(names, list) and names else [names]:
        if not isinstance(name, str) or name not in _FILES:
            raise IntegrityError("context_unknown", "a document's @context must list bundled contexts only")
        yield name


@cache
def _active(names: tuple[str, ...]) -> _Context:
    terms: dict[str, _Term] = {}
    for name in names:
        terms = _extended(terms, context_document(name)["@context"], may_override=False)
    return _Context(terms)


def _extended(terms: dict[str, _Term], local: Mapping[str, Any], *, may_override: bool) -> dict[str, _Term]:
    """`terms` with a local context's definitions laid over them (JSON-LD 1.1 API 4.1 and 4.2)."""
    result = dict(terms)
    all_protected = bool(local.get("@protected", False))
    for name, definition in local.items():
        if name == "@protected":
            continue
        term = _term(name, definition, local, all_protected)
        old = terms.get(name)
        if old is not None and old.protected and not may_override:
            if old != term:
                raise IntegrityError("context_unknown", f"the contexts define {name!r} in two ways")
            term = old
        result[name] = term
    return result


def _term(name: str, definition: Any, local: Mapping[str, Any], protected: bool) -> _Term:
    if isinstance(definition, str):
        definition = {"@id": definition}
    known = {"@id", "@type", "@container", "@context", "@protected"}
    if name.startswith("@") or not isinstance(definition, dict) or not definition.keys() <= known:
        raise IntegrityError("context_unknown", f"{name!r} is defined in a way we do not read")
    iri: str = definition["@id"]
    if iri in local:  # an alias of another term, as AchievementCredential is
        iri = local[iri]["@id"]
    kind = definition.get("@type")
    return _Term(
        iri=iri,
        predicate=None if iri.startswith("@") else ox.NamedNode(iri),
        type=kind,
        datatype=None if kind is None or kind.startswith("@") else ox.NamedNode(kind),
        container=definition.get("@container"),
        context=definition.get("@context"),
        protected=bool(definition.get("@protected", protected)),
    )


_Node: TypeAlias = ox.NamedNode | ox.BlankNode
_Graph: TypeAlias = ox.BlankNode | None


_Key: TypeAlias = tuple[_Context, int, str]
_KEPT: dict[_Key, tuple[Any, list[ox.Quad], dict[Any, frozenset[Any]]]] = {}
"""Achievements that were walked before, by where and how they stand in a document."""
_MOST_KEPT = 64


class _Walk:
    """One document's way to statements. Nodes without an id get blank nodes; canonicalisation names them."""

    def __init__(self) -> None:
        self.quads: list[ox.Quad] = []
        self.nameless: defaultdict[_Node, set[tuple[ox.NamedNode, Any]]] = defaultdict(set)
        self.shared: set[_Key] = set()

    def document(self, document: Mapping[str, Any], context: _Context) -> list[ox.Quad]:
        try:
            self.node(document, context, None, 0)
        except ValueError as problem:  # pyoxigraph: an IRI or a text that RDF cannot hold
            raise IntegrityError("iri_invalid", str(problem)) from problem
        looks = Counter(map(frozenset, self.nameless.values()))
        if sum(count for count in looks.values() if count > 1) > _MAX_ALIKE:
            raise IntegrityError("too_alike", "too many parts of the document are equal and have no id")
        return self.quads

    def node(self, node: Mapping[str, Any], context: _Context, graph: _Graph, depth: int) -> _Node:
        if depth > _MAX_DEPTH or len(self.quads) > _MAX_QUADS:
            raise IntegrityError("too_large", "the document is nested too deeply or says too much")
        if depth and "@context" in node:
            context = context.with_named(tuple(_context_names(node)))
        types = _types(node.get("type"))
        typed = context.for_types(types) if types else context
        subject: _Node = _iri(node["id"]) if "id" in node else ox.BlankNode()
        for name in types:
            self.add(subject, _TYPE, _type_iri(context, name), graph)
        for name, value in node.items():
            if name in ("id", "type", "@context"):
                continue
            term = typed.terms.get(name)
            if term is None or term.predicate is None:
                raise IntegrityError("term_undefined", f"{name!r} is not defined by the document's contexts")
            scope = typed.for_property(name, term)
            if term.container == "@list":
                self.add(subject, term.predicate, self.list(value, term, scope, graph, depth), graph)
                continue
            for item in _items(name, value):
                self.add(subject, term.predicate, self.value(item, term, scope, graph, depth), graph)
        return subject

    def value(self, value: Any, term: _Term, scope: _Context, graph: _Graph, depth: int) -> Any:
        """The RDF term for one value of a property (JSON-LD 1.1 API 5.3 and 8.2)."""
        if isinstance(value, dict):
            if term.container == "@graph":
                named = ox.BlankNode()
                self.node(value, scope, named, depth + 1)
                return named
            if graph is None and value.get("type") in ("Achievement", ["Achievement"]):
                return self.achievement(value, scope, depth + 1)
            return self.node(value, scope, graph, depth + 1)
        if term.container == "@graph" or term.type == "@json":
            raise IntegrityError("value_unsupported", f"{term.iri} needs a JSON object")
        if isinstance(value, str):
            return _text(value, term, scope)
        if term.type in ("@id", "@vocab"):
            raise IntegrityError("value_unsupported", f"{term.iri} needs an address")
        if isinstance(value, bool):
            return ox.Literal("true" if value else "false", datatype=term.datatype or _BOOLEAN)
        if isinstance(value, int | float):
            return _number(value, term)
        raise IntegrityError("value_unsupported", f"{term.iri} has a value that would not be signed")

    def achievement(self, node: Mapping[str, Any], scope: _Context, depth: int) -> _Node:
        """What everybody who earned it shares: its statements are made once and kept. Its nodes without an id
        may stand in one document once only, so a second one in the same document is made anew.
        """
        try:
            key = (scope, depth, json.dumps(node))
        except (TypeError, ValueError, RecursionError):
            return self.node(node, scope, None, depth)
        if key in self.shared:
            return self.node(node, scope, None, depth)
        self.shared.add(key)
        known = _KEPT.get(key)
        if known is None:
            begin = len(self.quads)
            subject = self.node(node, scope, None, depth)
            made = self.quads[begin:]
            own = {quad.subject for quad in made if isinstance(quad.subject, ox.BlankNode)}
            if len(_KEPT) >= _MOST_KEPT:
                _KEPT.clear()
            _KEPT[key] = subject, made, {one: frozenset(self.nameless[one]) for one in own}
            return subject
        found: _Node
        found, made, nameless = known
        self.quads += made
        for one, looks in nameless.items():
            self.nameless[one] |= looks
        return found

    def list(self, value: Any, term: _Term, scope: _Context, graph: _Graph, depth: int) -> _Node:
        head: _Node = _NIL
        for item in reversed(value if isinstance(value, list) else [value]):
            cell = ox.BlankNode()
            self.add(cell, _FIRST, self.value(item, term, scope, graph, depth), graph)
            self.add(cell, _REST, head, graph)
            head = cell
        return head

    def add(self, subject: _Node, predicate: ox.NamedNode, value: Any, graph: _Graph) -> None:
        # Naming the default graph makes pyoxigraph four times as slow as leaving it out.
        quad = ox.Quad(subject, predicate, value, graph) if graph else ox.Quad(subject, predicate, value)
        self.quads.append(quad)
        if isinstance(subject, ox.BlankNode):
            self.nameless[subject].add((predicate, None if isinstance(value, ox.BlankNode) else value))


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


def _type_iri(context: _Context, name: str) -> ox.NamedNode:
    term = context.terms.get(name)
    if term is not None and term.predicate is not None:
        return term.predicate
    if term is None and name.startswith(("https://", "http://", "urn:")):
        return ox.NamedNode(name)
    raise IntegrityError("term_undefined", f"the type {name!r} is not defined by the document's contexts")


def _iri(value: Any) -> ox.NamedNode:
    if not isinstance(value, str) or not _ABSOLUTE_IRI.match(value):
        raise IntegrityError("iri_invalid", "an id must be an absolute address")
    return ox.NamedNode(value)


def _text(value: str, term: _Term, scope: _Context) -> ox.NamedNode | ox.Literal:
    if term.type == "@vocab":
        return _type_iri(scope, value)
    if term.type == "@id":
        return _iri(value)
    return ox.Literal(value, datatype=term.datatype) if term.datatype else ox.Literal(value)


def _number(value: int | float, term: _Term) -> ox.Literal:
    """As every JSON reader sees numbers: 2.0 is 2, and only fractions are doubles (JSON-LD 1.1 API 8.2)."""
    if not abs(value) < _MAX_NUMBER:  # also NaN and the infinities
        raise IntegrityError("value_unsupported", "a number is too large to be signed exactly")
    if float(value).is_integer():
        return ox.Literal(str(int(value)), datatype=term.datatype or _INTEGER)
    mantissa, exponent = f"{value:.15E}".split("E")
    digits = mantissa.rstrip("0")
    text = f"{digits}{'0' if digits.endswith('.') else ''}E{int(exponent)}"
    return ox.Literal(text, datatype=term.datatype or _DOUBLE)
