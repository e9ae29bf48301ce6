"""Platforms and deployments as operators see and change them; every change writes an audit event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

import grade_passback
from lti_tool import features, invitations, registrations
from lti_tool.models import Deployment, NotedHost, Registration
from lti_tool.registrations import RegistrationProblem
from microcred import outbox
from microcred.database import Clock
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.operations.operating import PAGE, own_organizations, own_platforms, require_operator
from microcred.people import audit
from microcred.people.models import Organization


@dataclass(frozen=True)
class PlatformRow:
    """A platform in the list."""

    public_id: str
    name: str
    lms: str
    state: str
    issuer: str
    organization: str
    noted: int
    """Deployments that wait for a decision."""


@dataclass(frozen=True)
class DeploymentRow:
    """An installation of the tool within a platform."""

    row_id: int
    deployment_id: str
    state: str
    organization: str | None
    created_at: datetime


@dataclass(frozen=True)
class Platform:
    """One platform, whole."""

    registration: Registration
    organization: str
    deployments: tuple[DeploymentRow, ...]
    organizations: tuple[Organization, ...]
    """To which the actor may give a deployment."""
    noted_hosts: tuple[NotedHost, ...]
    """Hosts that signed launches named and that the platform may not use."""
    unavailable: tuple[str, ...]
    """What cannot work with the scopes that the LMS granted."""


def platforms(
    session: Session, actor: Actor, *, after: int = 0
) -> tuple[tuple[PlatformRow, ...], int | None]:
    """Platforms by key, a page at a time, and where the next page begins. Raises NotAllowed."""
    require_operator(actor)
    query = (
        select(Registration, Organization.name, _noted())
        .join(Organization, Organization.id == Registration.organization_id)
        .where(Registration.id > after, own_platforms(actor))
        .order_by(Registration.id)
        .limit(PAGE + 1)
    )
    found = session.execute(query).all()
    rows = tuple(
        PlatformRow(row.public_id, row.name, row.lms, row.state, row.issuer, organization, noted or 0)
        for row, organization, noted in found[:PAGE]
    )
    return rows, found[PAGE - 1][0].id if len(found) > PAGE else None


def platform(session: Session, actor: Actor, public_id: str) -> Platform:
    """One platform. Raises NotAllowed, NotFound."""
    row = _platform(session, actor, public_id)
    organizations = own_organizations_of(session, actor)
    names = {one.id: one.name for one in session.scalars(select(Organization))}
    return Platform(
        row,
        names[row.organization_id],
        tuple(
            DeploymentRow(
                one.id,
                one.deployment_id,
                one.state,
                names.get(one.organization_id) if one.organization_id is not None else None,
                one.created_at,
            )
            for one in registrations.deployments(session, public_id)
        ),
        organizations,
        tuple(registrations.noted_hosts(session, public_id)),
        tuple(feature.words for feature in features.unavailable(row.scopes)),
    )


@dataclass(frozen=True)
class Invited:
    """A one-use address for dynamic registration; its secret is kept nowhere else."""

    secret: str
    expires_at: datetime


def own_organizations_of(session: Session, actor: Actor) -> tuple[Organization, ...]:
    """The organizations to which the actor may give a platform. Raises NotAllowed."""
    require_operator(actor)
    query = select(Organization).where(own_organizations(actor)).order_by(Organization.name).limit(500)
    return tuple(session.scalars(query))


def add_platform(
    session: Session,
    actor: Actor,
    new: registrations.NewRegistration,
    organization_code: str,
    clock: Clock,
    allow_hosts: Sequence[str],
) -> str:
    """Register a platform by hand, approved at once; its public id. Raises NotAllowed, NotFound,
    OperationRefused.
    """
    organization = _organization(session, actor, organization_code)
    try:
        row = registrations.add(
            session, new, organization_id=organization.id, clock=clock, allow_hosts=allow_hosts
        )
    except RegistrationProblem as problem:
        raise OperationRefused(problem.code, problem.message) from problem
    _record(session, actor, "platform_added", row, clock.now(), after="approved")
    return row.public_id


def invite_platform(
    session: Session, actor: Actor, lms: str, organization_code: str, now: datetime
) -> Invited:
    """An invitation to register dynamically. Raises NotAllowed, NotFound, OperationRefused."""
    organization = _organization(session, actor, organization_code)
    try:
        secret, expires_at = invitations.invite(session, organization_id=organization.id, lms=lms, now=now)
    except RegistrationProblem as problem:
        raise OperationRefused(problem.code, problem.message) from problem
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action="platform_invited",
        subject=("organization", organization.id),
        detail={"lms": lms},
    )
    return Invited(secret, expires_at)


def _organization(session: Session, actor: Actor, code: str) -> Organization:
    require_operator(actor)
    found = session.scalar(select(Organization).where(Organization.code == code, own_organizations(actor)))
    if found is None:
        raise NotFound("no_such_organization", "Choose one of the organizations. Nothing was changed.")
    return found


def let_in(session: Session, public_id: str, now: datetime) -> Registration:
    """Approve or enable a platform; grades kept for it go out. For the page and the command alike. Raises
    RegistrationProblem.
    """
    row = registrations.approve(session, public_id, now=now)
    outbox.start_destination(session, grade_passback.destination_of(row.id))
    return row


def shut_out(session: Session, public_id: str) -> Registration:
    """Disable a platform; grades for it are kept until it is let in again. Raises RegistrationProblem."""
    row = registrations.disable(session, public_id)
    outbox.stop_destination(session, grade_passback.destination_of(row.id))
    return row


def approve_platform(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Let a pending or disabled platform in. Raises NotAllowed, NotFound, OperationRefused."""
    row = _platform(session, actor, public_id)
    before = row.state
    try:
        let_in(session, public_id, now)
    except RegistrationProblem as problem:
        raise OperationRefused(problem.code, f"{problem.message} Nothing was changed.") from problem
    action = "platform_approved" if before == "pending" else "platform_enabled"
    _record(session, actor, action, row, now, before=before, after="approved")


def disable_platform(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Shut a platform out; its open pages end with their next request. Raises OperationRefused."""
    row = _platform(session, actor, public_id)
    before = row.state
    try:
        shut_out(session, public_id)
    except RegistrationProblem as problem:
        raise OperationRefused(problem.code, f"{problem.message} Nothing was changed.") from problem
    _record(session, actor, "platform_disabled", row, now, before=before, after="disabled")


def approve_deployment(
    session: Session, actor: Actor, public_id: str, row_id: int, organization_code: str, clock: Clock
) -> None:
    """Let a deployment in and give it to an organization. Raises NotAllowed, NotFound."""
    row, deployment = _deployment(session, actor, public_id, row_id)
    organization = _organization(session, actor, organization_code)
    before = deployment.state
    registrations.approve_deployment(
        session, public_id, deployment.deployment_id, organization_id=organization.id, clock=clock
    )
    _record(
        session,
        actor,
        "deployment_approved",
        row,
        clock.now(),
        before=before,
        after="approved",
        deployment=deployment.id,
        organization=organization.code,
    )


def disable_deployment(session: Session, actor: Actor, public_id: str, row_id: int, now: datetime) -> None:
    """Shut one deployment out."""
    row, deployment = _deployment(session, actor, public_id, row_id)
    before = deployment.state
    registrations.disable_deployment(session, public_id, deployment.deployment_id)
    _record(
        session,
        actor,
        "deployment_disabled",
        row,
        now,
        before=before,
        after="disabled",
        deployment=deployment.id,
    )


def allow_host(session: Session, actor: Actor, public_id: str, host: str, now: datetime) -> None:
    """Let service and return URLs of this platform use one more host. Raises OperationRefused."""
    row = _platform(session, actor, public_id)
    try:
        registrations.allow_service_host(session, public_id, host.strip())
    except RegistrationProblem as problem:
        raise OperationRefused(
            problem.code, "That is no host name. Write it like api.example.org. Nothing was changed."
        ) from problem
    _record(session, actor, "platform_host_added", row, now, host=host.strip().lower())


def remove_host(session: Session, actor: Actor, public_id: str, host: str, now: datetime) -> None:
    """Take a host back; those of the platform's own addresses always stay."""
    row = _platform(session, actor, public_id)
    if host in row.service_hosts:
        row.service_hosts = [one for one in row.service_hosts if one != host]
        session.flush()
        _record(session, actor, "platform_host_removed", row, now, host=host)


def set_any_deployment(session: Session, actor: Actor, public_id: str, allowed: bool, now: datetime) -> None:
    """Whether the first launch of an unknown deployment approves it."""
    row = _platform(session, actor, public_id)
    if row.any_deployment != allowed:
        registrations.set_any_deployment(session, public_id, allowed)
        _record(session, actor, "platform_any_deployment", row, now, allowed=allowed)


def _noted() -> ColumnElement[int]:
    return (
        select(func.count())
        .where(Deployment.registration_id == Registration.id, Deployment.state == "noted")
        .scalar_subquery()
    )


def _platform(session: Session, actor: Actor, public_id: str) -> Registration:
    require_operator(actor)
    row = session.scalar(
        select(Registration).where(Registration.public_id == public_id, own_platforms(actor))
    )
    if row is None:
        raise NotFound("no_such_platform", "There is no such platform for you here.")
    return row


def _deployment(
    session: Session, actor: Actor, public_id: str, row_id: int
) -> tuple[Registration, Deployment]:
    row = _platform(session, actor, public_id)
    deployment = session.get(Deployment, row_id)
    if deployment is None or deployment.registration_id != row.id:
        raise NotFound("no_such_deployment", "This platform has no such deployment. Nothing was changed.")
    return row, deployment


def _record(
    session: Session,
    actor: Actor,
    action: str,
    row: Registration,
    now: datetime,
    *,
    before: str | None = None,
    after: str | None = None,
    **detail: str | int | bool,
) -> None:
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action=action,
        subject=("registration", row.id),
        before=before,
        after=after,
        detail=dict(detail),
    )
