"""Certificates and transcripts as PDF, to print and to file. The proof is the badge; the paper says where to
check it.

The font is embedded, cut to the letters used. It has Latin, Greek and Cyrillic letters; a letter that it
does not have is shown as a box.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import landscape, letter
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from microcred.badges.values import optional

_INK, _SOFT, _LINE, _STOP = (HexColor(colour) for colour in ("#1B2430", "#4A5563", "#C9CFD6", "#A32020"))
_REGULAR, _BOLD = "Roboto", "Roboto-Bold"
_MARGIN = 54


@dataclass(frozen=True)
class CertificateFacts:
    """What a certificate says, in words and dates that are ready to be shown."""

    badge_name: str
    title: str
    issuer: str
    awarded_on: str
    hours: str
    number: str
    page_url: str
    holder: str | None = None
    """None where the holder keeps their name private."""
    valid_until: str | None = None
    standards: tuple[str, ...] = ()
    warning: str | None = None
    """Said before all else: a test badge, or one that is not valid any more."""


@dataclass(frozen=True)
class TranscriptFacts:
    """All badges of a person, newest first."""

    holder: str
    printed_on: str
    total: str
    rows: tuple[CertificateFacts, ...]


def certificate(facts: CertificateFacts, picture: bytes) -> bytes:
    """One page, letter size across; `picture` is the badge as PNG."""
    page = _Page(landscape(letter), f"{facts.badge_name}, {facts.issuer}")
    page.frame()
    page.picture(picture, _MARGIN + 28, 236, 220)
    left, width = 350.0, page.width - 350 - _MARGIN - 22
    top = page.height - 118
    if facts.warning:
        top = page.text(facts.warning, left, top, width, _BOLD, 12, _STOP) - 10
    top = page.text(facts.issuer, left, top, width, _REGULAR, 13, _SOFT) - 12
    top = page.text(facts.holder or "The holder of this badge", left, top, width, _BOLD, 27) - 2
    top = page.text("has earned", left, top, width, _REGULAR, 13, _SOFT) - 6
    top = page.text(facts.badge_name, left, top, width, _BOLD, 22)
    top = page.text(facts.title, left, top, width, _REGULAR, 13, lines=3) - 10
    for line in _dates(facts):
        top = page.text(line, left, top, width, _REGULAR, 12)
    top -= 6
    for standard in facts.standards[:4]:
        top = page.text(standard, left, top, width, _REGULAR, 9.5, _SOFT, lines=2)
    page.qr(facts.page_url, _MARGIN + 18, _MARGIN + 16, 84)
    words = ("Check it here, at any time and without an account:", facts.page_url, f"Number {facts.number}")
    line_top = float(_MARGIN + 86)
    for word in words:
        line_top = page.text(
            word, _MARGIN + 116, line_top, page.width - 2 * _MARGIN - 140, _REGULAR, 10, _SOFT
        )
    return page.finished()


def transcript(facts: TranscriptFacts) -> bytes:
    """As many letter pages as the rows need."""
    page = _Page(letter, f"Record of {facts.holder}")
    width = page.width - 2 * _MARGIN
    top = page.text("Record of micro-credentials", _MARGIN, page.height - 72, width, _REGULAR, 12, _SOFT) - 4
    top = page.text(facts.holder, _MARGIN, top, width, _BOLD, 22) - 2
    top = page.text(f"{facts.total}. Printed on {facts.printed_on}.", _MARGIN, top, width, _REGULAR, 11) - 14
    for row in facts.rows:
        if top < 170:
            page.next()
            top = page.height - 72
        page.rule(top + 14)
        top = _row(page, row, top - 4, width)
    return page.finished()


def _row(page: "_Page", row: CertificateFacts, top: float, width: float) -> float:
    page.qr(row.page_url, page.width - _MARGIN - 62, top - 52, 62)
    beside = width - 80
    top = page.text(f"{row.badge_name}: {row.title}", _MARGIN, top, beside, _BOLD, 12, lines=2)
    if row.warning:
        top = page.text(row.warning, _MARGIN, top, beside, _BOLD, 10, _STOP, lines=2)
    top = page.text(" · ".join([row.issuer, *_dates(row)]), _MARGIN, top, beside, _REGULAR, 10, lines=3)
    top = page.text(row.page_url, _MARGIN, top, beside, _REGULAR, 9, _SOFT)
    return top - 26


def _dates(facts: CertificateFacts) -> list[str]:
    ends = f"Valid until {facts.valid_until}" if facts.valid_until else "Does not expire"
    return [f"Awarded on {facts.awarded_on}", ends, facts.hours]


class _Page:
    """A page under construction. Positions are in points from the lower left corner; text is text."""

    def __init__(self, size: tuple[float, float], title: str) -> None:
        _load_fonts()
        self.width, self.height = size
        self._file = io.BytesIO()
        # invariant: no clock and no random ids in the file, so the same facts give the same bytes
        self._canvas = Canvas(self._file, pagesize=size, invariant=1, lang="en-US", pageCompression=1)
        self._canvas.setTitle(_clean(title))

    def text(
        self,
        text: str,
        left: float,
        top: float,
        width: float,
        font: str,
        size: float,
        colour: HexColor = _INK,
        *,
        lines: int = 2,
    ) -> float:
        """Write in at most `lines` lines; where the next text begins."""
        self._canvas.setFont(font, size)
        self._canvas.setFillColor(colour)
        for line in _lines(_clean(text), font, size, width)[:lines]:
            self._canvas.drawString(left, top - size, line)
            top -= size * 1.35
        return top

    def picture(self, png: bytes, left: float, bottom: float, width: float) -> None:
        image = ImageReader(io.BytesIO(png))
        wide, high = image.getSize()
        self._canvas.drawImage(image, left, bottom, width, width * high / wide, mask="auto")

    def qr(self, url: str, left: float, bottom: float, width: float) -> None:
        code = QrCodeWidget(url, barLevel="M", barWidth=width, barHeight=width, barBorder=0)
        drawing = Drawing(width, width)
        drawing.add(code)
        renderPDF.draw(drawing, self._canvas, left, bottom)

    def frame(self) -> None:
        self._canvas.setStrokeColor(_LINE)
        self._canvas.setLineWidth(1.5)
        inset = _MARGIN - 18
        self._canvas.roundRect(inset, inset, self.width - 2 * inset, self.height - 2 * inset, 10)

    def rule(self, height: float) -> None:
        self._canvas.setStrokeColor(_LINE)
        self._canvas.setLineWidth(0.75)
        self._canvas.line(_MARGIN, height, self.width - _MARGIN, height)

    def next(self) -> None:
        self._canvas.showPage()

    def finished(self) -> bytes:
        self._canvas.save()
        return self._file.getvalue()


def _lines(text: str, font: str, size: float, width: float) -> Sequence[str]:
    """Lines that fit; a word that is longer than a line, such as an address, is broken."""
    found: list[str] = []
    for line in simpleSplit(text, font, size, width):
        rest = line
        while pdfmetrics.stringWidth(rest, font, size) > width and len(rest) > 1:
            cut = len(rest) - 1
            while cut > 1 and pdfmetrics.stringWidth(rest[:cut], font, size) > width:
                cut -= 1
            found.append(rest[:cut])
            rest = rest[cut:]
        found.append(rest)
    return found


def _clean(text: str) -> str:
    return " ".join((optional(text) or "").split())


@cache
def _load_fonts() -> None:
    folder = resources.files("microcred.badges") / "fonts"
    for name, file in ((_REGULAR, "roboto-regular-subset.ttf"), (_BOLD, "roboto-bold-subset.ttf")):
        pdfmetrics.registerFont(TTFont(name, io.BytesIO((folder / file).read_bytes())))
