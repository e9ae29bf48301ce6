"""Badges in SVG pictures: one file that carries both versions.

Each version asks for an element of its own as the root's first child, in a namespace bound to the prefix
`openbadges` (Open Badges Baking 2.0; OB 3.0, Document Formats, section 5.3.2). One prefix cannot mean two
things on one element, so the root binds it for OB 3.0 and the OB 2.0 element, next to it, binds it again for
itself: readers that look for namespaces and readers that look for the prefixed name both find theirs.
"""

from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from microcred.badges.baking import MAX_FILE, MAX_TEXT, BakedBadge
from microcred.badges.errors import BakingError

_SVG = "http://www.w3.org/2000/svg"
_OB2 = "http://openbadges.org"
_OB3 = "https://purl.imsglobal.org/ob/v3p0"
_ROOT = '<svg xmlns="http://www.w3.org/2000/svg" '
_MAX_DEPTH = 100


def bake_svg(svg: str, *, ob2: str, ob3: str, hosted: str) -> bytes:
    """The picture with both texts in it.

    `svg` is a picture as `art.badge_svg` draws it, without a badge; `hosted` is the address of the OB 2.0
    assertion, which readers of that version look up. Raises BakingError `not_an_svg`, `text_invalid`,
    `too_large`.
    """
    end = svg.find(">")
    if not svg.startswith(_ROOT) or end < 0:
        raise BakingError("not_an_svg", "the picture is not one of ours")
    if max(len(ob2), len(ob3)) > MAX_TEXT:
        raise BakingError("too_large", f"the badge's text has more than {MAX_TEXT} characters")
    baked = (
        f'{_ROOT}xmlns:openbadges="{_OB3}" {svg[len(_ROOT) : end]}>'
        f"<openbadges:credential>{_cdata(ob3)}</openbadges:credential>"
        f'<openbadges:assertion xmlns:openbadges="{_OB2}" verify={quoteattr(hosted)}>'
        f"{_cdata(ob2)}</openbadges:assertion>"
        f"{svg[end + 1 :]}"
    ).encode()
    extract_svg(baked)  # whatever the texts held, what leaves here can be read again
    return baked


def extract_svg(svg: bytes) -> BakedBadge:
    """What the picture carries: the text of each version (JSON or a compact token), or None.

    Raises BakingError `too_large`, `not_an_svg` (also with a document type, which could hide a bomb) and
    `badge_doubled`.
    """
    if len(svg) > MAX_FILE:
        raise BakingError("too_large", f"the picture has more than {MAX_FILE} bytes")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_document_type
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(svg, True)
    except (expat.ExpatError, ValueError) as problem:
        raise BakingError("not_an_svg", "the picture is not readable XML") from problem
    ob2 = reader.found.get(f"{_OB2} assertion")
    return BakedBadge(ob2=ob2, ob3=reader.found.get(f"{_OB3} credential"))


@dataclass
class _Reader:
    found: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    verify: str | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self.path and name != f"{_SVG} svg":
            raise BakingError("not_an_svg", "the file is not an SVG")
        if len(self.path) > _MAX_DEPTH:
            raise BakingError("not_an_svg", "the picture is nested too deeply")
        self.path.append(name)
        if self._in_badge():
            if name in self.found:
                raise BakingError("badge_doubled", "the picture carries two badges of one version")
            self.pieces, self.verify = [], attributes.get("verify")

    def text(self, text: str) -> None:
        if self._in_badge():
            self.pieces.append(text)

    def end(self, name: str) -> None:
        if self._in_badge():
            body = "".join(self.pieces).strip()
            self.found[name] = body or (self.verify or "").strip()
        self.path.pop()

    def _in_badge(self) -> bool:
        """Directly in a badge's element, itself a child of the root: nowhere else does one count."""
        return len(self.path) == 2 and self.path[1] in (f"{_OB2} assertion", f"{_OB3} credential")


def _cdata(text: str) -> str:
    # JSON may write > as an escape; so the end of the CDATA section never stands in it.
    return f"<![CDATA[{text.replace(']]>', ']]' + chr(92) + 'u003e')}]]>"


def _no_document_type(*_: object) -> None:
    raise BakingError("not_an_svg", "the picture declares a document type")
