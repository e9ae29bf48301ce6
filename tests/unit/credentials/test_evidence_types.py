"""Files are what their content says; programs, archives and empty files are refused in plain words."""

import io
import zipfile
from collections.abc import Iterable
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from microcred.credentials import EvidenceRefused
from microcred.credentials.evidence_types import HEAD_BYTES, identify
from microcred.credentials.schema import EvidenceGroup


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 20), "navy").save(file, kind)
    return file.getvalue()


def archive(names: Iterable[str], first: tuple[str, bytes] | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        if first:
            zipped.writestr(zipfile.ZipInfo(first[0]), first[1])
        for name in names:
            zipped.writestr(name, b"<xml/>")
    return file.getvalue()


def box(brand: bytes, *others: bytes, handler: bytes = b"") -> bytes:
    brands = b"".join(others)
    head = (16 + len(brands)).to_bytes(4, "big") + b"ftyp" + brand + b"\0\0\0\0" + brands
    return head + (b"\0\0\0\x28moov\0\0\0\x20hdlr" + b"\0" * 8 + handler + b"\0" * 12 if handler else b"")


OPEN_XML = "application/vnd.openxmlformats-officedocument."
WORD = archive(["[Content_Types].xml", "_rels/.rels", "word/document.xml"])
OPEN_TEXT = archive(["content.xml"], ("mimetype", b"application/vnd.oasis.opendocument.text"))
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


@pytest.mark.parametrize(
    ("head", "name", "media_type", "group"),
    [
        (picture("JPEG"), "a.jpg", "image/jpeg", "image"),
        (picture("JPEG"), "a.png", "image/jpeg", "image"),
        (picture("PNG"), "a", "image/png", "image"),
        (picture("GIF"), "a.gif", "image/gif", "image"),
        (picture("WEBP"), "a.webp", "image/webp", "image"),
        (picture("TIFF"), "a.tif", "image/tiff", "image"),
        (picture("BMP"), "a.bmp", "image/bmp", "image"),
        (box(b"heic", b"mif1", b"heic"), "IMG_1.HEIC", "image/heic", "image"),
        (box(b"mif1", b"heic"), "a.heif", "image/heif", "image"),
        (box(b"avif", b"mif1"), "a.avif", "image/avif", "image"),
        (b"%PDF-1.7\n...", "plan.pdf", "application/pdf", "pdf"),
        (b"\xef\xbb\xbf\n%PDF-1.4", "plan.pdf", "application/pdf", "pdf"),
        (WORD, "a.docx", OPEN_XML + "wordprocessingml.document", "document"),
        (WORD, "renamed.zip", OPEN_XML + "wordprocessingml.document", "document"),
        (
            archive(["[Content_Types].xml", "ppt/a"]),
            "a.pptx",
            OPEN_XML + "presentationml.presentation",
            "document",
        ),
        (
            archive(["[Content_Types].xml", "docProps/x"]),
            "a.xlsx",
            OPEN_XML + "spreadsheetml.sheet",
            "document",
        ),
        (OPEN_TEXT, "a.odt", "application/vnd.oasis.opendocument.text", "document"),
        (OLE, "old.doc", "application/msword", "document"),
        (OLE, "mail.msg", "application/vnd.ms-outlook", "document"),
        (b"{\\rtf1 hello}", "a.rtf", "application/rtf", "document"),
        ("Grüße an alle".encode(), "a.txt", "text/plain", "document"),
        ("Grüße".encode("cp1252"), "a.txt", "text/plain", "document"),
        ("Grüße".encode("utf-16"), "a.txt", "text/plain", "document"),
        (b"a,b\n1,2\n", "grid.csv", "text/csv", "document"),
        (b"From: a@example.org\r\nSubject: x\r\n\r\nHello", "a.eml", "message/rfc822", "document"),
        (b"<!-- x --><!DOCTYPE html><script>", "a.html", "text/html", "document"),
        (b"<?xml version='1.0'?><svg onload='x'>", "a.svg", "image/svg+xml", "document"),
        (b"<html>", "a.txt", "text/html", "document"),
        (b"ID3\x04" + b"\0" * 20, "a.mp3", "audio/mpeg", "audio"),
        (b"\xff\xfb\x90\x64" + b"\0" * 20, "a.mp3", "audio/mpeg", "audio"),
        (b"\xff\xf1\x50\x80" + b"\0" * 20, "a.aac", "audio/aac", "audio"),
        (b"#!AMR\n" + b"\0" * 20, "note.amr", "audio/amr", "audio"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a.wav", "audio/wav", "audio"),
        (b"fLaC\0\0", "a.flac", "audio/flac", "audio"),
        (b"OggS\0" + b"\0" * 30 + b"OpusHead", "a.ogg", "audio/ogg", "audio"),
        (box(b"M4A ", b"mp42"), "a.m4a", "audio/mp4", "audio"),
        (box(b"isom", b"mp42", handler=b"soun"), "talk.mp4", "audio/mp4", "audio"),
        (box(b"isom", b"mp42"), "a.m4a", "audio/mp4", "audio"),
        (b"\x1a\x45\xdf\xa3" + b"\0" * 16 + b"webm" + b"A_OPUS", "a.webm", "audio/webm", "audio"),
        (box(b"isom", b"mp42", handler=b"vide"), "a.mp4", "video/mp4", "video"),
        (box(b"mp42"), "a.mp4", "video/mp4", "video"),
        (box(b"qt  "), "a.mov", "video/quicktime", "video"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "a.mov", "video/quicktime", "video"),
        (box(b"3gp4", b"isom"), "a.3gp", "video/3gpp", "video"),
        (b"\x1a\x45\xdf\xa3" + b"\0" * 16 + b"webm" + b"V_VP9 A_OPUS", "a.webm", "video/webm", "video"),
        (b"RIFF\0\0\0\0AVI LIST", "a.avi", "video/x-msvideo", "video"),
        (b"OggS\0" + b"\0" * 30 + b"\x80theora", "a.ogv", "video/ogg", "video"),
    ],
)
def test_content_decides(head: bytes, name: str, media_type: str, group: str) -> None:
    found = identify(head[:HEAD_BYTES], name, len(head))
    assert (found.media_type, found.group) == (media_type, group)


@pytest.mark.parametrize(
    ("head", "name", "code"),
    [
        (b"", "photo.jpg", "empty"),
        (b"MZ\x90\0\x03", "photo.jpg", "program"),
        (b"\x7fELF\x02\x01", "plan.pdf", "program"),
        (b"\xcf\xfa\xed\xfe\x07", "a.docx", "program"),
        (b"\xca\xfe\xba\xbe\0\0", "a.png", "program"),
        (b"#!/bin/sh\nrm", "notes.txt", "program"),
        (b"L\0\0\0\x01\x14\x02\0\0", "a.pdf", "program"),
        (b"@echo off", "run.bat", "program"),
        (b"alert(1)", "a.js", "program"),
        (b"@echo off", "photo.jpg", "mismatch"),
        (archive(["META-INF/MANIFEST.MF", "A.class"]), "a.docx", "program"),
        (archive(["AndroidManifest.xml", "classes.dex"]), "a.zip", "program"),
        (archive(["photo.jpg"]), "photos.zip", "archive"),
        (archive(["photo.jpg"]), "photos.docx", "archive"),
        (archive(["[Content_Types].xml", "word/vbaProject.bin"]), "a.docx", "macros"),
        (WORD, "a.docm", "macros"),
        (OLE, "a.docx", "protected"),
        (OLE, "setup.png", "unknown"),
        (b"8BPS\0\x01\0\0\0\0", "a.psd", "unknown"),
        (bytes(range(256)) * 4, "photo.jpg", "unknown"),
        (b"Rar!\x1a\x07\0", "a.rar", "unknown"),
    ],
)
def test_what_nobody_should_open_is_refused(head: bytes, name: str, code: str) -> None:
    with pytest.raises(EvidenceRefused) as refused:
        identify(head, name, len(head))
    assert refused.value.code == code
    assert name in refused.value.message


def test_a_long_text_is_known_from_its_beginning() -> None:
    text = ("Grüße aus der Klasse. " * 9_000).encode()
    for cut in range(HEAD_BYTES - 3, HEAD_BYTES + 1):
        assert identify(text[:cut], "a.txt", len(text)).media_type == "text/plain"


def test_a_name_cannot_spoil_the_message() -> None:
    with pytest.raises(EvidenceRefused) as refused:
        identify(b"", "\u202egnp\n" + "x" * 500, 0)
    assert "\u202e" not in refused.value.message
    assert "\n" not in refused.value.message
    assert len(refused.value.message) < 200


def test_markup_with_many_comments_is_read_at_once() -> None:
    assert identify(b"<!-- -->" * 8_000, "a.txt", 64_000).group == "document"


@given(head=st.binary(min_size=1, max_size=600), name=st.text(max_size=30))
def test_any_bytes_are_either_known_or_refused(head: bytes, name: str) -> None:
    codes = {"empty", "program", "macros", "archive", "protected", "mismatch", "unknown"}
    try:
        answer = identify(head, name, len(head)).group
    except EvidenceRefused as refused:
        answer = refused.code
    assert answer in {*get_args(EvidenceGroup), *codes}
