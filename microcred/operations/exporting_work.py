"""A person's own work in their export: pursuits, tries, evidence, permissions, feedback."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from lti_tool.models import Context
from microcred.credentials.models import (
    Attempt,
    CredentialVersion,
    Decision,
    EvidenceItem,
    EvidencePermission,
    Pursuit,
    Rating,
    Response,
    Review,
)
from microcred.credentials.review_models import Appeal, TeacherRequest
from microcred.operations.reading_feedback import SHOWN
from microcred.placements import Placement


@dataclass(frozen=True)
class ExportFile:
    """A file of the export: its name in the zip and where it is stored."""

    name: str
    storage_key: str
    size: int


def pursuit_data(session: Session, pursuit: Pursuit, files: list[ExportFile]) -> dict[str, Any]:
    """All of one pursuit; its files are added to `files`."""
    version = session.get_one(CredentialVersion, pursuit.version_id)
    placement = session.get_one(Placement, pursuit.placement_id)
    course = session.get(Context, placement.context_id) if placement.context_id is not None else None
    permissions = session.scalars(
        select(EvidencePermission)
        .where(EvidencePermission.pursuit_id == pursuit.id)
        .options(joinedload(EvidencePermission.form))
        .order_by(EvidencePermission.id)
    )
    tries = session.scalars(
        select(Attempt).where(Attempt.pursuit_id == pursuit.id).order_by(Attempt.number)
    ).all()
    return {
        "credential": version.title,
        "code": version.code,
        "version": version.version,
        "course": course.title if course is not None else None,
        "begun_at": pursuit.created_at,
        "name_for_reviewers": pursuit.alias,
        "permissions": [
            {
                "student": one.student_code,
                "kind": one.kind,
                "given_at": one.given_at,
                "basis": one.basis,
                **_form(one, files),
                "holds_until": one.expires_on,
                "withdrawn_at": one.withdrawn_at,
                "ended_because": one.ended_because,
            }
            for one in permissions
        ],
        "tries": [_try(session, attempt, files) for attempt in tries],
        "appeals": [
            {"opened_at": one.opened_at, "reason": one.reason, "closed_at": one.closed_at}
            for one in session.scalars(
                select(Appeal)
                .where(Appeal.attempt_id.in_([attempt.id for attempt in tries]))
                .order_by(Appeal.id)
            )
        ],
        "requests": [
            {"kind": one.kind, "message": one.message, "asked_at": one.asked_at, "answer": one.answer}
            for one in session.scalars(
                select(TeacherRequest)
                .where(TeacherRequest.pursuit_id == pursuit.id)
                .order_by(TeacherRequest.id)
            )
        ],
    }


def _try(session: Session, attempt: Attempt, files: list[ExportFile]) -> dict[str, Any]:
    responses = session.scalars(
        select(Response).where(Response.attempt_id == attempt.id).order_by(Response.id)
    )
    items = session.scalars(
        select(EvidenceItem)
        .where(EvidenceItem.attempt_id == attempt.id, EvidenceItem.removed_at.is_(None))
        .options(joinedload(EvidenceItem.file))
        .order_by(EvidenceItem.id)
    )
    decisions = session.scalars(
        select(Decision)
        .where(Decision.attempt_id == attempt.id, Decision.kind.in_(SHOWN))
        .order_by(Decision.id)
    )
    return {
        "number": attempt.number,
        "state": attempt.state,
        "submitted_at": attempt.submitted_at,
        "decided_at": attempt.decided_at,
        "came_back_because": attempt.incomplete_because or None,
        "answers": [
            {
                "question": one.prompt_id,
                "student": one.student_code or None,
                "text": one.body,
                "saved_at": one.saved_at,
            }
            for one in responses
        ],
        "evidence": [_evidence(item, files) for item in items],
        "feedback": _feedback(session, attempt),
        "decisions": [
            {"decision": one.kind, "reason": one.reason, "at": one.decided_at} for one in decisions
        ],
    }


def _evidence(item: EvidenceItem, files: list[ExportFile]) -> dict[str, Any]:
    said = {
        "for": item.requirement_id,
        "student": item.student_code or None,
        "title": item.caption,
        "added_at": item.created_at,
    }
    if item.storage_key is None:
        return {**said, "link": item.url}
    name = f"evidence/{item.public_id}-{_file_name(item.file_name or 'file')}"
    key, size, media_type = item.storage_key, item.size or 0, item.media_type
    if (file := item.file) is not None:
        if file.state not in ("ready", "preparing"):
            return {**said, "file": None, "locked_away": file.state}
        size = file.size
        if file.original_gone_at is not None and file.view_key is not None:
            key, size, media_type = file.view_key, file.view_size or 0, file.view_media_type
    files.append(ExportFile(name, key, size))
    return {**said, "file": name, "type": media_type, "bytes": size, "transcript": item.transcript or None}


def _form(row: EvidencePermission, files: list[ExportFile]) -> dict[str, Any]:
    """The form of a permission, as its teacher gave it."""
    if row.form_key is None or row.form is None:
        return {"form": None}
    if row.form.state != "ready":
        return {"form": None, "form_name": row.form_name, "locked_away": row.form.state}
    name = f"permissions/{row.public_id}-{_file_name(row.form_name or 'form')}"
    files.append(ExportFile(name, row.form_key, row.form.size))
    return {"form": name, "form_name": row.form_name}


def _feedback(session: Session, attempt: Attempt) -> list[dict[str, Any]]:
    """Ratings and comments of a decided try, as the teacher's own page shows them: reviewers have no name."""
    if attempt.decided_at is None:
        return []
    rows = session.scalars(
        select(Rating)
        .join(Review, Review.id == Rating.review_id)
        .where(Review.attempt_id == attempt.id, Review.finished_at.is_not(None))
        .order_by(Review.id, Rating.id)
    ).all()
    numbers = {
        review_id: number for number, review_id in enumerate(dict.fromkeys(r.review_id for r in rows), 1)
    }
    return [
        {
            "reviewer": numbers[one.review_id],
            "point": one.criterion_id,
            "level": one.level,
            "comment": one.comment,
        }
        for one in rows
    ]


def _file_name(name: str) -> str:
    """A name that every system can unpack, in the folder it belongs to."""
    kept = "".join(c if c.isalnum() or c in " ._-" else "_" for c in name).strip(" .")
    return kept[-120:] or "file"
