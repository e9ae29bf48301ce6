"""Coordinators: seeing the columns that credentials make, putting them into the course."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

import grade_passback
from lti_tool.sessions import PageSession
from microcred.credentials import Definition, definition_of, members_of
from microcred.credentials.models import CredentialVersion
from microcred.operations import pools
from microcred.operations.actor import Actor
from microcred.operations.arriving import place_of
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.selecting import Picked, PickedStack, Selection, may_place, select_versions
from microcred.people import audit
from microcred.placements import (
    GRADE_SCHEMES,
    Choice,
    Column,
    Placement,
    choose,
    columns_for,
    leave_stacks,
    of_link,
)


@dataclass(frozen=True)
class Placed:
    """A placement made or changed, with what its answer to the LMS needs."""

    placement: Placement
    definition: Definition


@dataclass(frozen=True)
class Days:
    """When a course's work begins and ends: the first moment to start and the last to send a try."""

    first: datetime | None
    last: datetime | None


def columns(definition: Definition, scheme: str) -> Sequence[Column]:
    """The gradebook columns of a scheme. Raises OperationRefused for a scheme that does not exist."""
    if scheme not in GRADE_SCHEMES:
        raise OperationRefused(
            "scheme_unknown", "Choose one of the grade options on the page. Nothing was added."
        )
    return columns_for(definition, scheme)


def place(
    session: Session,
    actor: Actor,
    *,
    version_ids: Sequence[str],
    scheme: str,
    open_from: str = "",
    submit_by: str,
    reviewers: str = "all",
    counts_stacks: bool = False,
    zone: ZoneInfo,
    now: datetime,
) -> tuple[Placed, ...]:
    """Put what was picked into the course of a deep linking launch, or behind a link that came without any.

    `version_ids` are public ids, of stacks too; where the LMS takes one link only, the first counts.
    `open_from` and `submit_by` are ISO dates, the first day to start and the last to send a try, or empty;
    `reviewers` is one of `pools.choices`; `counts_stacks` gives each picked stack a column of its own.
    Pressing twice, or choosing again on the same page, changes the placements that are there. Raises
    NotAllowed, NotFound, OperationRefused.
    """
    launch = may_place(actor)
    selection = select_versions(session, actor, version_ids, now)
    picked = selection.picked
    if not picked:
        raise NotFound("no_such_credential", "Choose a micro-credential first. Nothing was added.")
    days = days_of(open_from, submit_by, zone, now)
    readers = pools.readers_of(session, reviewers, {one.issuer_id for one in picked}, "Nothing was added.")
    if launch.deep_linking is None:
        _check_link_is_free(session, launch)
    if not takes_several(launch):
        picked = picked[:1]
    counted = _carriers(selection, picked) if counts_stacks else {}
    placed = tuple(
        _place_one(session, actor, launch, one, scheme, days, readers, counted.get(one.version_id), now)
        for one in picked
    )
    leave_stacks(session, launch.launch_row_id, [one.placement.id for one in placed])
    return placed


def _carriers(selection: Selection, picked: Sequence[Picked]) -> dict[int, PickedStack]:
    """Which micro-credential (row id of its version) carries the column of which stack: the first of the
    stack that is added and carries none yet. A course counts a stack once.
    """
    carriers: dict[int, PickedStack] = {}
    for stack in selection.stacks:
        members = members_of(stack.document)
        own = [one.version_id for one in picked if one.definition.document.id in members]
        free = [version_id for version_id in own if version_id not in carriers]
        if free and not stack.has_column:
            carriers[free[0]] = stack
    return carriers


def takes_several(launch: PageSession) -> bool:
    """Whether the LMS takes more than one link from this page."""
    return launch.deep_linking is not None and launch.deep_linking.get("accept_multiple") is True


def _place_one(
    session: Session,
    actor: Actor,
    launch: PageSession,
    picked: Picked,
    scheme: str,
    days: Days,
    readers: pools.Readers,
    stack: PickedStack | None,
    now: datetime,
) -> Placed:
    own = tuple(columns(picked.definition, scheme))
    choice = Choice(
        version_id=picked.version_id,
        grade_scheme=scheme,
        columns=own if stack is None else (*own, stack.column),
        open_from=days.first,
        submit_by=days.last,
        outside_reviewers=readers.outside,
        reviewer_pool_id=readers.pool_id,
        stack_version_id=stack.version_id if stack is not None else None,
    )
    placement = choose(
        session,
        place=place_of(launch),
        choice=choice,
        launch_id=launch.launch_row_id,
        person_id=actor.own_id,
        now=now,
    )
    if launch.deep_linking is None:
        placement.resource_link_id = launch.resource_link_row_id
        if launch.lineitem_url and placement.columns:
            placement.columns[0].lineitem_url = launch.lineitem_url
            session.flush()
            grade_passback.adopt(session, placement, placement.columns[0], now)
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action="placement_chosen",
        subject=("placement", placement.id),
        detail={"version": picked.definition.public_id, "scheme": scheme},
    )
    return Placed(placement, picked.definition)


def _check_link_is_free(session: Session, launch: PageSession) -> None:
    if launch.resource_link_row_id is None:
        raise OperationRefused("no_link", "Open this from a link in your course. Nothing was added.")
    held = of_link(session, launch.resource_link_row_id)
    if held is not None and held.made_in_launch_id != launch.launch_row_id:
        raise OperationRefused("link_taken", "This link opens a credential already. Nothing was changed.")


def days_of(
    first: str,
    last: str,
    zone: ZoneInfo,
    now: datetime,
    unchanged: str = "Nothing was added.",
    kept_last: datetime | None = None,
) -> Days:
    """ISO dates (or empty) in the organization's zone. The last day may have passed only where it is that of
    `kept_last`. Raises OperationRefused with words that end in `unchanged`.
    """
    first_day = _day(first, "first", unchanged)
    last_day = _day(last, "last", unchanged)
    begins = datetime.combine(first_day, time(), zone) if first_day is not None else None
    ends = datetime.combine(last_day, time(23, 59, 59), zone) if last_day is not None else None
    if kept_last is not None and last_day == kept_last.astimezone(zone).date():
        ends = kept_last
    elif ends is not None and ends <= now:
        raise OperationRefused(
            "date_past", f"The last day has passed already. Choose a later one. {unchanged}"
        )
    if begins is not None and ends is not None and begins >= ends:
        raise OperationRefused("dates_crossed", f"The first day is after the last one. {unchanged}")
    return Days(begins, ends)


def _day(text: str, which: str, unchanged: str) -> date | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 (a day, its zone follows)
    except ValueError as error:
        raise OperationRefused(
            "date_unreadable", f"Write the {which} day like 2026-12-18. {unchanged}"
        ) from error


def version_of(session: Session, placement: Placement) -> Definition:
    """The definition a placement pins."""
    return definition_of(
        session,
        session.scalars(select(CredentialVersion).where(CredentialVersion.id == placement.version_id)).one(),
    )
