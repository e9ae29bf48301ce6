"""Badge art: every badge of the catalogue draws, any name is text, any colour is checked."""

import io
import re
from dataclasses import replace
from typing import get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from microcred.badges import art, colours, lettering
from microcred.badges.errors import ArtError
from tests.unit.badges.samples import ART

ICONS = [
    "lightbulb",
    "arrow-pages",
    "speech-circle",
    "bridge",
    "three-doors",
    "dots-regroup",
    "key-laptop",
    "two-lenses",
    "four-in-one",
    "three-in-one",
]
NAMESPACE = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "g", "path", "rect", "circle", "polygon", "clipPath"}


def opened(svg: str, px: int) -> Image.Image:
    image = Image.open(io.BytesIO(art.badge_png(svg, px)))
    image.load()
    return image


def elements(svg: str) -> list[str]:
    return [element.tag.removeprefix(NAMESPACE) for element in ElementTree.fromstring(svg).iter()]


@pytest.mark.parametrize("level", ["credential", "stack"])
@pytest.mark.parametrize("shape", get_args(art.Shape))
@pytest.mark.parametrize("icon", ICONS)
def test_every_icon_draws_in_every_shape_and_size(icon: str, shape: art.Shape, level: art.Level) -> None:
    facts = replace(ART, icon=icon, shape=shape, level=level)
    drawn = {(size, art.badge_svg(facts, size)) for size in get_args(art.Size)}
    drawn.add(("unearned", art.badge_svg(facts, earned=False)))
    for _, svg in drawn:
        assert set(elements(svg)) <= ALLOWED
        assert "$" not in svg
    assert len({svg for _, svg in drawn}) == 4


def test_each_catalogue_icon_has_a_drawing_of_its_own() -> None:
    drawings = {art.badge_svg(replace(ART, icon=icon)) for icon in [*ICONS, art.FALLBACK_ICON]}
    assert len(drawings) == len(ICONS) + 1


@pytest.mark.parametrize("icon", ["no-such-icon", "", "../../errors", "STAR", "a" * 200, "con\0"])
def test_an_unknown_icon_is_a_star(icon: str) -> None:
    assert art.badge_svg(replace(ART, icon=icon)) == art.badge_svg(replace(ART, icon="star"))


@pytest.mark.parametrize("px", [48, 90, 200, 600])
def test_a_badge_renders_at_every_width(px: int) -> None:
    image = opened(art.badge_svg(ART, art.size_for(px)), px)
    assert image.width == px
    assert image.mode == "RGBA"
    assert image.getpixel((0, 0)) == (0, 0, 0, 0)
    assert image.getchannel("A").getpixel((px // 2, px // 2)) == 255


def test_the_ribbon_holds_name_code_or_nothing_by_size() -> None:
    assert [art.size_for(px) for px in (149, 150, 64, 63)] == ["small", "full", "small", "tiny"]
    other = replace(ART, name="Another name")
    assert art.badge_svg(ART, "full") != art.badge_svg(other, "full")
    assert art.badge_svg(ART, "small") == art.badge_svg(other, "small").replace("Another name", "Idea Shaper")
    assert len(art.badge_svg(ART, "tiny")) < len(art.badge_svg(ART, "small"))


def test_a_hostile_name_is_drawn_as_text() -> None:
    hostile = '"><script>alert(1)</script><svg onload=x>'
    svg = art.badge_svg(replace(ART, name=hostile, alt=hostile, code=hostile))
    root = ElementTree.fromstring(svg)
    assert set(elements(svg)) <= ALLOWED
    assert root.attrib["aria-label"] == hostile
    assert root.findtext(f"{NAMESPACE}title") == hostile
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    plain = art.badge_svg(replace(ART, name="-"))
    assert len(svg) > len(plain) + 1000  # the letters of the name are outlines


@given(name=st.text(max_size=120), code=st.text(max_size=30), alt=st.text(max_size=60))
@settings(max_examples=60)
def test_any_name_makes_a_well_formed_picture(name: str, code: str, alt: str) -> None:
    for size in get_args(art.Size):
        svg = art.badge_svg(replace(ART, name=name, code=code, alt=alt), size)
        assert set(elements(svg)) <= ALLOWED
        svg.encode("utf-8")
    opened(svg, 32)


@pytest.mark.parametrize(
    "colour",
    ["", "red", "#fff", "#12345", "#1234567", "#12345g", "rgb(1,2,3)", '#123456"/><script>', "#12345\n"],
)
def test_what_is_no_colour_is_refused(colour: str) -> None:
    for facts in (replace(ART, primary_colour=colour), replace(ART, accent_colour=colour)):
        with pytest.raises(ArtError) as refused:
            art.badge_svg(facts)
        assert refused.value.code == "colour_invalid"


COLOUR = st.from_regex("#[0-9a-fA-F]{6}", fullmatch=True)


@given(primary=COLOUR, accent=COLOUR)
def test_lettering_is_readable_on_any_ribbon(primary: str, accent: str) -> None:
    chosen = colours.palette(primary, accent)
    assert colours.contrast(chosen.lettering, chosen.rim) >= 4.5
    assert colours.contrast(chosen.paper, chosen.primary) >= 2
    assert colours.contrast(chosen.accent, chosen.primary) > 1.15


def test_contrast_is_that_of_wcag() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@given(text=st.text(alphabet="AaBbMmWwii éßЖΩ", min_size=1, max_size=200).filter(str.strip))
def test_lettering_never_leaves_the_ribbon(text: str) -> None:
    lines = lettering.fitted(text, width=178, largest=27, smallest_line=15.5, smallest=11.5)
    assert 1 <= len(lines) <= 2
    for line in lines:
        drawn = lettering.outline(line, centre=120, baseline=195)
        across = [float(x) for x, _ in re.findall(r"[ML](-?[\d.]+)[ ,](-?[\d.]+)", drawn)]
        assert all(30 < x < 210 for x in across)
        assert 11.4 < line.size <= 27


def test_long_names_break_and_longer_ones_are_cut() -> None:
    def lines(text: str) -> list[str]:
        fitted = lettering.fitted(text, width=178, largest=27, smallest_line=15.5, smallest=11.5)
        return [line.text for line in fitted]

    assert lines("Idea Shaper") == ["Idea Shaper"]
    assert lines("Leading Academic Discussion with the Class") == [
        "Leading Academic",
        "Discussion with the Class",
    ]
    assert lines("Designing Lessons with Many Options " * 4)[1].endswith("…")
    assert lines("Donaudampfschifffahrtsgesellschaft" * 3)[0].endswith("…")


def test_a_name_in_another_script_shows_the_code_and_keeps_its_title() -> None:
    facts = replace(ART, name="日本語のバッジ")
    ribbon_with_code = art.badge_svg(replace(ART, name="CI-101"), "small")
    svg = art.badge_svg(facts)
    assert "<title>日本語のバッジ</title>" in svg
    outlined = svg.rpartition(' d="')[2]
    assert outlined == ribbon_with_code.rpartition(' d="')[2]


def test_two_badges_on_one_page_keep_their_clipping_apart() -> None:
    one, two = art.badge_svg(ART, key="a1"), art.badge_svg(ART, key="b2")
    assert 'id="a1-field"' in one
    assert "url(#b2-field)" in two
    with pytest.raises(ArtError):
        art.badge_svg(ART, key='x"><script>')


@pytest.mark.parametrize("px", [0, 15, 2049, -5])
def test_pictures_of_no_sensible_size_are_refused(px: int) -> None:
    with pytest.raises(ArtError) as refused:
        art.badge_png(art.badge_svg(ART), px)
    assert refused.value.code == "size_invalid"


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(ArtError) as refused:
        art.badge_svg(replace(ART, shape="triangle"))  # type: ignore[arg-type]
    assert refused.value.code == "shape_unknown"
