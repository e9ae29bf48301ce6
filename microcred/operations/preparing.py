"""What the worker does to a file before others see it: the malware scan, location data, a copy that plays.
A permission form is scanned and otherwise left as it was signed: only its teacher opens it.

A file waits in one of two states. `scanning`: nobody opens it, not even its owner. `preparing`: its owner
opens it as it came; reviewers see that it is being prepared.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred import media, outbox
from microcred.credentials.file_models import EvidenceFile
from microcred.credentials.models import Attempt, EvidenceItem, EvidencePermission
from microcred.database import Clock, Database
from microcred.media import Clamd, CopyFailed, Location, ScannerAway, TooLargeToScan, Tools
from microcred.operations import permitting
from microcred.operations.deleting_files import delete_files_later
from microcred.operations.file_rows import NOTHING_TO_DO
from microcred.people import audit
from microcred.storage import CHUNK, FileMissing, Storage, StorageError

_SCANNER_AGAIN = 30.0
ORIGINAL_KEPT = timedelta(days=60)
"""How long an original with a copy stays after the decision, for questions about it; the copy stays."""
_ORIGINALS_AT_ONCE = 200
_log = structlog.get_logger("evidence")


@dataclass(frozen=True)
class _Done:
    location: Location
    size: int
    copy: media.Copy | None = None
    problem: str = ""
    seconds: int | None = None


def handler(
    database: Database, storage: Storage, clock: Clock, tools: Tools, scanner: Clamd | None
) -> outbox.Handler:
    """Handler of kind `prepare_evidence`. Repeated, it writes the same files to the same places."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        key, media_type = str(job.payload["key"]), str(job.payload["media_type"])
        with database.reading() as session:
            file = session.get(EvidenceFile, key)
        if file is None or file.state in ("ready", "infected"):
            return outbox.Delivered(answer={"state": file.state if file else "gone"})
        try:
            if file.state == "scanning" and scanner is not None:
                verdict = scanner.scan(storage.stream(key, 0, file.size))
                if not verdict.is_clean:
                    return _lock_away(database, storage, clock, key, verdict.found)
            if job.payload.get("only_scan"):
                done = _Done(Location.KEPT, file.size)
            elif media_type in NOTHING_TO_DO:
                done = _Done(Location.NONE, file.size)
            else:
                _go_on(database, key)
                done = _prepare(storage, tools, key, media_type, file.size)
        except ScannerAway as away:
            _log.warning("scanner_away", said=str(away)[:200])
            return outbox.Retry(reason="scanner_away", after=_SCANNER_AGAIN, destination_failed=False)
        except TooLargeToScan:
            return outbox.Blocked(reason="too_large_to_scan")
        except FileMissing:
            return outbox.Delivered(answer={"state": "gone"})
        except (StorageError, OSError) as error:
            _log.warning("storage_away", error=type(error).__name__)
            return outbox.Retry(reason="storage_away", destination_failed=False)
        if not _settle(database, clock, key, done):
            _delete(storage, key, done)
        return outbox.Delivered(answer={"state": "ready", "location": done.location.value})

    return handle


def let_originals_go(session: Session, now: datetime) -> int:
    """Delete originals that have a copy which plays, some time after every try that shows them was decided;
    gives how many.
    """
    of_file = (EvidenceItem.storage_key == EvidenceFile.storage_key, EvidenceItem.removed_at.is_(None))
    shown = select(EvidenceItem.id).where(*of_file)
    undecided = (
        select(EvidenceItem.id)
        .join(Attempt, Attempt.id == EvidenceItem.attempt_id)
        .where(*of_file, Attempt.decided_at.is_(None) | (Attempt.decided_at > now - ORIGINAL_KEPT))
    )
    files = session.scalars(
        select(EvidenceFile)
        .where(
            EvidenceFile.view_key.is_not(None),
            EvidenceFile.original_gone_at.is_(None),
            EvidenceFile.settled_at < now - ORIGINAL_KEPT,
            shown.exists(),
            ~undecided.exists(),
        )
        .order_by(EvidenceFile.settled_at)
        .limit(_ORIGINALS_AT_ONCE)
    ).all()
    for file in files:
        file.original_gone_at = now
    delete_files_later(session, [file.storage_key for file in files], now)
    return len(files)


def _go_on(database: Database, key: str) -> None:
    """The scan is through: its owner may open it from now on."""
    with database.writing() as session:
        file = session.get(EvidenceFile, key, with_for_update=True)
        if file is not None and file.state == "scanning":
            file.state = "preparing"


def _prepare(storage: Storage, tools: Tools, key: str, media_type: str, size: int) -> _Done:
    tools.work_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools.work_folder) as name:
        folder = Path(name)
        path = folder / "original"
        with path.open("wb") as file:
            for chunk in storage.stream(key, 0, size):
                file.write(chunk)
        before = path.stat()
        location = media.remove_location(path, media_type, tools)
        after = path.stat()
        if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
            storage.put(key, _chunks(path))
        seconds = media.seconds_of(path, media_type, tools)
        try:
            copy = media.viewing_copy(path, media_type, tools)
        except CopyFailed as failed:
            _log.warning("no_viewing_copy", media_type=media_type, code=failed.code, said=failed.said[-300:])
            return _Done(location, after.st_size, problem=failed.code, seconds=seconds)
        if copy is not None:
            storage.put(_view_key(key), _chunks(copy.path))
        return _Done(location, after.st_size, copy, seconds=seconds)


def _view_key(key: str) -> str:
    return f"views/{key.rpartition('/')[2]}"


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _settle(database: Database, clock: Clock, key: str, done: _Done) -> bool:
    """Put on record what came of it; gives whether anybody still shows the file."""
    with database.writing() as session:
        file = session.get(EvidenceFile, key, with_for_update=True)
        shown = select(EvidenceItem.id).where(
            EvidenceItem.storage_key == key, EvidenceItem.removed_at.is_(None)
        )
        form = select(EvidencePermission.id).where(EvidencePermission.form_key == key)
        if file is None or not any(session.scalar(query.limit(1)) for query in (shown, form)):
            return False
        file.state, file.settled_at = "ready", clock.now()
        file.size, file.location, file.view_problem = done.size, done.location.value, done.problem
        file.seconds = done.seconds
        if done.copy is not None:
            file.view_key = _view_key(key)
            file.view_media_type, file.view_size = done.copy.media_type, done.copy.size
    return True


def _delete(storage: Storage, key: str, done: _Done) -> None:
    """Everybody has removed it meanwhile: what was written since is not left behind."""
    storage.delete(key)
    if done.copy is not None:
        storage.delete(_view_key(key))


def _lock_away(database: Database, storage: Storage, clock: Clock, key: str, found: str) -> outbox.Outcome:
    """Malware: the bytes go, the row says so on every page that showed the file."""
    storage.delete(key)
    with database.writing() as session:
        file = session.get(EvidenceFile, key, with_for_update=True)
        if file is not None:
            file.state, file.settled_at = "infected", clock.now()
            audit.record(
                session,
                at=clock.now(),
                actor_id=None,
                action="evidence_infected",
                subject=("evidence_file", key[:60]),
                before="scanning",
                after="infected",
                detail={"found": found[:200]},
            )
            permitting.end_infected(session, key, clock.now())
    _log.warning("malware_found", key=key, found=found[:200])
    return outbox.Delivered(answer={"state": "infected"})
