"""Pieces of evidence as teachers of a term add them: links, small pictures, pages of text."""

import hashlib
import io
from collections.abc import Callable

from PIL import Image
from sqlalchemy.orm import Session

from microcred.operations import evidence
from microcred.operations.actor import Actor
from microcred.operations.evidence import NewFile
from tests.term.world import Term

Adding = Callable[[Session], str]


def link(
    term: Term,
    actor: Actor,
    part_id: str,
    requirement_id: str,
    _accepted: tuple[str, ...],
    mark: str,
    caption: str,
) -> Adding:
    """Add a link."""
    url = evidence.check_url(f"boards.example.org/{mark}")
    return lambda session: evidence.add_link(
        session,
        actor,
        part_id=part_id,
        requirement_id=requirement_id,
        url=url,
        caption=caption,
        now=term.now,
    )


def file(
    term: Term,
    actor: Actor,
    part_id: str,
    requirement_id: str,
    accepted: tuple[str, ...],
    mark: str,
    caption: str,
) -> Adding:
    """Store a file and add it: a picture where one is taken, else text. Its file name tells whose."""
    group, media_type, content = (
        ("image", "image/png", _picture(mark))
        if "image" in accepted
        else ("document", "text/plain", f"The plan {mark}".encode())
    )
    key = f"evidence/{mark}"
    stored = term.assembly.storage.put(key, [content])
    new = NewFile(key, stored.size, stored.sha256, f"teachername_{mark}", media_type, group)
    return lambda session: evidence.add_file(
        session,
        actor,
        part_id=part_id,
        requirement_id=requirement_id,
        file=new,
        caption=caption,
        now=term.now,
    )


def _picture(mark: str) -> bytes:
    """A picture like no other."""
    pixels = hashlib.sha256(mark.encode()).digest() * 6
    kept = io.BytesIO()
    Image.frombytes("RGB", (8, 8), pixels).save(kept, "PNG")
    return kept.getvalue()
