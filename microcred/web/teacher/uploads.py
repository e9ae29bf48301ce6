"""Resumable uploads below `/app/<L>/uploads`: the tus protocol, version 1.0, with its extensions creation,
termination and expiration (tus.io/protocols/resumable-upload, "Core Protocol").

Bytes are kept as far as they arrived, a piece of at most 8 MiB at a time. What is refused is answered in
plain words: the script shows them as they are.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from datetime import UTC
from email.utils import format_datetime

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ClientDisconnected

from microcred.credentials.evidence_types import HEAD_BYTES
from microcred.operations import uploading
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.uploading import Standing, Wanted, WrongOffset
from microcred.web.base import wording
from microcred.web.base.incoming import takes_files, wants_fragment
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services
from microcred.web.teacher.blueprint import blueprint, said
from microcred.web.teacher.parts import Note, part_page

_VERSION = "1.0.0"
_EXTENSIONS = "creation,termination,expiration"
_BYTES = "application/offset+octet-stream"
_READ = 256 * 1024
_REFUSED = 422
"""Not 409, which clients take for a wrong offset and try again."""


@blueprint.route("/uploads", methods=["OPTIONS"])
def upload_options() -> Response:
    """What this server can do."""
    answer = _answer(204)
    answer.headers["Tus-Version"] = _VERSION
    answer.headers["Tus-Extension"] = _EXTENSIONS
    answer.headers["Tus-Max-Size"] = str(services().settings.max_upload_bytes)
    return answer


@blueprint.post("/uploads")
def begin_upload() -> Response:
    """Creation: `Upload-Length` and `Upload-Metadata` (filename, part, requirement, caption, fingerprint).

    The same file for the same requirement gives the upload that was begun before.
    """
    if (wrong := _wrong_version()) is not None:
        return wrong
    facts, length = _metadata(request.headers.get("Upload-Metadata", "")), _number("Upload-Length")
    if length is None or facts is None:
        return _answer(400, "Upload-Length or Upload-Metadata is missing, or is no such thing.")
    limit = services().settings.max_upload_bytes
    if length > limit:
        sizes = f"It is {wording.size(length)} and the limit is {wording.size(limit)}. Choose a smaller one."
        return _answer(413, sizes)
    mark = facts.get("fingerprint") or f"{facts.get('filename')}:{length}"
    wanted = Wanted(
        part_id=facts.get("part", ""),
        requirement_id=facts.get("requirement", ""),
        file_name=facts.get("filename", ""),
        caption=facts.get("caption", ""),
        fingerprint=hashlib.sha256(mark.encode("utf-8", "replace")).hexdigest(),
        length=length,
    )
    try:
        with services().database.writing() as session:
            begun = uploading.begin(session, actor(), wanted, limit=limit, now=services().clock.now())
    except OperationRefused as refused:
        return _refusal(refused)
    answer = _standing(begun, 201)
    answer.headers["Location"] = page_url("teacher.receive", public_id=begun.public_id)
    return answer


# HEAD stands here by itself: Flask answers it only for what can be got.
@blueprint.route("/uploads/<public_id>", methods=["HEAD"])
def upload_standing(public_id: str) -> Response:
    """How far an upload is."""
    try:
        with services().database.reading() as session:
            found = uploading.standing(session, actor(), public_id)
    except OperationRefused as refused:
        return _refusal(refused)
    if found.state == "refused":
        return _answer(410, found.problem)
    answer = _standing(found, 200)
    answer.headers["Upload-Length"] = str(found.length)
    return answer


@blueprint.patch("/uploads/<public_id>")
@takes_files
def receive(public_id: str) -> Response:
    """The bytes that follow those which are there."""
    if (wrong := _wrong_version()) is not None:
        return wrong
    if request.mimetype != _BYTES:
        return _answer(415, f"The content must be {_BYTES}.")
    offset = _number("Upload-Offset")
    if offset is None:
        return _answer(400, "Upload-Offset is missing.")
    try:
        with services().database.reading() as session:
            here = uploading.may_send(session, actor(), public_id, offset)
        if offset + (request.content_length or 0) > here.length:
            return _answer(413, "This is more than the file was said to have.")
        for piece in _pieces(here.length - offset):
            here = _keep(here, piece)
    except WrongOffset as wrong_offset:
        return _answer(409, wrong_offset.message)
    except OperationRefused as refused:
        return _refusal(refused)
    return _standing(here, 204)


@blueprint.delete("/uploads/<public_id>")
def end_upload(public_id: str) -> Response:
    """Termination: nothing of it stays."""
    try:
        with services().database.writing() as session:
            uploading.stop(session, actor(), public_id, services().clock.now())
    except OperationRefused as refused:
        return _refusal(refused)
    return _answer(204)


@blueprint.post("/uploads/<public_id>/stop")
def stop_upload(public_id: str) -> ResponseReturnValue:
    """The same as a plain form of the page."""
    with services().database.writing() as session:
        part_id, requirement_id = uploading.stop(session, actor(), public_id, services().clock.now())
    if wants_fragment():
        return part_page(part_id, note=Note(requirement_id, "pass", said("upload_stopped"), ""))
    target = page_url("teacher.part", part_id=part_id, ok="upload_stopped", _anchor=requirement_id)
    return redirect(target, 303)


def _keep(here: Standing, piece: bytearray) -> Standing:
    """Store a piece, then put it on record; a file of a wrong kind ends with its first bytes."""
    used, start = services(), here.received
    if start < HEAD_BYTES and start + len(piece) >= min(HEAD_BYTES, here.length):
        _check_kind(here, piece)
    key = uploading.piece_key(here.public_id, start)
    used.storage.put_bytes(key, piece)
    try:
        with used.database.writing() as session:
            return uploading.take_piece(
                session,
                actor(),
                here.public_id,
                start=start,
                size=len(piece),
                key=key,
                now=used.clock.now(),
            )
    except OperationRefused:
        used.storage.delete(key)
        raise


def _check_kind(here: Standing, piece: bytearray) -> None:
    used, head = services(), b""
    if here.received:
        with used.database.reading() as session:
            keys = uploading.pieces_before(session, actor(), here.public_id, here.received)
        head = b"".join(used.storage.read(key) for key in keys)
    try:
        uploading.check_head((head + piece[:HEAD_BYTES])[:HEAD_BYTES], here.file_name, here.length)
    except OperationRefused as refused:
        with used.database.writing() as session:
            uploading.refuse(session, here.public_id, refused.message, used.clock.now())
        raise


def _pieces(wanted: int) -> Iterator[bytearray]:
    """The body in pieces; what came before a connection broke is a piece too."""
    stream, piece = request.stream, bytearray()
    while wanted > 0:
        try:
            chunk = stream.read(min(_READ, wanted, uploading.PIECE - len(piece)))
        except (ClientDisconnected, OSError):
            chunk = b""
        piece += chunk
        wanted -= len(chunk)
        if piece and (not chunk or wanted == 0 or len(piece) == uploading.PIECE):
            yield piece
            piece = bytearray()
        if not chunk:
            return


def _answer(status: int, words: str = "") -> Response:
    answer = Response(words, status, mimetype="text/plain")
    answer.headers["Tus-Resumable"] = _VERSION
    return answer


def _standing(found: Standing, status: int) -> Response:
    answer = _answer(status)
    answer.headers["Upload-Offset"] = str(found.received)
    answer.headers["Upload-Expires"] = format_datetime(found.expires_at.astimezone(UTC), usegmt=True)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _refusal(refused: OperationRefused) -> Response:
    status = refused.status if isinstance(refused, NotFound) or refused.status == 403 else _REFUSED
    return _answer(status, refused.message)


def _wrong_version() -> Response | None:
    if request.headers.get("Tus-Resumable") == _VERSION:
        return None
    answer = _answer(412, f"This server speaks tus {_VERSION}.")
    answer.headers["Tus-Version"] = _VERSION
    return answer


def _number(header: str) -> int | None:
    value = request.headers.get(header, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None


def _metadata(header: str) -> dict[str, str] | None:
    """`Upload-Metadata`: names and Base64 values, separated by commas; None where it is no such thing."""
    facts = {}
    try:
        for pair in filter(None, (one.strip() for one in header.split(","))):
            name, _, value = pair.partition(" ")
            facts[name] = base64.b64decode(value, validate=True).decode().replace("\x00", "")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return facts
