"""The first bytes of the formats teachers bring, and of those nobody should."""

import re
from dataclasses import dataclass

Group = str
"""One of the catalogue's `EvidenceGroup` words."""


@dataclass(frozen=True)
class FileType:
    """A media type and the catalogue's group for it: image, pdf, document, audio, video."""

    media_type: str
    group: Group


_SIMPLE: tuple[tuple[bytes, FileType], ...] = (
    (b"\xff\xd8\xff", FileType("image/jpeg", "image")),
    (b"\x89PNG\r\n\x1a\n", FileType("image/png", "image")),
    (b"GIF87a", FileType("image/gif", "image")),
    (b"GIF89a", FileType("image/gif", "image")),
    (b"II*\x00", FileType("image/tiff", "image")),
    (b"MM\x00*", FileType("image/tiff", "image")),
    (b"ID3", FileType("audio/mpeg", "audio")),
    (b"fLaC", FileType("audio/flac", "audio")),
    (b"#!AMR", FileType("audio/amr", "audio")),
    (b"caff", FileType("audio/x-caf", "audio")),
    (b"\x00\x00\x01\xba", FileType("video/mpeg", "video")),
    (b"\x00\x00\x01\xb3", FileType("video/mpeg", "video")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", FileType("video/x-ms-asf", "video")),
    (b"FLV\x01", FileType("video/x-flv", "video")),
    (b"{\\rtf", FileType("application/rtf", "document")),
)
_INSIDE = {
    (b"RIFF", b"WEBP"): FileType("image/webp", "image"),
    (b"RIFF", b"WAVE"): FileType("audio/wav", "audio"),
    (b"RIFF", b"AVI "): FileType("video/x-msvideo", "video"),
    (b"FORM", b"AIFF"): FileType("audio/aiff", "audio"),
    (b"FORM", b"AIFC"): FileType("audio/aiff", "audio"),
}
"""Containers that name their content at byte 8."""
_PDF = FileType("application/pdf", "pdf")


def simple(head: bytes) -> FileType | None:
    """Formats with a mark of their own at the start."""
    for mark, found in _SIMPLE:
        if head.startswith(mark):
            return found
    inside = _INSIDE.get((head[:4], head[8:12]))
    if inside is not None:
        return inside
    if head.lstrip(b"\xef\xbb\xbf\r\n\t \0").startswith(b"%PDF-"):
        return _PDF
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return FileType("image/bmp", "image")
    return _audio_frames(head) or _transport_stream(head)


def _audio_frames(head: bytes) -> FileType | None:
    """MP3 and AAC without a tag begin with a frame header: eleven set bits and no reserved value."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] in (0xF0, 0xF1, 0xF8, 0xF9):
        return FileType("audio/aac", "audio")
    is_layer_3 = head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08
    if is_layer_3 and head[2] & 0xF0 not in (0x00, 0xF0) and head[2] & 0x0C != 0x0C:
        return FileType("audio/mpeg", "audio")
    return None


def _transport_stream(head: bytes) -> FileType | None:
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return FileType("video/mp2t", "video")
    return None


# ISO base media: MP4, QuickTime, 3GP, HEIC

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_AUDIO_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
_QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"pnot")
_AUDIO_NAMES = ("m4a", "m4b", "3ga", "aac")


def iso_media(head: bytes, extension: str) -> FileType | None:
    """Formats built of ISO base media boxes. Whether one holds pictures is asked of its track handlers."""
    box, brand = head[4:8], head[8:12]
    if box != b"ftyp":
        return FileType("video/quicktime", "video") if box in _QUICKTIME_ATOMS else None
    brands = {head[start : start + 4] for start in range(8, min(int.from_bytes(head[:4]), 256), 4)}
    if brands & {b"avif", b"avis"}:
        return FileType("image/avif", "image")
    if brand in _HEIF_BRANDS:
        return FileType("image/heic" if brand.startswith(b"he") else "image/heif", "image")
    has_picture, has_sound = b"hdlr" in head and b"vide" in head, b"hdlr" in head and b"soun" in head
    if brand in _AUDIO_BRANDS or (not has_picture and (has_sound or extension in _AUDIO_NAMES)):
        return FileType("audio/mp4", "audio")
    if brand.startswith((b"3gp", b"3ge", b"3gg")):
        return FileType("video/3gpp", "video")
    if brand.startswith(b"3g2"):
        return FileType("video/3gpp2", "video")
    return FileType("video/quicktime" if brand == b"qt  " else "video/mp4", "video")


def matroska(head: bytes) -> FileType | None:
    """WebM and Matroska; a browser's recording of sound alone has no picture codec in its track list."""
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    only_sound = b"A_" in head and b"V_" not in head
    kind = "audio" if only_sound else "video"
    return FileType(f"{kind}/{'webm' if b'webm' in head[:64] else 'x-matroska'}", kind)


def ogg(head: bytes) -> FileType | None:
    """Ogg, by the codec named in its first pages."""
    if not head.startswith(b"OggS"):
        return None
    kind = "video" if b"theora" in head[:512] else "audio"
    return FileType(f"{kind}/ogg", kind)


# documents

_XML_BASE = "application/vnd.openxmlformats-officedocument"
OPEN_XML = {
    "docx": ("word/", f"{_XML_BASE}.wordprocessingml.document"),
    "pptx": ("ppt/", f"{_XML_BASE}.presentationml.presentation"),
    "xlsx": ("xl/", f"{_XML_BASE}.spreadsheetml.sheet"),
}
_OPEN_DOCUMENT = re.compile(
    rb"mimetype(application/vnd\.oasis\.opendocument\.(?:text|presentation|spreadsheet))"
)
_NAME_IN_ZIP = re.compile(rb"PK\x03\x04.{22}(..)(..)", re.DOTALL)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OLE_TYPES = {
    "doc": FileType("application/msword", "document"),
    "xls": FileType("application/vnd.ms-excel", "document"),
    "ppt": FileType("application/vnd.ms-powerpoint", "document"),
    "msg": FileType("application/vnd.ms-outlook", "document"),
}


def office(head: bytes, extension: str) -> FileType | None:
    """Word, PowerPoint, Excel and OpenDocument files among the ZIP archives; None for any other archive."""
    named = _OPEN_DOCUMENT.search(head[:200])
    if named:
        return FileType(named[1].decode(), "document")
    names = zip_names(head)
    for start, media_type in OPEN_XML.values():
        if any(name.startswith(start) for name in names):
            return FileType(media_type, "document")
    is_open_xml = any(name == "[Content_Types].xml" or name.startswith("_rels/") for name in names)
    if is_open_xml and extension in OPEN_XML:
        # A large picture may stand before the folder that tells the three apart.
        return FileType(OPEN_XML[extension][1], "document")
    return None


def zip_names(head: bytes) -> list[str]:
    """Names of the members whose local headers lie within the first bytes (APPNOTE 4.3.7)."""
    names = []
    for found in _NAME_IN_ZIP.finditer(head):
        length = int.from_bytes(found[1], "little")
        names.append(head[found.end() : found.end() + length].decode("utf-8", "replace"))
    return names


# text

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE)
_SVG = re.compile(r"(?:<!doctype\s+svg[^>]*>\s*)?<svg\b", re.IGNORECASE)
_MAIL = re.compile(
    r"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?(?:from|received|mime-version):", re.IGNORECASE
)
_TEXT_TYPES = {
    "csv": "text/csv",
    "tsv": "text/csv",
    "md": "text/markdown",
    "vtt": "text/vtt",
    "srt": "text/plain",
}


def decoded(head: bytes, *, is_whole: bool) -> str | None:
    """The text in the first bytes, or None where it is not text. A character cut at the end is let go."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head[: len(head) // 2 * 2].decode("utf-16", "replace")
    else:
        try:
            text = head.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if is_whole or error.start < len(head) - 3:
                # Older editors on Windows; unused bytes and control characters tell it from other data.
                try:
                    text = head.decode("cp1252")
                except UnicodeDecodeError:
                    return None
            else:
                text = head[: error.start].decode("utf-8-sig")
    return None if _CONTROL.search(text) else text


def text_type(text: str, extension: str) -> FileType:
    """What kind of text it is. HTML and SVG can hold scripts: documents to download, never to show."""
    markup = _after_prolog(text)
    if _SVG.match(markup):
        return FileType("image/svg+xml", "document")
    if _HTML.match(markup):
        return FileType("text/html", "document")
    if extension == "eml" and _MAIL.match(text.replace("\r\n", "\n")):
        return FileType("message/rfc822", "document")
    return FileType(_TEXT_TYPES.get(extension, "text/plain"), "document")


def _after_prolog(text: str) -> str:
    """Markup without the XML declaration and comments before its first element."""
    text = text.lstrip()
    for start, end in (("<?", "?>"), *[("<!--", "-->")] * 20):
        if text.startswith(start):
            text = text.partition(end)[2].lstrip()
    return text


# programs

_PROGRAMS = (
    *(b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xca\xfe\xd0\x0d", b"dex\n", b"\0asm", b"!<arch>\n"),
    *(b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"),
    b"L\0\0\0\x01\x14\x02\0",  # a Windows shortcut
)
_PROGRAM_MEMBERS = ("META-INF/MANIFEST.MF", "AndroidManifest.xml", "Payload/", "classes.dex")


def is_program(head: bytes) -> bool:
    """Executables, scripts with an interpreter line, shortcuts, Java and phone apps."""
    if head.startswith(b"#!") and not head.startswith(b"#!AMR"):
        return True
    if head.startswith(_PROGRAMS):
        return True
    return head.startswith(b"PK\x03\x04") and any(
        name.startswith(_PROGRAM_MEMBERS) for name in zip_names(head)
    )
