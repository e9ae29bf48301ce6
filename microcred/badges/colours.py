"""Colours of badge art: checked, mixed and kept apart enough to be seen."""

import re
from dataclasses import dataclass
from functools import lru_cache

from microcred.badges.errors import ArtError

CREAM = "#fffaf0"
INK = "#1b2530"
GOLD = "#d9a441"
_BLACK = "#000000"
_EARTH = "#3a1e00"  # the shadow side of a ribbon is warm
_READABLE = 4.5  # WCAG 2.2, 1.4.3
_VISIBLE = 2.0


@dataclass(frozen=True)
class Palette:
    """Every colour of one badge, worked out from its two catalogue colours."""

    primary: str
    edge: str
    accent: str
    paper: str
    deep: str
    light: str
    soft: str
    glow: str
    rim: str
    tail: str
    fold: str
    lettering: str


@lru_cache(maxsize=512)
def palette(primary: str, accent: str) -> Palette:
    """The palette. Raises ArtError `colour_invalid` unless both are `#rrggbb`."""
    primary, accent = checked(primary), checked(accent)
    paper = CREAM if contrast(primary, CREAM) >= _VISIBLE else INK
    # An accent that cannot be seen on the main colour would make half of the icon vanish.
    mark = accent if contrast(primary, accent) >= 1.3 else mix(accent, paper, 0.5)
    return Palette(
        primary=primary,
        edge=mix(primary, _BLACK, 0.32),
        accent=mark,
        paper=paper,
        deep=mix(primary, _BLACK, 0.25),
        light=mix(mark, paper, 0.45),
        soft=mix(primary, paper, 0.5),
        glow=mix(primary, "#ffffff", 0.1),
        rim=accent,
        tail=mix(accent, _EARTH, 0.3),
        fold=mix(accent, _EARTH, 0.58),
        lettering=_lettering(mix(primary, _BLACK, 0.45), accent),
    )


UNEARNED = Palette(
    primary="#f7f5f1",
    edge="#858b93",
    accent="#858b93",
    paper="#858b93",
    deep="#e3dfd7",
    light="#bcbdbd",
    soft="#d5d3cf",
    glow="#f7f5f1",
    rim="#858b93",
    tail="#858b93",
    fold="#858b93",
    lettering="#5f6975",
)


def checked(colour: str) -> str:
    """The colour in lower case. Raises ArtError `colour_invalid` unless it is `#rrggbb`."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
        raise ArtError("colour_invalid", "a colour must be # and six hexadecimal digits")
    return colour.lower()


def mix(colour: str, other: str, share: float) -> str:
    """`colour` with this share (0 to 1) of `other`."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2: 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _lettering(wanted: str, ribbon: str) -> str:
    if contrast(wanted, ribbon) >= _READABLE:
        return wanted
    # Of pure black and white, one always reaches 4.58.
    return max((_BLACK, "#ffffff"), key=lambda colour: contrast(colour, ribbon))


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [
        part / 12.92 if (part := value / 255) <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for value in _channels(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
