"""Location data out of documents: of the pictures in Office and OpenDocument files and in PDF, and what these
say about who made them and where.
"""

import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

import pikepdf

from microcred.media import images

_MOST_MEMBERS = 20_000
_MOST_BYTES = 2 * 1000 * 1000 * 1000
_LARGEST_PDF = 500 * 1000 * 1000
_CHUNK = 1024 * 1024
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org"
_EMPTY = {
    "docProps/core.xml": f"{_XML}<cp:coreProperties"
    f' xmlns:cp="{_PACKAGE}/package/2006/metadata/core-properties"/>',
    "docProps/app.xml": f'{_XML}<Properties xmlns="{_PACKAGE}/officeDocument/2006/extended-properties"/>',
    "docProps/custom.xml": f'{_XML}<Properties xmlns="{_PACKAGE}/officeDocument/2006/custom-properties"/>',
    "meta.xml": f'{_XML}<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' office:version="1.2"/>',
}
"""Properties of the whole document: author, company, time. They are there, and say nothing."""
_PICTURES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".heic": "image/heic",
}


class Unreadable(Exception):
    """The file is damaged, locked by a password, or larger than is worked on."""


def strip_zipped(path: Path) -> bool:
    """Write an Office or OpenDocument file anew without metadata; gives whether a position was among them.

    Raises Unreadable; the file is as it was then.
    """
    fresh = path.with_suffix(".fresh")
    try:
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(fresh, "w") as new:
            found = _copy_members(old, new)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, KeyError) as error:
        fresh.unlink(missing_ok=True)
        raise Unreadable("the archive is damaged or locked") from error
    fresh.replace(path)
    return found


def _copy_members(old: zipfile.ZipFile, new: zipfile.ZipFile) -> bool:
    members = old.infolist()
    if len(members) > _MOST_MEMBERS or sum(member.file_size for member in members) > _MOST_BYTES:
        raise ValueError("larger than is worked on")
    found = False
    for member in members:
        kept = zipfile.ZipInfo(member.filename, date_time=(1980, 1, 1, 0, 0, 0))
        kept.compress_type = member.compress_type
        kept.external_attr = member.external_attr
        kind = _PICTURES.get(PurePosixPath(member.filename).suffix.lower())
        if member.filename in _EMPTY:
            new.writestr(kept, _EMPTY[member.filename])
        elif kind is not None and member.file_size <= images.LARGEST:
            content, was_there = _picture(old.read(member), kind)
            found = found or was_there
            new.writestr(kept, content)
        else:
            with (
                old.open(member) as source,
                new.open(kept, "w", force_zip64=member.file_size > 1 << 31) as to,
            ):
                _copy(source, to)
    return found


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    shutil.copyfileobj(source, target, _CHUNK)


def _picture(data: bytes, kind: str) -> images.Stripped:
    try:
        return images.STRIPPERS[kind](data)
    except images.Unreadable:
        if b"Exif\0\0" in data or b"GPS" in data:
            raise ValueError("a picture in it cannot be read") from None
        return data, False


def strip_pdf(path: Path) -> bool:
    """Write a PDF anew without metadata; gives whether a position was among them. Raises Unreadable."""
    if path.stat().st_size > _LARGEST_PDF:
        raise Unreadable("it is too large")
    fresh = path.with_suffix(".fresh")
    try:
        with pikepdf.open(path) as pdf:
            found = _strip_objects(pdf)
            for name in ("/Info",):
                if name in pdf.trailer:
                    del pdf.trailer[name]
            pdf.remove_unreferenced_resources()
            pdf.save(fresh, encryption=False)
    except (pikepdf.PdfError, pikepdf.PasswordError, ValueError, RuntimeError, TypeError) as error:
        fresh.unlink(missing_ok=True)
        raise Unreadable("it is damaged or locked by a password") from error
    fresh.replace(path)
    return found


def _strip_objects(pdf: pikepdf.Pdf) -> bool:
    found = False
    for thing in pdf.objects:
        if not isinstance(thing, pikepdf.Stream | pikepdf.Dictionary):
            continue
        for name in ("/Metadata", "/PieceInfo", "/LastModified"):
            if name in thing:
                held = thing[name]
                found = found or (isinstance(held, pikepdf.Stream) and b"GPS" in held.read_bytes())
                del thing[name]
        if isinstance(thing, pikepdf.Stream) and thing.get("/Filter") in ("/DCTDecode", ["/DCTDecode"]):
            stripped, was_there = _picture(thing.read_raw_bytes(), "image/jpeg")
            found = found or was_there
            thing.write(stripped, filter=pikepdf.Name.DCTDecode)
    return found
