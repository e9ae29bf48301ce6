"""Cropping and blurring a picture in the browser; the changed one takes the place of the old one."""

from contextlib import suppress

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from microcred.credentials.errors import EvidenceRefused
from microcred.credentials.evidence_types import HEAD_BYTES, identify
from microcred.database import random_id
from microcred.operations import evidence, reading_teacher
from microcred.operations.errors import OperationRefused
from microcred.operations.evidence import NewFile
from microcred.storage import CHUNK, StorageError, TooLarge
from microcred.web.base.incoming import takes_files
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services
from microcred.web.teacher.blueprint import blueprint


@blueprint.get("/evidence/<public_id>/blur")
def blur(public_id: str) -> ResponseReturnValue:
    """The picture with areas to blur or to keep."""
    return _page(public_id)


@blueprint.post("/evidence/<public_id>/blur")
@takes_files
def replace(public_id: str) -> ResponseReturnValue:
    """Take the changed picture."""
    used, upload = services(), request.files.get("file")
    if upload is None or not upload.filename:
        return _page(public_id, "No picture was sent. Choose the changed one first, then save."), 409
    head = upload.stream.read(HEAD_BYTES)
    upload.stream.seek(0, 2)
    size = upload.stream.tell()
    upload.stream.seek(0)
    key = f"evidence/{random_id()}"
    kept = False
    try:
        found = identify(head, upload.filename, size)
        stored = used.storage.put(
            key, iter(lambda: upload.stream.read(CHUNK), b""), limit=used.settings.max_upload_bytes
        )
        file = NewFile(
            key,
            stored.size,
            stored.sha256,
            upload.filename,
            found.media_type,
            found.group,
            used.settings.scans_files,
        )
        with used.database.writing() as session:
            place = evidence.replace(session, actor(), public_id=public_id, file=file, now=used.clock.now())
        kept = True
    except (EvidenceRefused, TooLarge) as refused:
        message = refused.message if isinstance(refused, EvidenceRefused) else "This picture is too large."
        return _page(public_id, message), 409
    except OperationRefused as refused:
        if refused.status != 409:
            raise
        return _page(public_id, refused.message), 409
    finally:
        if not kept:
            with suppress(StorageError):
                used.storage.delete(key)
    for orphan in place.orphans:
        with suppress(StorageError):
            used.storage.delete(orphan)
    return redirect(
        page_url("teacher.part", part_id=place.part_id, ok="blurred", _anchor=place.requirement_id), 303
    )


def _page(public_id: str, problem: str = "") -> str:
    with services().database.reading() as session:
        loaded = reading_teacher.load(session, actor())
    item = next((one for one in loaded.items if one.public_id == public_id), None)
    if item is None or item.type_group != "image" or loaded.attempt.state != "draft":
        raise NotFound
    return render_template("teacher/blur.html", definition=loaded.definition, item=item, problem=problem)
