"""Ribbon text as outlines, so that a badge looks the same on a machine without its font.

The font draws Latin, Greek and Cyrillic. A name in another script is not drawn (the badge shows its code
instead; the name is still in the picture's title, and in every document).
"""

import threading
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

_ELLIPSIS = "…"
_DRAWING = threading.Lock()


@dataclass(frozen=True)
class Line:
    """One line of text: `size` is the em in user units, `tracking` the extra space between letters."""

    text: str
    size: float
    tracking: float


@dataclass(frozen=True)
class _Font:
    font: TTFont
    letters: dict[int, str]
    advances: dict[str, tuple[int, int]]
    em: int

    def width(self, line: Line) -> float:
        advance = sum(self.advances[self.letters[ord(letter)]][0] for letter in line.text)
        return advance * line.size / self.em + line.tracking * max(len(line.text) - 1, 0)


def can_draw(text: str) -> bool:
    """Whether the font has every letter of the text."""
    return all(ord(letter) in _font().letters for letter in plain(text))


def plain(text: str) -> str:
    """The text in composed letters and single spaces, without control and formatting characters."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(" " if c.isspace() else c for c in composed if _shown(c)).split())


def fitted(text: str, *, width: float, largest: float, smallest_line: float, smallest: float) -> list[Line]:
    """The text in one line, or in two if one would be smaller than `smallest_line`; cut if still too long."""
    text = plain(text)
    size = _size(text, width, largest)
    if size >= smallest_line or " " not in text:
        if size >= smallest:
            return [Line(text, size, _tracking(size))]
        return [Line(_cut(text, width, smallest), smallest, 0)]
    first, second = _halves(text)
    size = min(_size(first, width, smallest_line), _size(second, width, smallest_line))
    if size < smallest:
        first, second = _filled(text, width, smallest)
        size = smallest
    return [Line(first, size, 0), Line(second, size, 0)]


@lru_cache(maxsize=1024)
def outline(line: Line, *, centre: float, baseline: float) -> str:
    """SVG path data of the line, centred on `centre`."""
    # The font's parts unfold as they are first drawn, and two threads must not unfold one at once.
    with _DRAWING:
        return _drawn(line, centre, baseline)


def _drawn(line: Line, centre: float, baseline: float) -> str:
    font = _font()
    scale = line.size / font.em
    place = centre - font.width(line) / 2
    glyphs = font.font.getGlyphSet()
    pen = SVGPathPen(glyphs, ntos=lambda value: f"{value:.2f}".rstrip("0").rstrip("."))
    for letter in line.text:
        name = font.letters[ord(letter)]
        glyphs[name].draw(TransformPen(pen, (scale, 0, 0, -scale, place, baseline)))
        place += font.advances[name][0] * scale + line.tracking
    return str(pen.getCommands())


@cache
def _font() -> _Font:
    source = resources.files("microcred.badges") / "fonts" / "roboto-bold-subset.ttf"
    with source.open("rb") as file:
        font = TTFont(file, lazy=False)
    return _Font(font, font.getBestCmap(), font["hmtx"].metrics, font["head"].unitsPerEm)


def _shown(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co")


def _tracking(size: float) -> float:
    return size / 50


def _size(text: str, width: float, largest: float) -> float:
    """The largest size, to a tenth, at which the text is no wider than `width`."""
    at_ten = _font().width(Line(text, 10, _tracking(10)))
    return min(largest, int(width / at_ten * 100) / 10) if at_ten else largest


def _halves(text: str) -> tuple[str, str]:
    """The text broken at the space that leaves the shorter longest line."""
    breaks = [place for place, letter in enumerate(text) if letter == " "]
    best = min(breaks, key=lambda place: max(_wide(text[:place]), _wide(text[place + 1 :])))
    return text[:best], text[best + 1 :]


def _filled(text: str, width: float, size: float) -> tuple[str, str]:
    """As many words as fit in the first line, the rest cut in the second."""
    words = text.split(" ")
    count = 1
    while count < len(words) and _wide(" ".join(words[: count + 1]), size) <= width:
        count += 1
    first, rest = " ".join(words[:count]), " ".join(words[count:])
    return _cut(first, width, size), _cut(rest, width, size)


def _cut(text: str, width: float, size: float) -> str:
    if _wide(text, size) <= width:
        return text
    while text and _wide(text + _ELLIPSIS, size) > width:
        text = text[:-1]
    return text.rstrip() + _ELLIPSIS


def _wide(text: str, size: float = 10) -> float:
    return _font().width(Line(text, size, 0))
