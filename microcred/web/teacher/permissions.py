"""The ledger of permissions: who agreed, on what, until when."""

from contextlib import suppress
from datetime import date

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from microcred.credentials.errors import EvidenceRefused
from microcred.credentials.evidence_types import HEAD_BYTES, identify
from microcred.database import random_id
from microcred.operations import permitting, reading_teacher
from microcred.operations.errors import OperationRefused
from microcred.storage import StorageError, TooLarge
from microcred.web.base.files import send_stored
from microcred.web.base.incoming import takes_files
from microcred.web.base.surface import actor, page_url
from microcred.web.services import services
from microcred.web.teacher.blueprint import blueprint, said

LONGEST_FORM = 20 * 1024 * 1024
_GROUPS = ("pdf", "image", "document")


@blueprint.get("/permissions")
def ledger() -> ResponseReturnValue:
    """Every permission that this credential needs, and what is on record."""
    return _page(said(request.args.get("ok")))


@blueprint.post("/permissions/give")
@takes_files
def give_permission() -> ResponseReturnValue:
    """Put a permission on record: the form, or the teacher's word, until a day or without one."""
    form = request.files.get("file")
    key = None
    try:
        expires_on = _day(request.form.get("expires_on", ""))
        kept = _store(form) if form is not None and form.filename else None
        key = kept.storage_key if kept else None
        if kept is None and "attest" not in request.form:
            raise OperationRefused(
                "no_basis", "Choose the form, or tick that it is on file at your school. Nothing was saved."
            )
        with services().database.writing() as session:
            permitting.give(
                session,
                actor(),
                student_code=request.form.get("student_code", ""),
                kind=request.form.get("kind", ""),
                form=kept,
                expires_on=expires_on,
                now=services().clock.now(),
            )
    except OperationRefused as refused:
        _forget(key)
        if refused.status != 409:
            raise
        return _page("", refused.message), 409
    except Exception:
        _forget(key)
        raise
    return redirect(page_url("teacher.ledger", ok="permission"), 303)


@blueprint.post("/permissions/withdraw")
def withdraw_permission() -> ResponseReturnValue:
    """Take a permission back, at any time: a family may change its mind."""
    with services().database.writing() as session:
        came_back = permitting.withdraw(
            session,
            actor(),
            student_code=request.form.get("student_code", ""),
            kind=request.form.get("kind", ""),
            now=services().clock.now(),
        )
    code = "permission_back_try" if came_back else "permission_back"
    return redirect(page_url("teacher.ledger", ok=code), 303)


@blueprint.get("/permissions/forms/<public_id>")
def open_form(public_id: str) -> ResponseReturnValue:
    """The teacher's own form."""
    used = services()
    with used.database.writing() as session:
        form = permitting.open_form(session, actor(), public_id, used.clock.now())
    return send_stored(
        used.storage, form.storage_key, size=form.size, media_type=form.media_type, name=form.file_name
    )


def _page(done: str, refused: str = "") -> str:
    with services().database.reading() as session:
        accounts = permitting.ledger(session, actor())
        loaded = reading_teacher.load(session, actor())
    return render_template(
        "teacher/permissions.html",
        definition=loaded.definition,
        accounts=accounts,
        said=done,
        refused=refused,
        limit=LONGEST_FORM,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise OperationRefused(
            "no_day", "Write the last day as year-month-day, such as 2027-06-30. Nothing was saved."
        ) from error


def _store(upload: FileStorage) -> permitting.Form:
    name = upload.filename or "form"
    head = upload.stream.read(HEAD_BYTES)
    upload.stream.seek(0, 2)
    size = upload.stream.tell()
    upload.stream.seek(0)
    if size > LONGEST_FORM:
        raise OperationRefused("form_too_large", "A form may have 20 MB. Nothing was saved.")
    try:
        found = identify(head, name, size)
    except EvidenceRefused as refused:
        raise OperationRefused(refused.code, refused.message) from refused
    if found.group not in _GROUPS:
        raise OperationRefused("form_of_another_kind", "A form is a PDF, a photo or a document.")
    key = f"permissions/{random_id()}"
    try:
        stored = services().storage.put(key, iter(lambda: upload.stream.read(65536), b""), limit=LONGEST_FORM)
    except TooLarge as error:
        raise OperationRefused("form_too_large", "A form may have 20 MB. Nothing was saved.") from error
    return permitting.Form(key, name, found.media_type, stored.size, services().settings.scans_files)


def _forget(key: str | None) -> None:
    """Delete a file that no row came to refer to; should the store not answer, retention clears it away."""
    if key is not None:
        with suppress(StorageError):
            services().storage.delete(key)
