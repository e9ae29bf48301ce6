"""Adding, naming and removing evidence, and permissions. A file goes to the store first, its row after."""

from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from flask import redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from microcred.credentials.errors import EvidenceRefused
from microcred.credentials.evidence_types import HEAD_BYTES, identify
from microcred.database import random_id
from microcred.operations import evidence, opening_evidence, permitting
from microcred.operations.errors import OperationRefused
from microcred.operations.evidence import NewFile
from microcred.storage import CHUNK, StorageError, TooLarge
from microcred.web.base import wording
from microcred.web.base.files import first_byte_asked, send_stored
from microcred.web.base.incoming import BodyTooLarge, takes_files, wants_fragment
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services
from microcred.web.teacher.blueprint import blueprint, said
from microcred.web.teacher.link_check import Look, look_at
from microcred.web.teacher.parts import Note, part_page

_KEPT = "Everything else is saved."


@blueprint.post("/parts/<part_id>/evidence")
@takes_files
def add(part_id: str) -> ResponseReturnValue:
    """Add a file or a link to a requirement."""
    requirement_id = request.form.get("requirement", "")
    upload = request.files.get("file")
    try:
        if upload is not None and upload.filename:
            return _done(part_id, requirement_id, _add_file(part_id, requirement_id, upload))
        if "text-url" in request.form:
            return _done(part_id, requirement_id, _add_link(part_id, requirement_id))
    except OperationRefused as refused:
        if refused.status != 409:
            raise
        note = Note(requirement_id, "stop", _what_happened(upload), f"{refused.message} {_KEPT}")
        return part_page(part_id, note=note), 409
    note = Note(requirement_id, "stop", "No file was chosen", "Choose a file first, then press Add.")
    return part_page(part_id, note=note), 400


@blueprint.errorhandler(BodyTooLarge)
def too_large(error: BodyTooLarge) -> ResponseReturnValue:
    """A file over the limit, on the page it was meant for."""
    sizes = f"It is {wording.size(error.size)} and the limit is {wording.size(error.limit)}."
    part_id = (request.view_args or {}).get("part_id")
    if part_id is None:
        raise error
    note = Note("", "stop", "The file did not upload", f"{sizes} Choose a smaller one. {_KEPT}")
    return part_page(part_id, note=note), 413


@blueprint.get("/evidence/<public_id>")
def open_item(public_id: str) -> ResponseReturnValue:
    """The teacher's own file, by ranges, or a redirect to their link."""
    used = services()
    with used.database.writing() as session:
        item = opening_evidence.open_item(
            session,
            actor(),
            public_id=public_id,
            now=used.clock.now(),
            count=first_byte_asked(),
            original="original" in request.args,
        )
    if item.url is not None:
        return redirect(item.url, 303)
    assert item.storage_key is not None
    return send_stored(
        used.storage, item.storage_key, size=item.size, media_type=item.media_type, name=item.file_name
    )


@blueprint.post("/evidence/<public_id>/caption")
def name(public_id: str) -> ResponseReturnValue:
    """Give a piece its title."""
    with services().database.writing() as session:
        item = evidence.set_caption(
            session,
            actor(),
            public_id=public_id,
            caption=request.form.get("text-caption", ""),
            now=services().clock.now(),
        )
    return _done(item.part_id, item.requirement_id, "named")


@blueprint.post("/evidence/<public_id>/transcript")
def transcribe(public_id: str) -> ResponseReturnValue:
    """Keep what is said in a recording."""
    with services().database.writing() as session:
        item = evidence.set_transcript(
            session,
            actor(),
            public_id=public_id,
            text=request.form.get("text-transcript", ""),
            now=services().clock.now(),
        )
    return _done(item.part_id, item.requirement_id, "transcribed")


@blueprint.post("/evidence/<public_id>/remove")
def remove(public_id: str) -> ResponseReturnValue:
    """Take a piece out; its file goes too once no try refers to it."""
    with services().database.writing() as session:
        removed = evidence.remove(session, actor(), public_id=public_id, now=services().clock.now())
    for key in removed.orphans:
        # Should the store not answer: the row is gone, nothing refers to the file, retention clears it away.
        with suppress(StorageError):
            services().storage.delete(key)
    return _done(removed.part_id, removed.requirement_id, "removed")


@blueprint.post("/permissions")
def permissions() -> ResponseReturnValue:
    """Put the teacher's word on record that permission for a student code is on file, or take it back."""
    given = request.form.get("given") == "1"
    with services().database.writing() as session:
        (permitting.give if given else permitting.withdraw)(
            session,
            actor(),
            student_code=request.form.get("student_code", ""),
            kind=request.form.get("kind", ""),
            now=services().clock.now(),
        )
    return _done(
        request.form.get("part", ""),
        request.form.get("requirement", ""),
        "permission" if given else "permission_back",
    )


def _done(part_id: str, requirement_id: str, code: str) -> ResponseReturnValue:
    """Back to the part: as a fragment for htmx, as a redirect otherwise."""
    if wants_fragment():
        note = Note(requirement_id, "pass" if code != "link_unclear" else "revise", said(code), "")
        return part_page(part_id, note=note)
    return redirect(page_url("teacher.part", part_id=part_id, ok=code, _anchor=requirement_id or None), 303)


def _what_happened(upload: FileStorage | None) -> str:
    if upload is not None and upload.filename:
        return f"“{upload.filename}” was not added"
    return "The link was not added"


def _add_file(part_id: str, requirement_id: str, upload: FileStorage) -> str:
    used = services()
    with used.database.reading() as session:
        need = evidence.check_space(session, actor(), part_id=part_id, requirement_id=requirement_id)
    stream, file_name = upload.stream, upload.filename or "file"
    size = _size(stream)
    limit = evidence.largest(need, used.settings.max_upload_bytes)
    if size > limit:
        raise OperationRefused(
            "file_too_large", f"It is {wording.size(size)} and the limit is {wording.size(limit)}."
        )
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    try:
        found = identify(head, file_name, size)
    except EvidenceRefused as refused:
        raise OperationRefused(refused.code, refused.message) from refused
    key = f"evidence/{random_id()}"
    try:
        stored = used.storage.put(key, _chunks(stream), limit=limit)
    except TooLarge as error:
        raise OperationRefused("file_too_large", f"The limit is {wording.size(limit)}.") from error
    try:
        with used.database.writing() as session:
            evidence.add_file(
                session,
                actor(),
                part_id=part_id,
                requirement_id=requirement_id,
                file=NewFile(
                    key,
                    stored.size,
                    stored.sha256,
                    file_name,
                    found.media_type,
                    found.group,
                    used.settings.scans_files,
                ),
                caption=request.form.get("text-caption", ""),
                now=used.clock.now(),
            )
    except Exception:
        used.storage.delete(key)  # no row came to refer to it
        raise
    return "added"


def _add_link(part_id: str, requirement_id: str) -> str:
    used = services()
    url = evidence.check_url(request.form.get("text-url", ""))
    with used.database.reading() as session:
        evidence.check_space(session, actor(), part_id=part_id, requirement_id=requirement_id)
    look = look_at(used.outgoing, url)
    if look is Look.NOTHING_THERE and "anyway" not in request.form:
        raise OperationRefused(
            "link_to_nothing",
            "We could not find a page behind this link. Check the address; "
            "if you are sure that reviewers can open it, tick “Add it anyway”.",
        )
    if look is Look.NOT_PUBLIC:
        raise OperationRefused(
            "link_not_public",
            "This address is not on the public internet, so reviewers could not open it. Upload a file.",
        )
    with used.database.writing() as session:
        evidence.add_link(
            session,
            actor(),
            part_id=part_id,
            requirement_id=requirement_id,
            url=url,
            caption=request.form.get("text-caption", ""),
            now=used.clock.now(),
        )
    return "added" if look is Look.FINE else "link_unclear"


def _size(stream: IO[bytes]) -> int:
    stream.seek(0, 2)
    size = stream.tell()
    stream.seek(0)
    return size


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk
