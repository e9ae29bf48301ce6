"""Certificates and transcripts: any text makes a file, the same facts the same bytes, the font is inside."""

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from microcred.badges import art, pdf
from tests.unit.badges.samples import ART

PICTURE = art.badge_png(art.badge_svg(ART), 120)
FACTS = pdf.CertificateFacts(
    badge_name="Idea Shaper",
    title="Leading a class from many ideas to one",
    issuer="Riverbend Educator Alliance",
    awarded_on="October 5, 2026",
    hours="10 hours (1.0 CEU)",
    number="k7q2mwy5",
    page_url="https://badges.example.org/badges/k7q2mwy5",
    holder="Żółć Ёлка Ωmega",
    standards=("ISTE 2.6.d: Nurture creative expression",),
)


def test_the_font_is_embedded_and_cut_to_what_is_used() -> None:
    paper = pdf.certificate(FACTS, PICTURE)
    names = {name for name in re.findall(rb"/BaseFont /(\S+)", paper) if b"Roboto" in name}
    assert len(names) == 2
    assert all(re.match(rb"[A-Z]{6}\+", name) for name in names)
    assert b"/FontFile2" in paper
    assert len(paper) < 100_000


def test_the_same_facts_give_the_same_bytes() -> None:
    assert pdf.certificate(FACTS, PICTURE) == pdf.certificate(FACTS, PICTURE)


@settings(max_examples=25, deadline=None)
@given(text=st.text(max_size=400))
def test_any_text_makes_a_file(text: str) -> None:
    facts = replace(
        FACTS, badge_name=text, title=text, holder=text, issuer=text, warning=text, standards=(text,)
    )
    assert pdf.certificate(facts, PICTURE).endswith(b"%%EOF\n")
    whole = pdf.TranscriptFacts(text, text, text, (facts, FACTS))
    assert pdf.transcript(whole).endswith(b"%%EOF\n")


def test_a_long_record_has_as_many_pages_as_it_needs() -> None:
    whole = pdf.TranscriptFacts("A demo person", "October 6, 2026", "40 badges", (FACTS,) * 40)
    assert 5 <= len(re.findall(rb"/Type /Page\b", pdf.transcript(whole))) <= 8
