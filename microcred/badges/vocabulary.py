"""What the bundled JSON-LD contexts say, read once into tables.

Badges and learner records are written in three contexts (`contexts/`), which use a small part of JSON-LD
1.1: term definitions with a type and a container, and scoped contexts.
"""

import json
from collections.abc import Mapping
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

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Term:
    """A term as a context defines it; `type` and `container` are JSON-LD's words."""

    iri: str
    predicate: str | None
    """As N-Quads writes it: `<iri>`."""
    type: str | None
    datatype: ox.NamedNode | None
    container: str | None
    context: Mapping[str, Any] | None
    protected: bool = field(compare=False)


@dataclass(eq=False)
class Context:
    """An active context. Scoped ones are derived once and kept, so a known shape costs only look-ups."""

    terms: dict[str, Term]
    previous: "Context | None" = None
    by_types: dict[tuple[str, ...], "Context"] = field(default_factory=dict)
    by_property: dict[str, "Context"] = field(default_factory=dict)
    by_names: dict[tuple[str, ...], "Context"] = field(default_factory=dict)

    def with_named(self, names: tuple[str, ...]) -> "Context":
        """With bundled contexts that a credential inside another one names for itself (5.1.2, step 9)."""
        known = self.by_names.get(names)
        if known is None:
            terms = self.terms
            for name in names:
                terms = _extended(terms, context_document(name)["@context"], may_override=False)
            known = self.by_names[names] = Context(terms)
        return known

    def for_types(self, types: tuple[str, ...]) -> "Context":
        """With the types' own terms, in lexical order; they end at the next node (JSON-LD 1.1 API 5.1.2)."""
        own = tuple([name for name in types if (term := self.terms.get(name)) and term.context is not None])
        if not own:
            return self
        known = self.by_types.get(own)
        if known is None:
            terms = self.terms
            for name in sorted(set(own)):
                terms = _extended(terms, self.terms[name].context or {}, may_override=False)
            known = self.by_types[own] = Context(terms, previous=self)
        return known

    def for_property(self, name: str, term: Term) -> "Context":
        """For the values of `name`: back to before the type's own terms, then the property's own."""
        known = self.by_property.get(name)
        if known is None:
            known = self.previous or self
            if term.context is not None:
                known = Context(_extended(known.terms, term.context, may_override=True))
            self.by_property[name] = known
        return known


def context_document(url: str) -> Json:
    """The bundled context at this address, as JSON. Raises IntegrityError `context_unknown`."""
    if url not in _FILES:
        raise IntegrityError("context_unknown", f"{url!r} is not a bundled context")
    text = (resources.files("microcred.badges") / "contexts" / _FILES[url]).read_text("utf-8")
    loaded: Json = json.loads(text)
    return loaded


def context_names(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The contexts that a document names. Raises IntegrityError `context_unknown`."""
    names = document.get("@context")
    listed = tuple(names) if isinstance(names, list) and names else (names,)
    # As many as there are and one more: every order of them is kept for good once it was read.
    if len(listed) > len(_FILES) + 1 or not all(isinstance(one, str) and one in _FILES for one in listed):
        raise IntegrityError("context_unknown", "a document's @context must list bundled contexts only")
    return listed


@cache
def active(names: tuple[str, ...]) -> Context:
    """The context of a document that names these, in this order."""
    terms: dict[str, Term] = {}
    for name in names:
        terms = _extended(terms, context_document(name)["@context"], may_override=False)
    return Context(terms)


def _extended(terms: dict[str, Term], local: Mapping[str, Any], *, may_override: bool) -> dict[str, Term]:
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


def _term(name: str, definition: Any, local: Mapping[str, Any], protected: bool) -> Term:
    if isinstance(definition, str):
        definition = {"@id": definition}
    known = {"@id", "@type", "@container", "@context", "@protected"}
    if name.startswith("@") or not isinstance(definition, dict) or not definition.keys() <= known:
        raise IntegrityError("context_unknown", f"{name!r} is defined in a way we do not read")
    iri: str = definition["@id"]
    if iri in local:  # an alias of another term, as AchievementCredential is
        iri = local[iri]["@id"]
    kind = definition.get("@type")
    return Term(
        iri=iri,
        predicate=None if iri.startswith("@") else f"<{iri}>",
        type=kind,
        datatype=None if kind is None or kind.startswith("@") else ox.NamedNode(kind),
        container=definition.get("@container"),
        context=definition.get("@context"),
        protected=bool(definition.get("@protected", protected)),
    )
