"""Badge art, drawn from the catalogue: shape in the main colour, two-tone icon, ribbon in the accent colour.

The edge is the level: a cream line for a micro-credential, gold with beads for a stack. From 150 px up
the ribbon holds the name, below that the code; a tiny badge is shape and icon alone. A badge that is not
yet earned is a dashed outline with a grey icon. It is plain SVG without script, styles, text elements or
outside references.
"""

import math
import re
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from importlib import resources
from string import Template
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

import resvg_py

from microcred.badges import lettering
from microcred.badges.colours import CREAM, GOLD, UNEARNED, Palette, palette
from microcred.badges.errors import ArtError

Shape = Literal["hexagon", "shield", "circle"]
Size = Literal["full", "small", "tiny"]
Level = Literal["credential", "stack"]

FALLBACK_ICON = "star"
_CENTRE_X, _CENTRE_Y = 120, 118
_MAX_PIXELS = 2048
_ICON_NAME = re.compile("[a-z0-9][a-z0-9-]{0,59}")
# From bead to bead, so that a whole number of them fills each outline.
_BEAD_STEP = {"hexagon": 11.327, "shield": 11.332, "circle": 11.295}
# Where the icon sits: centre height and scale, by shape; a stack's wider edge leaves less room.
_ICON_PLACE = {"hexagon": (97, 0.82), "shield": (98, 0.9), "circle": (94, 0.98)}
_ICON_PLACE_IN_STACK = {"hexagon": (99, 0.78), "shield": (99, 0.8), "circle": (95, 0.88)}
_VIEW_BOX = {"full": (0, 0, 240, 252), "small": (0, 0, 240, 252), "tiny": (8, 6, 224, 224)}


@dataclass(frozen=True)
class ArtFacts:
    """What the catalogue says about a badge's look. `level` is `credential` or `stack`."""

    name: str
    code: str
    shape: Shape
    primary_colour: str
    accent_colour: str
    icon: str
    alt: str = ""
    level: Level = "credential"


def badge_svg(
    facts: ArtFacts,
    size: Size = "full",
    *,
    earned: bool = True,
    width: int | None = None,
    key: str = "badge",
) -> str:
    """The badge as a complete `<svg>` element, to be written into a page or a file.

    `width` is in pixels (the height follows; without it the picture fills its box). `key` must differ
    between badges that stand on one page: it names the clipping shape. Raises ArtError `colour_invalid`,
    `shape_unknown`, `key_invalid`.
    """
    if facts.shape not in _ICON_PLACE:
        raise ArtError("shape_unknown", "a badge is a hexagon, a shield or a circle")
    if not _ICON_NAME.fullmatch(key):
        raise ArtError("key_invalid", "a key is made of lower-case letters, digits and hyphens")
    colours = palette(facts.primary_colour, facts.accent_colour)
    if not earned:
        parts, box = _outline_only(facts), (0, 0, 240, 236)
    elif size == "tiny":
        parts, box = _tiny(facts, colours), _VIEW_BOX[size]
    else:
        parts, box = _whole(facts, colours, size, key), _VIEW_BOX[size]
    left, top, wide, high = box
    measures = f' width="{width}" height="{round(width * high / wide)}"' if width else ""
    label = facts.alt or facts.name
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="badge-art"{measures} '
        f'viewBox="{left} {top} {wide} {high}" '
        f'role="img" aria-label={quoteattr(_visible(label))}>'
        f"<title>{escape(_visible(facts.name))}</title>{parts}</svg>"
    )


def badge_png(svg: str, px: int) -> bytes:
    """The picture `px` wide as PNG, transparent outside the badge. Raises ArtError `size_invalid`."""
    if not 16 <= px <= _MAX_PIXELS:
        raise ArtError("size_invalid", f"a badge picture is 16 to {_MAX_PIXELS} px wide")
    # No font is looked for: the lettering is outlines, and a machine's fonts must not change a picture.
    return resvg_py.svg_to_bytes(svg_string=svg, width=px, skip_system_fonts=True)


def size_for(px: int) -> Size:
    """Which drawing reads well at this width."""
    return "full" if px >= 150 else "small" if px >= 64 else "tiny"


def _whole(facts: ArtFacts, colours: Palette, size: Size, key: str) -> str:
    stack = facts.level == "stack"
    inner = 89 if stack else 94
    edge = _stack_edge(facts.shape, colours) if stack else _credential_edge(facts.shape, colours)
    glow = f'<circle cx="120" cy="96" r="70" fill="{colours.glow}"/>'
    height, scale = (_ICON_PLACE_IN_STACK if stack else _ICON_PLACE)[facts.shape]
    return (
        edge
        + f'<clipPath id="{key}-field">{_shape(facts.shape, inner)}</clipPath>'
        + f'<g clip-path="url(#{key}-field)">{_rays()}{glow}</g>'
        + _shape(facts.shape, inner, fill="none", stroke=colours.rim, width=2.5 if stack else 3)
        + _icon(facts.icon, colours, f"translate(120 {height}) scale({scale}) translate(-120 -96)")
        + _ribbon(facts, colours, size)
    )


def _tiny(facts: ArtFacts, colours: Palette) -> str:
    edge = GOLD if facts.level == "stack" else colours.primary
    return (
        _shape(facts.shape, 103, fill=colours.primary, stroke=edge, width=12)
        + _shape(facts.shape, 95, fill="none", stroke=colours.rim, width=6)
        + _icon(facts.icon, colours, "translate(120 118) scale(1.02) translate(-120 -95)")
    )


def _outline_only(facts: ArtFacts) -> str:
    outline = _shape(
        facts.shape, 104, fill=UNEARNED.primary, stroke=UNEARNED.edge, width=4, more=' stroke-dasharray="9 9"'
    )
    scale = _ICON_PLACE[facts.shape][1] - 0.04
    icon = _icon(facts.icon, UNEARNED, f"translate(120 118) scale({scale:.2f}) translate(-120 -96)")
    return f'{outline}<g opacity=".62">{icon}</g>'


def _credential_edge(shape: Shape, colours: Palette) -> str:
    return _shape(shape, 105, fill=colours.edge, stroke=colours.edge, width=12) + _shape(
        shape, 103, fill=colours.primary, stroke=CREAM, width=4
    )


def _stack_edge(shape: Shape, colours: Palette) -> str:
    beads = f' stroke-dasharray="0.1 {_BEAD_STEP[shape]}" stroke-linecap="round"'
    return (
        _shape(shape, 110, fill=GOLD, stroke=GOLD, width=12)
        + _shape(shape, 107, fill="none", stroke=CREAM, width=4.5, more=beads)
        + _shape(shape, 98, fill=colours.primary, stroke=colours.edge, width=7)
    )


def _shape(
    shape: Shape, radius: float, *, fill: str = "", stroke: str = "", width: float = 0, more: str = ""
) -> str:
    """The outline at the size of a circle of `radius`; the others are sized to look as large as it."""
    paint = f' fill="{fill}" stroke="{stroke}" stroke-width="{width}"{more}' if fill else ""
    if shape == "circle":
        return f'<circle cx="{_CENTRE_X}" cy="{_CENTRE_Y}" r="{radius:g}"{paint}/>'
    points = _hexagon(radius) if shape == "hexagon" else _shield(radius)
    return f'<path d="{points}" stroke-linejoin="round"{paint}/>'


def _hexagon(radius: float) -> str:
    reach = 1.12 * radius - 17
    corners = [math.radians(60 * step - 90) for step in range(6)]
    points = [f"{_CENTRE_X + reach * math.cos(a):.1f} {_CENTRE_Y + reach * math.sin(a):.1f}" for a in corners]
    return f"M{'L'.join(points)}Z"


def _shield(radius: float) -> str:
    scale = (0.909 * radius - 4.15) / 91.3

    def at(x: float, y: float) -> str:
        return f"{_CENTRE_X + x * scale:.1f} {_CENTRE_Y + y * scale:.1f}"

    right = f"C{at(27.2, -87.4)} {at(60.2, -81.6)} {at(91.3, -81.6)}L{at(91.3, 3.9)}"
    tip = f"C{at(91.3, 56.3)} {at(48.6, 87.4)} {at(0, 110.7)}"
    left = f"C{at(-48.6, 87.4)} {at(-91.3, 56.3)} {at(-91.3, 3.9)}L{at(-91.3, -81.6)}"
    return f"M{at(0, -106.8)}{right}{tip}{left}C{at(-60.2, -81.6)} {at(-27.2, -87.4)} {at(0, -106.8)}Z"


@cache
def _rays() -> str:
    """Twelve faint rays from behind the icon."""
    rays = []
    for step in range(12):
        near, far = (math.radians(30 * step + turn) for turn in (-7.5, 7.5))
        ends = [f"{120 + 190 * math.cos(a):.0f} {98 + 190 * math.sin(a):.0f}" for a in (near, far)]
        rays.append(f"M120 98L{ends[0]}L{ends[1]}z")
    return f'<path d="{"".join(rays)}" fill="#fff" opacity=".055"/>'


def _icon(name: str, colours: Palette, place: str) -> str:
    return f'<g transform="{place}">{_icon_source(name).substitute(asdict(colours))}</g>'


@cache
def _icon_source(name: str) -> Template:
    folder = resources.files("microcred.badges") / "icons"
    file = folder / f"{name if _ICON_NAME.fullmatch(name) else FALLBACK_ICON}.svg"
    if not file.is_file():
        file = folder / f"{FALLBACK_ICON}.svg"
    return Template(file.read_text("utf-8").replace("\n", ""))


@lru_cache(maxsize=512)  # drawing letters is most of the work, and a catalogue page shows the same few badges
def _ribbon(facts: ArtFacts, colours: Palette, size: Size) -> str:
    band = (
        f'<path d="M2 181H40V223H2l11-21zM238 181H200V223h38l-11-21z" fill="{colours.tail}"/>'
        f'<path d="M20 212l20 11v-13zM220 212l-20 11v-13z" fill="{colours.fold}"/>'
        f'<rect x="20" y="168" width="200" height="45" rx="3" fill="{colours.rim}"/>'
        f'<path d="M26 173.5h188M26 207.5h188" stroke="{CREAM}" stroke-width="1.6" opacity=".75"/>'
    )
    lines = _ribbon_lines(facts, size)
    # Capitals are 0.71 em high: the baseline lies half of that below the middle of the ribbon, at 190.5.
    step = lines[0].size * 1.16 if lines else 0
    first = 190.5 - step * (len(lines) - 1) / 2
    drawn = "".join(
        lettering.outline(line, centre=120, baseline=first + number * step + line.size * 0.355)
        for number, line in enumerate(lines)
    )
    return f'{band}<path d="{drawn}" fill="{colours.lettering}"/>' if drawn else band


def _ribbon_lines(facts: ArtFacts, size: Size) -> list[lettering.Line]:
    """The name, or the code where there is no room for the name or no letters to draw it."""
    if size == "full" and lettering.can_draw(facts.name) and lettering.plain(facts.name):
        return lettering.fitted(facts.name, width=178, largest=27, smallest_line=15.5, smallest=11.5)
    if lettering.can_draw(facts.code) and lettering.plain(facts.code):
        return lettering.fitted(facts.code, width=176, largest=31, smallest_line=15.5, smallest=11.5)
    return []


def _visible(text: str) -> str:
    """Text that XML can hold: without control characters and lone surrogates."""
    return re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "", text)
