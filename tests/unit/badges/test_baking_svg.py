"""Baking in SVG: both versions come out as they went in, and no file can hurt its reader."""

import json
import xml.dom.minidom
from xml.dom.minidom import CDATASection, Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcred.badges import art
from microcred.badges.baking import BakedBadge
from microcred.badges.baking_svg import bake_svg, extract_svg
from microcred.badges.errors import BakingError
from tests.unit.badges.samples import ART

PICTURE = art.badge_svg(ART)
HOSTED = "https://badges.example.org/ob/2.0/assertions/1?a=1&b=2"
WORDS = st.dictionaries(st.text(), st.text())


def baked(ob2: str = '{"two": 2}', ob3: str = '{"three": 3}') -> bytes:
    return bake_svg(PICTURE, ob2=ob2, ob3=ob3, hosted=HOSTED)


@given(ob2=WORDS, ob3=WORDS)
def test_both_documents_come_out_as_they_went_in(ob2: dict[str, str], ob3: dict[str, str]) -> None:
    found = extract_svg(baked(json.dumps(ob2), json.dumps(ob3)))
    assert found.ob2 is not None
    assert found.ob3 is not None
    assert (json.loads(found.ob2), json.loads(found.ob3)) == (ob2, ob3)


def test_text_that_would_end_the_section_is_written_in_another_way() -> None:
    found = extract_svg(baked('{"a": "]]><script>]]>"}')).ob2
    assert found is not None
    assert json.loads(found) == {"a": "]]><script>]]>"}


def test_other_readers_find_each_element_where_its_version_puts_it() -> None:
    root = xml.dom.minidom.parseString(baked()).documentElement
    assert root is not None
    first, second = root.childNodes[:2]
    assert isinstance(first, Element)
    assert isinstance(second, Element)
    assert (first.nodeName, first.namespaceURI) == (
        "openbadges:credential",
        "https://purl.imsglobal.org/ob/v3p0",
    )
    assert (second.nodeName, second.namespaceURI) == ("openbadges:assertion", "http://openbadges.org")
    assert second.getAttribute("verify") == HOSTED
    assert root.getAttribute("xmlns:openbadges") == "https://purl.imsglobal.org/ob/v3p0"
    assert isinstance(first.firstChild, CDATASection)


def test_the_picture_is_drawn_as_before() -> None:
    assert art.badge_png(baked().decode(), 64) == art.badge_png(PICTURE, 64)


def test_a_token_stands_in_an_attribute() -> None:
    root = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:b="https://purl.imsglobal.org/ob/v3p0">'
    assert extract_svg(f'{root}<b:credential verify="a.b.c"/></svg>'.encode()) == BakedBadge(None, "a.b.c")


def test_a_badge_counts_only_as_a_child_of_the_root() -> None:
    hidden = baked().replace(
        b"<title>", b'<g xmlns:o="http://openbadges.org"><o:assertion>x</o:assertion></g><title>'
    )
    assert extract_svg(hidden).ob2 == '{"two": 2}'
    assert extract_svg(PICTURE.encode()) == BakedBadge(None, None)


@pytest.mark.parametrize(
    ("svg", "code"),
    [
        (b"", "not_an_svg"),
        (b"<html/>", "not_an_svg"),
        (PICTURE.encode()[:-3], "not_an_svg"),
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + baked(), "not_an_svg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * 200, "not_an_svg"),
        (b"\xff\xfe\x00", "not_an_svg"),
        (b" " * (9 * 1024 * 1024), "too_large"),
        (
            baked().replace(b"</openbadges:assertion>", b"</openbadges:assertion><openbadges:credential/>"),
            "badge_doubled",
        ),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(svg: bytes, code: str) -> None:
    with pytest.raises(BakingError) as refused:
        extract_svg(svg)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("svg", "text", "code"),
    [
        ("<svg>", "{}", "not_an_svg"),
        (PICTURE, "x" * (1024 * 1024 + 1), "too_large"),
        (PICTURE, "\x00", "not_an_svg"),
    ],
)
def test_what_could_not_be_read_again_is_not_baked(svg: str, text: str, code: str) -> None:
    with pytest.raises(BakingError) as refused:
        bake_svg(svg, ob2=text, ob3="{}", hosted=HOSTED)
    assert refused.value.code == code
