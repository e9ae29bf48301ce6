"""The row of a file that has just been stored: what is to be done to it, and whether anybody may open it yet.

The work itself is the worker's (`preparing`).
"""

from datetime import datetime

from sqlalchemy.orm import Session

from microcred import outbox
from microcred.credentials.file_models import EvidenceFile
from microcred.media import Location
from microcred.operations.errors import OperationRefused

KIND = "prepare_evidence"
"""Outbox kind: scan a file, free it of location data, make the copy that plays."""
NOTHING_TO_DO = frozenset({"text/plain", "text/csv", "text/markdown", "text/vtt"})
"""Types that have no place for location data and open everywhere."""


def begin_preparing(
    session: Session, *, storage_key: str, size: int, media_type: str, to_scan: bool, now: datetime
) -> None:
    """Write the row of a file that has just been stored, and see to it that it is worked on."""
    plain = media_type in NOTHING_TO_DO
    state = "scanning" if to_scan else "ready" if plain else "preparing"
    session.add(
        EvidenceFile(
            storage_key=storage_key,
            state=state,
            size=size,
            location="none" if plain else "unknown",
            view_problem="",
            added_at=now,
            settled_at=now if state == "ready" else None,
        )
    )
    session.flush()
    if state != "ready":
        outbox.add(
            session,
            kind=KIND,
            # A long film must not keep photos waiting.
            destination="recordings" if media_type.startswith(("audio/", "video/")) else "documents",
            order_key=f"{KIND}:{storage_key}",
            subject=("evidence_file", storage_key[:60]),
            payload={"key": storage_key, "media_type": media_type},
            now=now,
        )


def begin_scanning(
    session: Session, *, storage_key: str, size: int, media_type: str, to_scan: bool, now: datetime
) -> None:
    """Write the row of a form that has just been stored; with `to_scan` nobody opens it before the scan."""
    session.add(
        EvidenceFile(
            storage_key=storage_key,
            state="scanning" if to_scan else "ready",
            size=size,
            location=Location.KEPT.value,
            view_problem="",
            added_at=now,
            settled_at=None if to_scan else now,
        )
    )
    session.flush()
    if to_scan:
        outbox.add(
            session,
            kind=KIND,
            destination="documents",
            order_key=f"{KIND}:{storage_key}",
            subject=("evidence_file", storage_key[:60]),
            payload={"key": storage_key, "media_type": media_type, "only_scan": True},
            now=now,
        )


def check_unlocked(file: EvidenceFile | None) -> None:
    """Refuse to open a file that is locked away. Raises OperationRefused (`scanning`, `infected`)."""
    if file is not None and file.state == "scanning":
        raise OperationRefused(
            "scanning", "This file is being checked for malware. It opens as soon as that is done."
        )
    if file is not None and file.state == "infected":
        raise OperationRefused(
            "infected", "This file held malware and was deleted. Remove it, and add a clean one."
        )
