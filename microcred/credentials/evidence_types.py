"""What a file is, judged by its content: the name only helps where formats share a container.

`identify` looks at the first bytes (give it `HEAD_BYTES` of them, or the whole file if it is shorter) and
says which of the catalogue's groups the file belongs to. Programs, scripts and archives are refused whatever
they are called.
"""

import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

import puremagic

from microcred.credentials import signatures
from microcred.credentials.errors import EvidenceRefused
from microcred.credentials.signatures import FileType

__all__ = ["HEAD_BYTES", "FileType", "identify"]

HEAD_BYTES = 65_536
_LONGEST_NAME = 80

_SCRIPT_NAMES = """
app applescript bash bat cgi cmd com command cpl csh dll exe hta htaccess jar js jse lnk mjs msi ps1 psm1 py
pyw rb reg scpt scr sh url vb vbe vbs webloc wsf wsh zsh
"""
_MACRO_NAMES = "docm dotm pptm potm ppsm xlsm xltm"
_MEDIA_NAMES = """
jpg jpeg png gif webp heic heif avif bmp tif tiff pdf mp3 m4a wav aac flac ogg amr mp4 m4v mov avi mkv webm
3gp wmv docx xlsx pptx doc xls ppt odt ods odp
"""
_SCRIPTS = frozenset(_SCRIPT_NAMES.split())
_MACROS = frozenset(_MACRO_NAMES.split())
_MEDIA = frozenset(_MEDIA_NAMES.split())
"""Names that promise something other than text."""


@dataclass(frozen=True)
class _File:
    head: bytes
    extension: str
    shown: str
    """The name as a message shows it."""


def identify(head: bytes, file_name: str, size: int) -> FileType:
    """The type of a file from its first bytes. `size` is that of the whole file, in bytes.

    Raises EvidenceRefused with the code `empty`, `program`, `macros`, `archive`, `protected`, `mismatch` or
    `unknown`.
    """
    file = _File(
        head[:HEAD_BYTES], PurePosixPath(file_name.strip()).suffix.lower().lstrip("."), _shown(file_name)
    )
    if size == 0 or not head:
        raise EvidenceRefused(
            "empty", f"{file.shown} is empty (0 bytes). Save it again and choose it once more."
        )
    _refuse_programs(file)
    found = (
        signatures.simple(file.head)
        or signatures.iso_media(file.head, file.extension)
        or signatures.matroska(file.head)
        or signatures.ogg(file.head)
        or _zipped(file)
        or _ole(file)
        or _text(file, size)
    )
    if found is None:
        raise EvidenceRefused(
            "unknown",
            f"{file.shown} {_what_it_may_be(file)}. Reviewers can open photos, PDF, documents, audio and"
            " video: save it as one of these and add it again.",
        )
    return found


def _refuse_programs(file: _File) -> None:
    if signatures.is_program(file.head):
        raise EvidenceRefused(
            "program", f"{file.shown} is a program, whatever its name says. It was not added."
        )
    if file.extension in _SCRIPTS:
        raise EvidenceRefused(
            "program", f"{file.shown} is a kind of file that can run commands. It was not added."
        )
    if file.extension in _MACROS or b"vbaProject.bin" in file.head:
        raise EvidenceRefused(
            "macros", f"{file.shown} contains macros. Save it without them, or as a PDF, and add it again."
        )


def _zipped(file: _File) -> FileType | None:
    if not file.head.startswith(b"PK"):
        return None
    found = signatures.office(file.head, file.extension)
    if found is None:
        raise EvidenceRefused(
            "archive", f"{file.shown} is an archive. Open it on your device and add the files one by one."
        )
    return found


def _ole(file: _File) -> FileType | None:
    if not file.head.startswith(signatures.OLE):
        return None
    if file.extension in signatures.OLE_TYPES:
        return signatures.OLE_TYPES[file.extension]
    if file.extension in signatures.OPEN_XML:
        raise EvidenceRefused(
            "protected", f"{file.shown} is protected by a password. Save it without one and add it again."
        )
    raise EvidenceRefused(
        "unknown", f"{file.shown} is not a document that reviewers can open. Save it as a PDF."
    )


def _text(file: _File, size: int) -> FileType | None:
    text = signatures.decoded(file.head, is_whole=len(file.head) >= size)
    if text is None:
        return None
    if file.extension in _MEDIA:
        raise EvidenceRefused(
            "mismatch",
            f"{file.shown} is called .{file.extension}, but it holds plain text. Choose the right file.",
        )
    return signatures.text_type(text, file.extension)


def _what_it_may_be(file: _File) -> str:
    try:
        guess = puremagic.magic_string(file.head, file.shown)[0]
    except puremagic.PureError:
        return "is not a kind of file we know"
    return (
        f"seems to be a file of another kind ({guess.name})"
        if guess.name
        else "is not a kind of file we know"
    )


def _shown(file_name: str) -> str:
    name = "".join(char for char in file_name if unicodedata.category(char)[0] != "C").strip() or "This file"
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    return short if short == "This file" else f"“{short}”"
