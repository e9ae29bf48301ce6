"""Pictures drawn for a page: badge art and the ring of parts."""

from collections.abc import Sequence
from typing import Protocol

from markupsafe import Markup

from microcred.badges.art import ArtFacts, Size, badge_svg, size_for
from microcred.credentials.schema import BadgeArt
from microcred.database import random_id

_RADIUS = 62
_AROUND = 2 * 3.14159265 * _RADIUS
_GAP = 16.0
"""Degrees left open between two parts, so that round ends do not touch."""


class Badged(Protocol):
    """A credential as far as its badge is concerned: the document itself, or a catalogue entry."""

    @property
    def badge(self) -> BadgeArt: ...

    @property
    def code(self) -> str: ...


def badge_art(
    document: Badged,
    width: int,
    *,
    size: Size | None = None,
    earned: bool = True,
    named: bool = True,
) -> Markup:
    """The credential's badge as SVG, `width` pixels wide; `named=False` where its name stands beside it."""
    art = document.badge
    facts = ArtFacts(
        name=art.name,
        code=document.code,
        shape=art.shape,
        primary_colour=art.primary_colour,
        accent_colour=art.accent_colour,
        icon=art.icon,
        alt=art.image_alt,
    )
    svg = badge_svg(facts, size or size_for(width), earned=earned, width=width, key=f"a{random_id(8)}")
    # `badge_svg` escapes the catalogue's words; the rest is drawn by us.
    drawn = Markup(svg)  # noqa: S704
    return drawn if named else Markup('<span aria-hidden="true">{}</span>').format(drawn)


def ring(fractions: Sequence[float], label: str) -> Markup:
    """A ring with one arc per part: grey ground, amber while under way, green when done."""
    parts = len(fractions)
    step = 360 / parts
    arcs = []
    for number, fraction in enumerate(fractions):
        start = -90 + number * step + (_GAP / 2 if parts > 1 else 0)
        degrees = step - (_GAP if parts > 1 else 0)
        layers = [("ring-done", 1.0)] if fraction >= 1 else [("ring-ground", 1.0), ("ring-now", fraction)]
        for css, share in layers:
            if share <= 0:
                continue
            length = _AROUND * degrees / 360 * share
            arcs.append(
                Markup(
                    '<circle class="{}" cx="80" cy="80" r="62" fill="none" stroke-width="13" '
                    'stroke-linecap="round" stroke-dasharray="{:.1f} {:.1f}" '
                    'transform="rotate({:.1f} 80 80)"/>'
                ).format(css, length, _AROUND, start)
            )
    done = sum(fraction >= 1 for fraction in fractions)
    return Markup(
        '<svg class="ring" viewBox="0 0 160 160" width="168" height="168" role="img" aria-label="{}">{}'
        '<text class="ring-count" x="80" y="82" text-anchor="middle">{} of {}</text>'
        '<text class="ring-word" x="80" y="104" text-anchor="middle">parts done</text></svg>'
    ).format(label, Markup("").join(arcs), done, parts)
