"""Changing how a course holds its credential, later: dates, grade option, version. Our own record changes;
the LMS's link and column stay as they are, and whoever changes something is told what that means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.sessions import PageSession
from microcred.credentials import Definition, definition_of
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Decision, Pursuit
from microcred.operations import pools
from microcred.operations.actor import Actor
from microcred.operations.arriving import placement_of
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.placing import days_of
from microcred.operations.selecting import may_place
from microcred.people import audit, holders
from microcred.placements import (
    SCHEME_LABELS,
    GradeColumn,
    Placement,
    columns_for,
    find,
)

KEPT = "Nothing was changed."
DENIED_LABELS = {"blank": "Leave the cell empty", "zero": "A zero, once the time to appeal is over"}


@dataclass(frozen=True)
class NewerVersion:
    """A version of the same credential that was published after the placement's."""

    public_id: str
    version: str
    title: str
    published_at: datetime
    new_parts: tuple[str, ...]
    """Titles of parts that the placement's version does not have."""


@dataclass(frozen=True)
class PlacementSettings:
    """A placement as its course's staff may change it."""

    definition: Definition
    version: str
    scheme: str
    schemes: tuple[tuple[str, str], ...]
    """Key and label of the options that can still be chosen; one alone is settled."""
    settled_because: str | None
    """Why the grade option cannot change any more."""
    denied_as: str
    open_from: datetime | None
    submit_by: datetime | None
    pool: str
    """A key of `pools`."""
    pools: Mapping[str, str]
    """Key and label of the reviewers it may choose."""
    reviewers: int
    stack: str | None
    """Title of the stack that a column of this placement counts."""
    started: int
    """Teachers who have begun; they stay on their version."""
    newer: NewerVersion | None


def settings(session: Session, actor: Actor, now: datetime) -> PlacementSettings:
    """What the course's placement is set to. Raises NotAllowed, NotFound."""
    placement = _own(session, may_place(actor))
    version = session.get_one(CredentialVersion, placement.version_id)
    definition = definition_of(session, version)
    settled = _settled(session, placement)
    issuer_id = _issuer_id(session, placement)
    started = select(func.count()).select_from(Pursuit).where(Pursuit.placement_id == placement.id)
    return PlacementSettings(
        definition=definition,
        version=version.version,
        scheme=placement.grade_scheme,
        schemes=tuple((key, SCHEME_LABELS[key]) for key in _schemes(placement, settled)),
        settled_because=settled,
        denied_as=placement.denied_as,
        open_from=placement.open_from,
        submit_by=placement.submit_by,
        pool=pools.key_of(session, placement),
        pools=pools.choices(session, placement.organization_id),
        reviewers=len(set(holders(session, "reviewer", issuer_id, now))),
        stack=_stack_title(session, placement),
        started=session.scalar(started) or 0,
        newer=_newer(session, version, definition),
    )


def newer_version(session: Session, placement: Placement) -> str | None:
    """The name of the newest version, where it is not the placement's."""
    row = _newest(session, session.get_one(CredentialVersion, placement.version_id))
    return row.version if row is not None else None


def change(
    session: Session,
    actor: Actor,
    *,
    scheme: str,
    denied_as: str,
    open_from: str = "",
    submit_by: str,
    pool: str,
    counts_stack: bool = True,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Set grade option, what not awarded looks like, first and last day (ISO dates or empty) and who reads
    work that is handed in from now on; a review under way stays with its reviewer. Without `counts_stack` the
    column of a stack hears nothing more. Raises NotAllowed, NotFound, OperationRefused.
    """
    placement = _own(session, may_place(actor))
    if scheme not in _schemes(placement, _settled(session, placement)):
        raise OperationRefused("scheme_settled", f"The grade option cannot change to that here. {KEPT}")
    if denied_as not in DENIED_LABELS:
        raise OperationRefused("denied_as_unknown", f"Choose one of the options on the page. {KEPT}")
    readers = pools.readers_of(session, pool, {_issuer_id(session, placement)}, KEPT)
    days = days_of(open_from, submit_by, zone, now, KEPT, kept_last=placement.submit_by)
    before = _state(placement)
    if scheme != placement.grade_scheme:
        definition = definition_of(session, session.get_one(CredentialVersion, placement.version_id))
        (column,) = columns_for(definition, scheme)
        placement.columns[0].score_maximum = column.score_maximum
    placement.grade_scheme, placement.denied_as = scheme, denied_as
    placement.open_from, placement.submit_by = days.first, days.last
    placement.outside_reviewers, placement.reviewer_pool_id = readers.outside, readers.pool_id
    if not counts_stack:
        placement.stack_version_id = None
    _record(session, actor, "placement_changed", placement, now, before, _state(placement))


def take_version(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Give the newest version, which the page named, to teachers who start from now on; who has begun stays
    on theirs. Raises NotAllowed, NotFound, OperationRefused where another one is the newest by now.
    """
    placement = _own(session, may_place(actor))
    version = session.get_one(CredentialVersion, placement.version_id)
    newer = _newest(session, version)
    if newer is None or newer.public_id != public_id:
        raise OperationRefused("version_not_newest", f"Another version is the newest by now. {KEPT}")
    definition = definition_of(session, newer)
    before = version.version
    placement.version_id = newer.id
    there = {column.tag for column in placement.columns}
    for column in columns_for(definition, placement.grade_scheme):
        if column.tag not in there:
            placement.columns.append(
                GradeColumn(
                    tag=column.tag, label=column.label, score_maximum=column.score_maximum, created_at=now
                )
            )
    session.flush()
    _record(session, actor, "placement_version", placement, now, before, newer.version)


def _stack_title(session: Session, placement: Placement) -> str | None:
    if placement.stack_version_id is None:
        return None
    return session.get_one(CredentialVersion, placement.stack_version_id).title


def _issuer_id(session: Session, placement: Placement) -> int:
    version = session.get_one(CredentialVersion, placement.version_id)
    return session.scalars(select(Credential.issuer_id).where(Credential.id == version.credential_id)).one()


def _own(session: Session, launch: PageSession) -> Placement:
    held = placement_of(session, launch)
    placement = find(session, held.public_id, held.organization_id) if held is not None else None
    if placement is None:
        raise NotFound("no_credential", "This link opens no micro-credential yet. Choose one first.")
    return placement


def _schemes(placement: Placement, settled: str | None) -> tuple[str, ...]:
    """One column stays one column: what a link has in its gradebook is the LMS's."""
    if settled is not None:
        return (placement.grade_scheme,)
    one = ("complete", "hundred", "rubric_points")
    return one if placement.grade_scheme in one else (placement.grade_scheme,)


def _settled(session: Session, placement: Placement) -> str | None:
    decided = (
        select(Decision.id)
        .join(Attempt, Attempt.id == Decision.attempt_id)
        .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
        .where(Pursuit.placement_id == placement.id)
        .limit(1)
    )
    if session.scalar(decided) is not None:
        return "Somebody has been graded already, and everybody in a course is graded alike."
    if placement.grade_scheme == "per_part":
        return (
            "Your LMS holds a column for each part. For one column, add the credential again and remove this"
            " link."
        )
    return None


def _newest(session: Session, version: CredentialVersion) -> CredentialVersion | None:
    return session.scalar(
        select(CredentialVersion)
        .where(
            CredentialVersion.credential_id == version.credential_id,
            CredentialVersion.state == "published",
            CredentialVersion.id > version.id,
        )
        .order_by(CredentialVersion.id.desc())
        .limit(1)
    )


def _newer(session: Session, version: CredentialVersion, now_used: Definition) -> NewerVersion | None:
    row = _newest(session, version)
    if row is None:
        return None
    assert row.published_at is not None
    known = {part.id for part in now_used.parts}
    parts = definition_of(session, row).parts
    return NewerVersion(
        row.public_id,
        row.version,
        row.title,
        row.published_at,
        tuple(part.title for part in parts if part.id not in known),
    )


def _state(placement: Placement) -> str:
    first = f"from {placement.open_from.date()} to " if placement.open_from is not None else ""
    last = placement.submit_by.date().isoformat() if placement.submit_by is not None else "none"
    pool = ", outside reviewers" if placement.outside_reviewers else ""
    if placement.reviewer_pool_id is not None:
        pool = f", reviewer pool {placement.reviewer_pool_id}"
    stack = f", counts stack {placement.stack_version_id}" if placement.stack_version_id is not None else ""
    return f"{placement.grade_scheme}, {placement.denied_as}, {first}{last}{pool}{stack}"


def _record(
    session: Session, actor: Actor, action: str, placement: Placement, now: datetime, before: str, after: str
) -> None:
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action=action,
        subject=("placement", placement.id),
        before=before,
        after=after,
    )
