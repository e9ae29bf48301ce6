"""The general path to canonical N-Quads: PyLD alone, with our bundled contexts and no web."""

from typing import Any

from pyld import jsonld

from microcred.badges.vocabulary import context_document


def general_nquads(document: dict[str, Any]) -> bytes:
    """What `linked_data.canonical_nquads` must give, byte for byte."""
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": _load}
    text: str = jsonld.normalize(document, options)
    return text.encode("utf-8")


def _load(url: str, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": context_document(url),
        "tag": "static",
    }
