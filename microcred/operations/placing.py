"""Coordinators: finding a credential, seeing the columns it makes, putting it into the course."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

import grade_passback
from lti_tool.sessions import PageSession
from microcred.credentials import Definition, Entry, NotInCatalogue, definition_of, published_version, search
from microcred.credentials.models import CredentialVersion
from microcred.operations.actor import Actor
from microcred.operations.arriving import place_of
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
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

PAGE_SIZE = 20


@dataclass(frozen=True)
class Offered:
    """A page of credentials that may be put into this course."""

    entries: tuple[Entry, ...]
    next_key: str | None


@dataclass(frozen=True)
class Placed:
    """A placement made or changed, with what its answer to the LMS needs."""

    placement: Placement
    definition: Definition


def offered(session: Session, actor: Actor, *, text: str, after: str | None) -> Offered:
    """Published credentials of the course's organization, and of those that share with it, by words and paged
    by key.
    """
    launch = _may_place(actor)
    page = search(session, launch.organization_id, text=text or None, limit=PAGE_SIZE, after_key=after)
    return Offered(page.entries, page.next_key)


def preview(session: Session, actor: Actor, version_id: str) -> Definition:
    """The definition of a version (public id) that this course may have. Raises NotFound."""
    return definition_of(session, _version(session, _may_place(actor), version_id))


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
    version_id: str,
    scheme: str,
    submit_by: str,
    zone: ZoneInfo,
    now: datetime,
) -> Placed:
    """Put a credential into the course of a deep linking launch, or behind a link that came without one.

    `submit_by` is an ISO date, the last day on which tries may be sent, or empty. Pressing twice, or choosing
    again on the same page, changes the one placement. Raises NotAllowed, NotFound, OperationRefused.
    """
    launch = _may_place(actor)
    version = _version(session, launch, version_id)
    definition = definition_of(session, version)
    choice = Choice(
        version_id=version.id,
        grade_scheme=scheme,
        columns=tuple(columns(definition, scheme)),
        submit_by=_end_of_day(submit_by, zone, now),
    )
    if launch.deep_linking is None:
        _check_link_is_free(session, launch)
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
        detail={"version": version.public_id, "scheme": scheme},
    )
    return Placed(placement, definition)


def _may_place(actor: Actor) -> PageSession:
    if actor.launch is None or "place" not in actor.rights:
        raise NotAllowed(
            "not_staff", "Only people who teach or manage this course can add a credential to it."
        )
    return actor.launch


def _version(session: Session, launch: PageSession, version_id: str) -> CredentialVersion:
    try:
        return published_version(session, launch.organization_id, version_id)
    except NotInCatalogue as missing:
        message = "There is no such micro-credential for this course. Nothing was added."
        raise NotFound("no_such_credential", message) from missing


def _check_link_is_free(session: Session, launch: PageSession) -> None:
    if launch.resource_link_row_id is None:
        raise OperationRefused("no_link", "Open this from a link in your course. Nothing was added.")
    held = of_link(session, launch.resource_link_row_id)
    if held is not None and held.made_in_launch_id != launch.launch_row_id:
        raise OperationRefused("link_taken", "This link opens a credential already. Nothing was changed.")


def _end_of_day(text: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 (a day, its zone follows)
    except ValueError as error:
        raise OperationRefused(
            "date_unreadable", "Write the last day like 2026-12-18. Nothing was added."
        ) from error
    moment = datetime.combine(day, time(23, 59, 59), zone)
    if moment <= now:
        raise OperationRefused(
            "date_past", "The last day has passed already. Choose a later one. Nothing was added."
        )
    return moment


def version_of(session: Session, placement: Placement) -> Definition:
    """The definition a placement pins."""
    return definition_of(
        session,
        session.scalars(select(CredentialVersion).where(CredentialVersion.id == placement.version_id)).one(),
    )
