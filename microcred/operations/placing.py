"""Coordinators: seeing the columns that credentials make, putting them into the course."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

import grade_passback
from lti_tool.sessions import PageSession
from microcred.credentials import Definition, definition_of
from microcred.credentials.models import CredentialVersion
from microcred.operations.actor import Actor
from microcred.operations.arriving import place_of
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.selecting import Picked, may_place, select_versions
from microcred.people import audit
from microcred.placements import (
    GRADE_SCHEMES,
    Choice,
    Column,
    Placement,
    choose,
    columns_for,
    of_link,
)

POOLS = {"all": "All who are trained", "outside": "From elsewhere only"}
"""Who may read the work of a course."""


@dataclass(frozen=True)
class Placed:
    """A placement made or changed, with what its answer to the LMS needs."""

    placement: Placement
    definition: Definition


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
    submit_by: str,
    reviewers: str = "all",
    zone: ZoneInfo,
    now: datetime,
) -> tuple[Placed, ...]:
    """Put what was picked into the course of a deep linking launch, or behind a link that came without any.

    `version_ids` are public ids, of stacks too; where the LMS takes one link only, the first counts.
    `submit_by` is an ISO date, the last day on which tries may be sent, or empty; `reviewers` is one of
    `POOLS`. Pressing twice, or choosing
    again on the same page, changes the placements that are there. Raises NotAllowed, NotFound,
    OperationRefused.
    """
    launch = may_place(actor)
    picked = select_versions(session, actor, version_ids, now).picked
    if not picked:
        raise NotFound("no_such_credential", "Choose a micro-credential first. Nothing was added.")
    last_day = end_of_day(submit_by, zone, now)
    if reviewers not in POOLS:
        raise OperationRefused("pool_unknown", "Choose one of the reviewers' pools. Nothing was added.")
    if launch.deep_linking is None:
        _check_link_is_free(session, launch)
    if not takes_several(launch):
        picked = picked[:1]
    outside = reviewers == "outside"
    return tuple(_place_one(session, actor, launch, one, scheme, last_day, outside, now) for one in picked)


def takes_several(launch: PageSession) -> bool:
    """Whether the LMS takes more than one link from this page."""
    return launch.deep_linking is not None and launch.deep_linking.get("accept_multiple") is True


def _place_one(
    session: Session,
    actor: Actor,
    launch: PageSession,
    picked: Picked,
    scheme: str,
    last_day: datetime | None,
    outside: bool,
    now: datetime,
) -> Placed:
    choice = Choice(
        version_id=picked.version_id,
        grade_scheme=scheme,
        columns=tuple(columns(picked.definition, scheme)),
        submit_by=last_day,
        outside_reviewers=outside,
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


def end_of_day(
    text: str, zone: ZoneInfo, now: datetime, unchanged: str = "Nothing was added."
) -> datetime | None:
    """The end of an ISO date in the organization's zone; None for no date. Raises OperationRefused with words
    that end in `unchanged`.
    """
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 (a day, its zone follows)
    except ValueError as error:
        raise OperationRefused(
            "date_unreadable", f"Write the last day like 2026-12-18. {unchanged}"
        ) from error
    moment = datetime.combine(day, time(23, 59, 59), zone)
    if moment <= now:
        raise OperationRefused(
            "date_past", f"The last day has passed already. Choose a later one. {unchanged}"
        )
    return moment


def version_of(session: Session, placement: Placement) -> Definition:
    """The definition a placement pins."""
    return definition_of(
        session,
        session.scalars(select(CredentialVersion).where(CredentialVersion.id == placement.version_id)).one(),
    )
