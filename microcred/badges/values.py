"""Single values as badge documents hold them: text, addresses, moments, numbers.

Text from outside goes in as text: JSON needs no escaping. Control characters are left out, since verifiers
canonicalise them in different ways.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from microcred.badges.errors import FactsError

Document: TypeAlias = dict[str, Any]

TEST_NARRATIVE = (
    "Test badge. It was issued from an address that is not public on the internet, so that others cannot "
    "look up its issuer. It is not a record of achievement."
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_AN_ADDRESS = re.compile(r"[\x00-\x20\x7f<>\"{}|\\^`\ud800-\udfff]")


def text(value: str) -> str:
    """The text, which must not be empty. Raises FactsError `text_missing`."""
    cleaned = _CONTROLS.sub("", value).strip()
    if not cleaned:
        raise FactsError("text_missing", "a text that a badge must show is empty")
    return cleaned


def optional(value: str | None) -> str | None:
    """The text, or None where there is nothing to show."""
    return (_CONTROLS.sub("", value).strip() or None) if value else None


def address(value: str) -> str:
    """An absolute address as it is. Raises FactsError `address_invalid`."""
    try:
        parts = urlsplit(value)
    except ValueError as problem:
        raise FactsError("address_invalid", f"not an absolute address: {value!r}") from problem
    if not parts.scheme or not (parts.netloc or parts.path) or _NOT_IN_AN_ADDRESS.search(value):
        raise FactsError("address_invalid", f"not an absolute address: {value!r}")
    return value


def moment(value: datetime) -> str:
    """`2026-09-14T08:30:00Z`: in UTC and whole seconds. Raises FactsError `dates` without a zone."""
    if value.tzinfo is None:
        raise FactsError("dates", "a moment needs a time zone")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def optional_moment(value: datetime | None) -> str | None:
    return None if value is None else moment(value)


def number(value: float | None) -> float | None:
    """Whole numbers as such: 10.0 and 10 are signed alike, and 10 reads better."""
    return None if value is None else int(value) if float(value).is_integer() else value


def fragment(url: str, *names: str) -> str:
    """The address of a part of the document at `url`."""
    return f"{url}#{'/'.join(quote(name, safe='') for name in names)}"


def without_none(document: Mapping[str, Any]) -> Document:
    return {name: value for name, value in document.items() if value is not None}
