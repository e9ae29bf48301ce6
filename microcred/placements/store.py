"""Making placements and finding them again from a launch."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from lti_tool.models import Context, Deployment, ResourceLink
from microcred.placements.columns import STACK, Column
from microcred.placements.models import GradeColumn, Placement

CUSTOM_PLACEMENT = "placement"
"""Key of the link's custom values that holds a placement's public id; lower case, since Schoology folds
case.
"""

_ANCESTORS_AT_MOST = 2000


@dataclass(frozen=True)
class Place:
    """Where a placement stands: rows of the deployment, the course and its link, and the organization in
    charge.
    """

    deployment_id: int
    organization_id: int
    context_id: int | None
    resource_link_id: int | None = None


@dataclass(frozen=True)
class Choice:
    """What a coordinator chose for this course."""

    version_id: int
    grade_scheme: str
    columns: tuple[Column, ...]
    denied_as: str = "blank"
    open_from: datetime | None = None
    submit_by: datetime | None = None
    outside_reviewers: bool = False
    reviewer_pool_id: int | None = None
    stack_version_id: int | None = None
    """The stack whose column is among `columns`."""


def choose(
    session: Session, *, place: Place, choice: Choice, launch_id: int | None, person_id: int, now: datetime
) -> Placement:
    """Make the placement of a choice, or change the one made earlier in the same deep linking launch."""
    placement = _chosen_before(session, launch_id, choice.version_id)
    if placement is None:
        placement = Placement(
            context_id=place.context_id,
            deployment_id=place.deployment_id,
            organization_id=place.organization_id,
            version_id=choice.version_id,
            grade_scheme=choice.grade_scheme,
            made_in_launch_id=launch_id,
            created_by_id=person_id,
            created_at=now,
            columns=[],
        )
        try:
            with session.begin_nested():
                session.add(placement)
        except IntegrityError:  # the other press of a double click was quicker
            quicker = _chosen_before(session, launch_id, choice.version_id)
            if quicker is None:
                raise
            placement = quicker
    placement.context_id = place.context_id
    placement.deployment_id = place.deployment_id
    placement.organization_id = place.organization_id
    placement.grade_scheme = choice.grade_scheme
    placement.denied_as = choice.denied_as
    placement.open_from, placement.submit_by = choice.open_from, choice.submit_by
    placement.outside_reviewers = choice.outside_reviewers
    placement.reviewer_pool_id = choice.reviewer_pool_id
    placement.stack_version_id = choice.stack_version_id
    _set_columns(session, placement, choice.columns, now)
    session.flush()
    return placement


def _chosen_before(session: Session, launch_id: int | None, version_id: int) -> Placement | None:
    """What this launch has put there already, held until the transaction ends."""
    if launch_id is None:
        return None
    return session.scalar(
        select(Placement)
        .options(selectinload(Placement.columns))
        .where(Placement.made_in_launch_id == launch_id, Placement.version_id == version_id)
        .with_for_update()
    )


def leave_stacks(session: Session, launch_id: int, chosen: Collection[int]) -> None:
    """Take stack columns off what was chosen earlier in a deep linking launch and is not among `chosen` (row
    ids) any more: those links were never sent.
    """
    left = (
        select(Placement)
        .options(selectinload(Placement.columns))
        .where(
            Placement.made_in_launch_id == launch_id,
            Placement.stack_version_id.is_not(None),
            Placement.resource_link_id.is_(None),
            Placement.id.not_in(chosen),
        )
    )
    for placement in session.scalars(left):
        placement.stack_version_id = None
        for column in [one for one in placement.columns if one.tag == STACK]:
            session.delete(column)
            placement.columns.remove(column)
    session.flush()


def _set_columns(session: Session, placement: Placement, columns: tuple[Column, ...], now: datetime) -> None:
    wanted = {column.tag: column for column in columns}
    there = {row.tag for row in placement.columns}
    for row in list(placement.columns):
        # The link's own column is the first by id, so a stack's is made anew after any other.
        if row.tag not in wanted or (row.tag == STACK and not there >= wanted.keys()):
            session.delete(row)
            placement.columns.remove(row)
    session.flush()
    kept = {row.tag: row for row in placement.columns}
    for tag, column in wanted.items():
        if tag not in kept:
            kept[tag] = GradeColumn(tag=tag, created_at=now)
            placement.columns.append(kept[tag])
        kept[tag].label, kept[tag].score_maximum = column.label, column.score_maximum


def find(session: Session, public_id: str, organization_id: int) -> Placement | None:
    """The placement with this public id, if it belongs to the organization."""
    return session.scalar(
        select(Placement)
        .options(selectinload(Placement.columns))
        .where(Placement.public_id == public_id, Placement.organization_id == organization_id)
    )


def of_link(session: Session, resource_link_id: int) -> Placement | None:
    """The placement that a resource link (row id) opens."""
    return session.scalar(
        select(Placement)
        .options(selectinload(Placement.columns))
        .where(Placement.resource_link_id == resource_link_id)
        .order_by(Placement.id)
        .limit(1)
    )


def settle(
    session: Session, *, custom: dict[str, str], place: Place, lineitem_url: str | None, now: datetime
) -> Placement | None:
    """The placement that a launch opens: that of its link, else the one its custom values name.

    The first launch of a link ties the placement to it. A link that was copied with its course carries the
    same custom value under a new link and context: it gets a placement of its own with the same credential
    and settings, and no old work. So does a link without that value whose ancestor the LMS names. None where
    the link leads to no placement of this organization.
    """
    if place.resource_link_id is None:
        return None
    placement = of_link(session, place.resource_link_id)
    if placement is None:
        named = find(session, custom.get(CUSTOM_PLACEMENT, ""), place.organization_id)
        if named is None and CUSTOM_PLACEMENT not in custom:
            named = ancestor(session, place)
        if named is None:
            return None
        try:
            with session.begin_nested():
                placement = _tie(session, named, place, now)
        except IntegrityError:  # somebody else's first launch of the same link was quicker
            placement = of_link(session, place.resource_link_id)
            if placement is None:
                raise
    _learn_lineitem(placement, lineitem_url)
    session.flush()
    return placement


def ancestor(session: Session, place: Place) -> Placement | None:
    """The placement of the link that a copied link was copied from, as the LMS tells it; None where that is
    not certain.

    By the link's own history, else by its title: the one placement with a link of that title in the latest
    course that this one was copied from and that has any. Only within the same platform and organization.
    """
    link = session.get_one(ResourceLink, place.resource_link_id)
    candidates = (
        select(Placement, ResourceLink.resource_link_id, ResourceLink.title, Context.context_id)
        .join(ResourceLink, ResourceLink.id == Placement.resource_link_id)
        .outerjoin(Context, Context.id == ResourceLink.context_id)
        .join(Deployment, Deployment.id == ResourceLink.deployment_id)
        .options(selectinload(Placement.columns))
        .where(
            Placement.organization_id == place.organization_id,
            Deployment.registration_id
            == select(Deployment.registration_id)
            .where(Deployment.id == place.deployment_id)
            .scalar_subquery(),
        )
        .order_by(Placement.id)
    )
    if link.origin_ids:
        rows = session.execute(candidates.where(ResourceLink.resource_link_id.in_(link.origin_ids))).all()
        by_link: dict[str, Placement] = {row.resource_link_id: row.Placement for row in reversed(rows)}
        for origin in link.origin_ids:
            if origin in by_link:
                return by_link[origin]
    context = session.get(Context, place.context_id) if place.context_id is not None else None
    if context is None or not context.origin_ids or link.title is None:
        return None
    rows = session.execute(
        candidates.where(Context.context_id.in_(context.origin_ids)).limit(_ANCESTORS_AT_MOST)
    ).all()
    for origin in context.origin_ids:
        placed = [row for row in rows if row.context_id == origin]
        if placed:
            same: list[Placement] = [row.Placement for row in placed if row.title == link.title]
            return same[0] if len(same) == 1 else None
    return None


def _tie(session: Session, named: Placement, place: Place, now: datetime) -> Placement:
    fresh = named.resource_link_id is None and named.context_id in (None, place.context_id)
    placement = named if fresh else _copy(session, named, now)
    placement.resource_link_id = place.resource_link_id
    placement.context_id = place.context_id
    placement.deployment_id = place.deployment_id
    session.flush()
    return placement


def _copy(session: Session, original: Placement, now: datetime) -> Placement:
    copied = Placement(
        deployment_id=original.deployment_id,
        organization_id=original.organization_id,
        version_id=original.version_id,
        stack_version_id=original.stack_version_id,
        copied_from_id=original.id,
        grade_scheme=original.grade_scheme,
        denied_as=original.denied_as,
        submit_by=None,
        outside_reviewers=original.outside_reviewers,
        reviewer_pool_id=original.reviewer_pool_id,
        created_by_id=original.created_by_id,
        created_at=now,
        columns=[
            GradeColumn(tag=c.tag, label=c.label, score_maximum=c.score_maximum, created_at=now)
            for c in original.columns
        ],
    )
    session.add(copied)
    return copied


def _learn_lineitem(placement: Placement, lineitem_url: str | None) -> None:
    """A link's own line item is its first column's: deep linking made both together."""
    if lineitem_url and placement.columns and placement.columns[0].lineitem_url is None:
        placement.columns[0].lineitem_url = lineitem_url
