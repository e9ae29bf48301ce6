"""What somebody handed in, as a badge: JSON, a signed token, or a picture that carries either."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Literal
from xml.parsers import expat

from microcred.badges.baking import BakedBadge, extract
from microcred.badges.baking_svg import extract_svg
from microcred.badges.errors import BakingError

MAX_BYTES = 8 * 1024 * 1024
_MAX_TEXT = 1024 * 1024
Version = Literal["2.0", "3.0"]


class NotABadge(Exception):
    """What was handed in cannot be read as a badge. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Given:
    """A badge that was read: a document, or a token whose payload is `document`. Nothing of it is checked."""

    version: Version
    document: dict[str, Any]
    token: str | None = None


def read(data: bytes) -> Given:
    """The badge in a file; of a picture with both versions the newer one.

    Raises NotABadge: `too_large`, `no_badge_inside`, `not_readable`, `not_a_badge`, or a picture's own code.
    """
    if len(data) > MAX_BYTES:
        raise NotABadge("too_large")
    if data.startswith(b"\x89PNG"):
        return _baked(lambda: extract(data))
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<"):
        if has_script(text):
            raise NotABadge("svg_with_script")
        return _baked(lambda: extract_svg(text))
    if len(text) > _MAX_TEXT:
        raise NotABadge("too_large")
    try:
        return read_text(text.decode())
    except UnicodeDecodeError as problem:
        raise NotABadge("not_readable") from problem


def read_text(text: str) -> Given:
    """The badge in a text: JSON or a compact token. Raises NotABadge."""
    text = text.strip()
    if text.count(".") == 2 and not text.startswith("{"):
        return _of(_payload(text), text)
    return _of(_object(text), None)


def _baked(reader: Any) -> Given:
    try:
        inside: BakedBadge = reader()
    except BakingError as problem:
        raise NotABadge(problem.code) from problem
    text = inside.ob3 or inside.ob2
    if not text:
        raise NotABadge("no_badge_inside")
    return read_text(text)


def has_script(svg: bytes) -> bool:
    """Whether a picture would do something where it is shown: a badge's picture has no reason to."""
    found = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal found
        names = [one.rpartition(":")[2].lower() for one in attributes]
        values = [value.strip().lower() for value in attributes.values()]
        found = (
            found
            or name.rpartition(":")[2].lower() in ("script", "foreignobject", "handler")
            or any(one.startswith("on") for one in names)
            or any(value.startswith(("javascript:", "data:text/html")) for value in values)
        )

    def no_document_type(*_: object) -> None:
        raise NotABadge("not_an_svg")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = no_document_type
    try:
        parser.Parse(svg, True)
    except (expat.ExpatError, ValueError) as problem:
        raise NotABadge("not_an_svg") from problem
    return found


def _payload(token: str) -> dict[str, Any]:
    body = token.split(".")[1].encode("ascii", "replace")
    try:
        return _object(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)).decode())
    except (binascii.Error, ValueError) as problem:
        raise NotABadge("not_readable") from problem


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise NotABadge("not_readable") from problem
    if not isinstance(value, dict):
        raise NotABadge("not_a_badge")
    return value


def _of(document: dict[str, Any], token: str | None) -> Given:
    nested = document.get("vc")  # tokens of the older data model
    credential = nested if token and isinstance(nested, dict) else document
    types = credential.get("type")
    names = types if isinstance(types, list) else [types]
    if "VerifiableCredential" in names and {"OpenBadgeCredential", "AchievementCredential"} & set(
        map(str, names)
    ):
        return Given("3.0", credential, token)
    if "Assertion" in names:
        return Given("2.0", document, token)
    raise NotABadge("not_a_badge")
