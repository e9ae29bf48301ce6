"""The text of a document, for looking through it: `words.py FILE OUT KIND`, run under limits by `media.run`.

A program of its own: what comes from outside may be built to keep a reader busy for ever. OOXML and
OpenDocument are read without an XML parser: only the text between the tags matters.
"""

import html
import re
import sys
import zipfile
from pathlib import Path

MOST_CHARACTERS = 2_000_000
_MOST_PAGES = 500
_ENDS = re.compile(
    r"</(?:w:p|a:p|si|text:p|text:h|row|w:tr|table:table-row)>|<(?:w:br|w:tab|text:tab|text:s)\b[^>]*>"
)
_TAG = re.compile(r"<[^>]*>")
_PARTS = {
    "docx": r"word/(?:document|footnotes|endnotes|comments|header\d*|footer\d*)\.xml",
    "pptx": r"ppt/(?:slides|notesSlides|comments)/[^/]+\.xml",
    "xlsx": r"xl/(?:sharedStrings|comments\d*|worksheets/[^/]+)\.xml|xl/workbook\.xml",
    "odt": r"content\.xml|styles\.xml",
}
_PROPERTIES = r"docProps/(?:core|app|custom)\.xml|meta\.xml"


def text_of(file: Path, kind: str) -> str:
    """The text of a file; `kind` is `pdf`, `text` or one of the keys of `_PARTS`.

    Raises ValueError, zipfile.BadZipFile and whatever pypdf raises for a broken file.
    """
    if kind == "text":
        return file.read_bytes()[:MOST_CHARACTERS].decode("utf-8", "replace")
    return _pdf(file) if kind == "pdf" else _zipped(file, kind)


def _zipped(file: Path, kind: str) -> str:
    wanted = re.compile(f"{_PARTS[kind]}|{_PROPERTIES}")
    found, size = [], 0
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if not wanted.fullmatch(entry.filename):
                continue
            with archive.open(entry) as stream:
                content = stream.read(MOST_CHARACTERS * 4 - size)
            size += len(content)
            text = _ENDS.sub("\n", content.decode("utf-8", "replace"))
            found.append(html.unescape(_TAG.sub("", text)))
            if size >= MOST_CHARACTERS * 4:
                break
    return "\n".join(found)[:MOST_CHARACTERS]


def _pdf(file: Path) -> str:
    from pypdf import PdfReader

    reader = PdfReader(file)
    found = [str(value) for value in (reader.metadata or {}).values()]
    size = 0
    for page in reader.pages[:_MOST_PAGES]:
        found.append(page.extract_text())
        size += len(found[-1])
        if size > MOST_CHARACTERS:
            break
    return "\n".join(found)[:MOST_CHARACTERS]


if __name__ == "__main__":
    # Text that no encoding takes (a broken font table gives lone surrogates) is dropped.
    words = text_of(Path(sys.argv[1]), sys.argv[3])
    Path(sys.argv[2]).write_bytes(words.encode("utf-8", "ignore"))
