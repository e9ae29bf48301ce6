"""Columns that count what is earned of a stack: where they are, and whose cells a change concerns."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session, aliased

from microcred.credentials import Stack, document_of, members_of
from microcred.credentials.models import Credential, CredentialVersion, Pursuit
from microcred.placements.models import Placement


@dataclass(frozen=True)
class StackCell:
    """One person in one course with a stack column: the placement that carries the column, and the stack."""

    placement: Placement
    person_id: int
    stack: Stack
    is_test: bool
    """Whether it is an LMS test user or a test site: test awards count among themselves."""


def stack_cells(session: Session, person_ids: Collection[int], key: str) -> Sequence[StackCell]:
    """The cells that an award of the micro-credential `key` (of the catalogue) counts in: of these person
    ids, in every course that has the column of a stack with it and where they have begun one of that stack.

    One of the links that were added with the column must have been opened there: an answer of the picker
    that the LMS never took makes no column.
    """
    beside, version = aliased(Placement), aliased(CredentialVersion)
    rows = session.execute(
        select(Placement, CredentialVersion, Pursuit, Credential.key)
        .join(CredentialVersion, CredentialVersion.id == Placement.stack_version_id)
        .join(beside, beside.context_id == Placement.context_id)
        .join(version, version.id == beside.version_id)
        .join(Credential, Credential.id == version.credential_id)
        .join(Pursuit, Pursuit.placement_id == beside.id)
        .where(Pursuit.person_id.in_(person_ids), _is_in_course())
        .order_by(Placement.id, Pursuit.id)
    )
    found: dict[tuple[int, int], StackCell] = {}
    for placement, stack_version, pursuit, begun in rows:
        stack = document_of(stack_version)
        assert isinstance(stack, Stack)  # the picker keeps nothing else there
        if {key, begun} <= set(members_of(stack)):
            cell = StackCell(placement, pursuit.person_id, stack, pursuit.is_test)
            found.setdefault((placement.id, pursuit.person_id), cell)
    return list(found.values())


def has_stack_column(session: Session, context_id: int | None, stack_version_id: int) -> bool:
    """Whether the course counts what is earned of this stack already, in whichever version."""
    if context_id is None:
        return False
    credential = select(CredentialVersion.credential_id).where(CredentialVersion.id == stack_version_id)
    same = select(CredentialVersion.id).where(CredentialVersion.credential_id == credential.scalar_subquery())
    return bool(
        session.scalar(
            select(
                exists().where(
                    Placement.context_id == context_id, Placement.stack_version_id.in_(same), _is_in_course()
                )
            )
        )
    )


def _is_in_course() -> ColumnElement[bool]:
    """Whether a link of the same answer to the LMS was opened: then all of them are in the course."""
    sent_with = aliased(Placement)
    return or_(
        Placement.resource_link_id.is_not(None),
        exists().where(
            sent_with.made_in_launch_id == Placement.made_in_launch_id,
            sent_with.resource_link_id.is_not(None),
        ),
    )
