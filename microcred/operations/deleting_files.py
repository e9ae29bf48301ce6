"""Files of the store that nothing refers to any more: deleted by the worker, some at a time."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from microcred import outbox
from microcred.storage import Storage, StorageError

DELETE_FILES = "delete_files"
"""Outbox kind: delete files that nothing refers to any more."""
_FILES_A_ROW = 200
_INSTALLATION = ("installation", "1")


def delete_files_handler(storage: Storage) -> outbox.Handler:
    """Handler of kind `delete_files`; a file that is gone already is no error."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        keys, folders = job.payload.get("keys", []), job.payload.get("folders", [])
        try:
            for key in keys:
                storage.delete(key)
            for folder in folders:
                storage.delete_folder(folder)
        except (StorageError, OSError):
            return outbox.Retry(reason="storage_away", destination_failed=False)
        return outbox.Delivered(answer={"files": len(keys), "folders": len(folders)})

    return handle


def delete_files_later(
    session: Session, keys: Sequence[str], now: datetime, subject: tuple[str, str] = _INSTALLATION
) -> None:
    """Let the worker delete files of the store; `subject` is whose they were (type, id)."""
    _delete_of_store(session, "keys", keys, now, subject)


def delete_folders_later(session: Session, folders: Sequence[str], now: datetime) -> None:
    """Let the worker delete folders of the store with all that is in them."""
    _delete_of_store(session, "folders", folders, now, _INSTALLATION)


def _delete_of_store(
    session: Session, what: str, names: Sequence[str], now: datetime, subject: tuple[str, str]
) -> None:
    for start in range(0, len(names), _FILES_A_ROW):
        outbox.add(
            session,
            kind=DELETE_FILES,
            destination="local",
            order_key=None,
            subject=subject,
            payload={what: list(names[start : start + _FILES_A_ROW])},
            now=now,
        )
