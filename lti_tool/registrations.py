"""Registrations and deployments: who may launch, decided by an operator.

Functions take a session; the caller owns the transaction. A login is matched to exactly one registration or
refused: never "the first".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from lti_tool.dialects import dialect_named
from lti_tool.errors import LtiRefused
from lti_tool.facts import COLUMNS, RegistrationFacts
from lti_tool.models import LMS_KINDS, Deployment, NotedHost, Registration
from microcred.database import Clock, is_storable, random_id
from microcred.outgoing import OutgoingError, check_url, host_matches, split_host

HOSTS_AT_MOST = 50
"""Unknown hosts noted for one registration."""
NOTED_AT_MOST = 100
"""Unknown deployments noted for one registration; a platform that makes up ever new ones fills no table."""
_DESTINATION = "registration:"


class RegistrationProblem(Exception):
    """An operator's request cannot be carried out; `code` and a sentence that says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class NewRegistration:
    """What an operator says about a platform (`microcred platform add`)."""

    name: str
    lms: str
    issuer: str
    client_id: str
    auth_url: str
    token_url: str
    jwks_url: str
    token_audience: str | None = None
    trusted_audiences: Sequence[str] = ()
    service_hosts: Sequence[str] = ()
    deployment_ids: Sequence[str] = ()
    any_deployment: bool = False
    separate_site: bool = False
    is_test_site: bool = False
    algorithms: Sequence[str] = ("RS256",)
    scopes: Sequence[str] | None = None
    """Granted by dynamic registration; None where nobody said."""


def add(
    session: Session,
    new: NewRegistration,
    *,
    organization_id: int,
    clock: Clock,
    allow_hosts: Sequence[str] = (),
    state: str = "approved",
) -> Registration:
    """Store a registration, approved at once unless said otherwise, with its deployments.

    Raises RegistrationProblem(registration_exists | url_not_allowed | invalid); nothing has changed then.
    """
    _check(new, allow_hosts)
    same = session.scalars(_same(new.issuer, new.client_id).where(Registration.state != "pending")).all()
    if same and not new.separate_site:
        raise RegistrationProblem(
            "registration_exists", "This issuer and client id are registered already. Nothing was changed."
        )
    for other in same:
        # From now on both answer only at their own login URLs.
        other.separate_site = True
    session.flush()
    row = Registration(
        public_id=random_id(12),
        name=new.name,
        lms=new.lms,
        state=state,
        organization_id=organization_id,
        issuer=new.issuer,
        client_id=new.client_id,
        separate_site=new.separate_site,
        auth_url=new.auth_url,
        token_url=new.token_url,
        jwks_url=new.jwks_url,
        token_audience=new.token_audience,
        trusted_audiences=list(new.trusted_audiences),
        service_hosts=[host.lower() for host in new.service_hosts],
        algorithms=list(new.algorithms),
        any_deployment=new.any_deployment,
        is_test_site=new.is_test_site or new.issuer in dialect_named(new.lms).registering.test_issuers,
        scopes=None if new.scopes is None else list(new.scopes),
        created_at=clock.now(),
    )
    session.add(row)
    session.flush()
    for deployment_id in dict.fromkeys(new.deployment_ids):
        approve_deployment(
            session, row.public_id, deployment_id, organization_id=organization_id, clock=clock
        )
    return row


def set_state(session: Session, public_id: str, state: str, *, now: datetime | None = None) -> Registration:
    """Approve, disable or enable a registration (`approved`, `disabled`). Raises RegistrationProblem."""
    row = get(session, public_id)
    if now is not None and row.expires_at is not None and row.expires_at <= now:
        raise RegistrationProblem(
            "registration_expired",
            "This registration waited too long to be approved. Start it again from the LMS.",
        )
    if row.state == "pending" and not row.separate_site:
        taken = _same(row.issuer, row.client_id).where(
            Registration.state != "pending", ~Registration.separate_site
        )
        if session.scalars(taken).first() is not None:
            raise RegistrationProblem(
                "registration_exists", "Another registration has this issuer and client id."
            )
    row.state = state
    row.source = row.expires_at = None
    session.flush()
    return row


def approve(session: Session, public_id: str, *, now: datetime | None = None) -> Registration:
    """Let a pending platform in. Raises RegistrationProblem."""
    return set_state(session, public_id, "approved", now=now)


def give(session: Session, public_id: str, organization_id: int) -> Registration:
    """Give a pending platform, with its deployments, to an organization. Raises RegistrationProblem."""
    row = get(session, public_id)
    if row.state != "pending":
        raise RegistrationProblem(
            "registration_exists", "Only a platform that waits for approval can be given away."
        )
    row.organization_id = organization_id
    session.execute(
        update(Deployment).where(Deployment.registration_id == row.id).values(organization_id=organization_id)
    )
    session.flush()
    return row


def forget_expired(session: Session, public_id: str, now: datetime) -> bool:
    """Delete a registration that waited too long for approval; False where it waits no more, or still may."""
    row = session.scalars(select(Registration).where(Registration.public_id == public_id)).one_or_none()
    if row is None or row.state != "pending" or row.expires_at is None or row.expires_at > now:
        return False
    session.execute(delete(Deployment).where(Deployment.registration_id == row.id))
    session.delete(row)
    session.flush()
    return True


def disable(session: Session, public_id: str) -> Registration:
    """Shut a platform out: its open pages end with their next request. Raises RegistrationProblem."""
    return set_state(session, public_id, "disabled")


def enable(session: Session, public_id: str) -> Registration:
    """Let a disabled platform in again. Raises RegistrationProblem."""
    return set_state(session, public_id, "approved")


def get(session: Session, public_id: str) -> Registration:
    """One registration. Raises RegistrationProblem(registration_unknown)."""
    row = session.scalars(select(Registration).where(Registration.public_id == public_id)).one_or_none()
    if row is None:
        raise RegistrationProblem("registration_unknown", "There is no registration with this id.")
    return row


def list_all(session: Session, *, after: int = 0, limit: int = 200) -> list[Registration]:
    """Registrations by key, a page at a time."""
    query = select(Registration).where(Registration.id > after).order_by(Registration.id).limit(limit)
    return list(session.scalars(query))


def facts_by_public_id(session: Session, public_id: str) -> RegistrationFacts | None:
    """The facts of one registration, whatever its state."""
    if not is_storable(public_id):
        return None
    row = session.connection().execute(_BY_PUBLIC_ID, {"public_id": public_id}).one_or_none()
    return None if row is None else RegistrationFacts.of(row)


# login


def find_for_login(
    session: Session, issuer: str, client_id: str | None, public_id: str | None
) -> RegistrationFacts:
    """The one approved registration that a login means (LTI Core 4.1.3). Raises LtiRefused.

    By its own login URL, else by client id, else because the issuer has no other.
    """
    if public_id is not None:
        facts = _by_own_url(session, issuer, client_id, public_id)
    else:
        facts = _by_issuer(_of_issuer(session, issuer), client_id)
    if not facts.is_approved:
        refused = LtiRefused("registration_inactive")
        refused.registration_id, refused.origins = facts.public_id, facts.frame_origins()
        raise refused
    return facts


def _by_own_url(session: Session, issuer: str, client_id: str | None, public_id: str) -> RegistrationFacts:
    facts = facts_by_public_id(session, public_id)
    if facts is None:
        raise LtiRefused("registration_unknown", status=404)
    if facts.issuer != issuer:
        raise LtiRefused("login_conflict" if _of_issuer(session, issuer) else "registration_unknown")
    if client_id is not None and facts.client_id != client_id:
        raise LtiRefused("login_conflict")
    return facts


def _by_issuer(candidates: list[RegistrationFacts], client_id: str | None) -> RegistrationFacts:
    if client_id is not None:
        candidates = [facts for facts in candidates if facts.client_id == client_id]
    if not candidates:
        raise LtiRefused("registration_unknown")
    approved = [facts for facts in candidates if facts.is_approved]
    if len(approved) > 1 or any(facts.separate_site for facts in approved):
        raise LtiRefused("registration_ambiguous")
    return approved[0] if approved else candidates[0]


def _of_issuer(session: Session, issuer: str) -> list[RegistrationFacts]:
    if not is_storable(issuer):
        return []
    rows = session.connection().execute(_BY_ISSUER, {"issuer": issuer})
    # Whatever a database thinks equal, an issuer is compared letter by letter.
    return [facts for row in rows if (facts := RegistrationFacts.of(row)).issuer == issuer]


# deployments


def approve_deployment(
    session: Session, public_id: str, deployment_id: str, *, organization_id: int | None, clock: Clock
) -> Deployment:
    """Let a deployment launch, noted before or not, and give it to an organization (else the registration's
    own).
    """
    registration = get(session, public_id)
    row = session.scalars(_deployment(registration.id, deployment_id)).one_or_none()
    if row is None:
        row = Deployment(registration_id=registration.id, deployment_id=deployment_id, created_at=clock.now())
        session.add(row)
    row.state = "approved"
    row.organization_id = organization_id or row.organization_id or registration.organization_id
    session.flush()
    return row


def disable_deployment(session: Session, public_id: str, deployment_id: str) -> Deployment:
    """Shut one deployment out. Raises RegistrationProblem(deployment_unknown)."""
    row: Deployment | None = session.scalars(
        _deployment(get(session, public_id).id, deployment_id)
    ).one_or_none()
    if row is None:
        raise RegistrationProblem("deployment_unknown", "This registration has no such deployment.")
    row.state = "disabled"
    session.flush()
    return row


def deployments(session: Session, public_id: str) -> list[Deployment]:
    """All deployments of a registration, noted ones included."""
    query = select(Deployment).where(Deployment.registration_id == get(session, public_id).id)
    return list(session.scalars(query.order_by(Deployment.id)))


def note_deployment(session: Session, registration_row_id: int, deployment_id: str, clock: Clock) -> bool:
    """Remember a deployment that a signed launch named; nothing opens by it. False when enough are noted."""
    if session.scalars(_deployment(registration_row_id, deployment_id)).one_or_none() is not None:
        return True
    noted = select(func.count()).where(
        Deployment.registration_id == registration_row_id, Deployment.state == "noted"
    )
    if (session.scalar(noted) or 0) >= NOTED_AT_MOST:
        return False
    session.add(
        Deployment(
            registration_id=registration_row_id,
            deployment_id=deployment_id,
            state="noted",
            created_at=clock.now(),
        )
    )
    session.flush()
    return True


def allow_service_host(session: Session, public_id: str, host: str) -> Registration:
    """Let service and return URLs of this registration use one more host[:port] (`*.` wildcard allowed)."""
    _check_host(host)
    row = get(session, public_id)
    row.service_hosts = sorted({*row.service_hosts, host.lower()})
    noted = session.scalars(select(NotedHost).where(NotedHost.registration_id == row.id))
    for one in noted.all():
        name, port = split_host(one.host)
        if host_matches(name, port or 443, row.service_hosts):
            session.delete(one)
    session.flush()
    return row


def destination_of(registration_row_id: int) -> str:
    """The outbox's name for the platform of a registration."""
    return f"{_DESTINATION}{registration_row_id}"


def is_platform(destination: str) -> bool:
    """Whether the outbox means a platform by this name."""
    return destination.startswith(_DESTINATION)


def note_host(session: Session, registration_row_id: int, host: str, named_for: str, clock: Clock) -> bool:
    """Remember a host that a signed message named; nothing opens by it. False when enough are noted."""
    same = select(NotedHost).where(NotedHost.registration_id == registration_row_id, NotedHost.host == host)
    if session.scalars(same).one_or_none() is not None:
        return True
    noted = select(func.count()).where(NotedHost.registration_id == registration_row_id)
    if (session.scalar(noted) or 0) >= HOSTS_AT_MOST:
        return False
    session.add(
        NotedHost(registration_id=registration_row_id, host=host, named_for=named_for, created_at=clock.now())
    )
    session.flush()
    return True


def noted_hosts(session: Session, public_id: str) -> list[NotedHost]:
    """Hosts that signed messages of this platform named and that it may not use, oldest first."""
    query = select(NotedHost).where(NotedHost.registration_id == get(session, public_id).id)
    return list(session.scalars(query.order_by(NotedHost.id)))


def set_any_deployment(session: Session, public_id: str, any_deployment: bool) -> None:
    """Whether unknown deployments are approved into the registration's own organization by their first
    launch.
    """
    session.execute(
        update(Registration).where(Registration.public_id == public_id).values(any_deployment=any_deployment)
    )


# parts


def _same(issuer: str, client_id: str) -> Any:
    return select(Registration).where(Registration.issuer == issuer, Registration.client_id == client_id)


def _deployment(registration_row_id: int, deployment_id: str) -> Any:
    same: ColumnElement[bool] = Deployment.deployment_id == deployment_id
    return select(Deployment).where(Deployment.registration_id == registration_row_id, same)


def _check(new: NewRegistration, allow_hosts: Sequence[str]) -> None:
    if new.lms not in LMS_KINDS:
        raise RegistrationProblem("invalid", f"The LMS is one of {', '.join(LMS_KINDS)}.")
    texts = {"name": new.name, "issuer": new.issuer, "client id": new.client_id}
    for what, text in texts.items():
        if not text.strip() or len(text) > 255:
            raise RegistrationProblem("invalid", f"The {what} is missing or too long.")
    for deployment_id in new.deployment_ids:
        if not deployment_id or len(deployment_id) > 255:
            raise RegistrationProblem("invalid", "A deployment id has 1 to 255 characters.")
    urls = {
        "issuer": new.issuer,
        "authorization URL": new.auth_url,
        "token URL": new.token_url,
        "JWKS URL": new.jwks_url,
    }
    for what, url in urls.items():
        try:
            check_url(url, allow_hosts)
        except OutgoingError as error:
            message = f"The {what} must be an https address (plain http is for MICROCRED_ALLOW_HOSTS only)."
            raise RegistrationProblem("url_not_allowed", message) from error
    for host in new.service_hosts:
        _check_host(host)


def _check_host(host: str) -> None:
    name, _port = split_host(host)
    bare = name.removeprefix("*.")
    if not bare or "*" in bare or any(c in "/@?#\\ " for c in bare) or (name != bare and "." not in bare):
        raise RegistrationProblem("url_not_allowed", f"{host!r} is no host name (host[:port], or *.host).")


_TABLE = Registration.__table__
_BY_ISSUER = select(*COLUMNS).where(_TABLE.c.issuer == bindparam("issuer")).order_by(_TABLE.c.id).limit(1000)
_BY_PUBLIC_ID = select(*COLUMNS).where(_TABLE.c.public_id == bindparam("public_id"))
"""Written once: every login asks one of these, and building a statement takes longer than running it."""
