"""`microcred platform`: LMSs that may launch the tool."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool import features, invitations, registrations
from lti_tool.dialects.setting_up import SETUPS
from lti_tool.models import LMS_KINDS, Registration
from lti_tool.registrations import NewRegistration, RegistrationProblem
from microcred.app.cli.common import Failed, application, json_option, show_json, show_table
from microcred.app.wiring import Assembly
from microcred.operations import platforms
from microcred.people import audit, ensure_organization, home_organization, organization_by_code
from microcred.people.models import Organization


@click.group()
def platform() -> None:
    """LMSs that may launch the tool."""


@platform.command()
@click.option("--name", required=True, help="How operators call this LMS.")
@click.option("--lms", required=True, type=click.Choice(LMS_KINDS), help="Chooses the dialect.")
@click.option("--issuer", required=True)
@click.option("--client-id", required=True)
@click.option("--auth-url", required=True, help="OIDC authorization endpoint.")
@click.option("--token-url", required=True)
@click.option("--jwks-url", required=True)
@click.option("--organization", "code", help="Code of the organization it belongs to (default: home).")
@click.option("--token-audience", help="`aud` of client assertions where it is not the token URL.")
@click.option("--trusted-audience", "trusted_audiences", multiple=True)
@click.option("--service-host", "service_hosts", multiple=True, help="host[:port], `*.` wildcard allowed.")
@click.option("--deployment-id", "deployment_ids", multiple=True)
@click.option(
    "--any-deployment", is_flag=True, help="Approve new deployments into the registration's organization."
)
@click.option("--separate-site", is_flag=True, help="Shares issuer and client id with another registration.")
@click.option("--test-site", "is_test_site", is_flag=True, help="Full flow, but nothing earned there counts.")
@json_option
def add(code: str | None, as_json: bool, **values: Any) -> None:
    """Register a platform, approved at once."""
    with _managed() as (app, session):
        organization = _organization(session, code, app)
        row = registrations.add(
            session,
            NewRegistration(**values),
            organization_id=organization.id,
            clock=app.clock,
            allow_hosts=app.settings.allow_hosts,
        )
        audit.record(
            session,
            at=app.clock.now(),
            actor_id=None,
            action="platform_added",
            subject=("registration", row.id),
        )
        shown = _addresses(app, row)
    _show(shown, as_json)


@platform.command("list")
@json_option
def list_(as_json: bool) -> None:
    """All registrations with their deployments."""
    with application() as app, app.database.reading() as session:
        shown = [_described(app, session, row) for row in registrations.list_all(session, limit=10_000)]
    if as_json:
        show_json(shown)
    else:
        show_table(
            ("Registration", "Name", "LMS", "State", "Issuer", "Client id", "Deployments"),
            [
                (
                    r["registration_id"],
                    r["name"],
                    r["lms"],
                    r["state"],
                    r["issuer"],
                    r["client_id"],
                    ", ".join(f"{d['deployment_id']} ({d['state']})" for d in r["deployments"]),
                )
                for r in shown
            ],
        )


@platform.command()
@click.argument("registration_id")
@json_option
def show(registration_id: str, as_json: bool) -> None:
    """One registration, whole."""
    with _managed() as (app, session):
        shown = _described(app, session, registrations.get(session, registration_id))
    _show(shown, as_json)


@platform.command()
@click.argument("registration_id")
@click.option("--deployment-id", help="Approve this deployment instead of the whole registration.")
@click.option("--service-host", help="Approve this host for service and return addresses instead.")
@click.option("--organization", "code", help="The organization that the platform or deployment is given to.")
@json_option
def approve(
    registration_id: str,
    deployment_id: str | None,
    service_host: str | None,
    code: str | None,
    as_json: bool,
) -> None:
    """Let a pending platform in, or one of its deployments, or one more host of it."""
    if deployment_id is not None and service_host is not None:
        raise click.UsageError("--deployment-id and --service-host are two decisions; make one at a time.")
    with _managed() as (app, session):
        organization_id = _organization(session, code, app).id if code else None
        if service_host is not None:
            row = registrations.allow_service_host(session, registration_id, service_host)
            action = "platform_host_added"
        elif deployment_id is not None:
            registrations.approve_deployment(
                session, registration_id, deployment_id, organization_id=organization_id, clock=app.clock
            )
            row, action = registrations.get(session, registration_id), "platform_approved"
        else:
            if organization_id is not None:
                registrations.give(session, registration_id, organization_id)
            row = platforms.let_in(session, registration_id, app.clock.now())
            action = "platform_approved"
        shown = _changed(app, session, row, action)
    _show(shown, as_json)


@platform.command()
@click.option("--lms", required=True, type=click.Choice(LMS_KINDS), help="The LMS it is for.")
@click.option("--organization", "code", help="Code of the organization it is for (default: home).")
@json_option
def invite(lms: str, code: str | None, as_json: bool) -> None:
    """Print a one-use address for dynamic registration, good for seven days."""
    with _managed() as (app, session):
        organization = _organization(session, code, app)
        secret, expires_at = invitations.invite(
            session, organization_id=organization.id, lms=lms, now=app.clock.now()
        )
        audit.record(
            session,
            at=app.clock.now(),
            actor_id=None,
            action="platform_invited",
            subject=("organization", organization.id),
            detail={"lms": lms},
        )
        shown = {
            "url": f"{app.lti.settings.register_url}?invitation={secret}",
            "lms": lms,
            "organization": organization.code,
            "expires_at": expires_at,
        }
    _show(shown, as_json)


@platform.command()
@click.argument("lms", type=click.Choice(sorted(SETUPS)))
def config(lms: str) -> None:
    """Print what an administrator of this LMS pastes, with the addresses of PUBLIC_URL, as JSON."""
    with application() as app:
        show_json(SETUPS[lms](app.lti.settings))


@platform.command()
@click.argument("registration_id")
@json_option
def disable(registration_id: str, as_json: bool) -> None:
    """Shut a platform out; its open pages end with their next request."""
    with _managed() as (app, session):
        shown = _changed(app, session, platforms.shut_out(session, registration_id), "platform_disabled")
    _show(shown, as_json)


@platform.command()
@click.argument("registration_id")
@json_option
def enable(registration_id: str, as_json: bool) -> None:
    """Let a disabled platform in again."""
    with _managed() as (app, session):
        row = platforms.let_in(session, registration_id, app.clock.now())
        shown = _changed(app, session, row, "platform_enabled")
    _show(shown, as_json)


@contextmanager
def _managed() -> Iterator[tuple[Assembly, Session]]:
    """The application and one writing transaction; an operator's mistake becomes one sentence."""
    try:
        with application() as app, app.database.writing() as session:
            yield app, session
    except RegistrationProblem as problem:
        raise Failed(problem.message) from problem


def _organization(session: Session, code: str | None, app: Assembly) -> Organization:
    if code is None:
        return home_organization(session, app.clock.now())
    return organization_by_code(session, code) or ensure_organization(
        session, code=code, name=code, kind="district", now=app.clock.now()
    )


def _changed(app: Assembly, session: Session, row: Registration, action: str) -> dict[str, Any]:
    audit.record(session, at=app.clock.now(), actor_id=None, action=action, subject=("registration", row.id))
    return _described(app, session, row)


def _addresses(app: Assembly, row: Registration) -> dict[str, Any]:
    settings = app.lti.settings
    return {
        "registration_id": row.public_id,
        "login_url": settings.login_url(row.public_id),
        "launch_url": settings.launch_url,
        "jwks_url": settings.jwks_url,
        "deep_link_url": settings.deep_link_url,
    }


def _described(app: Assembly, session: Session, row: Registration) -> dict[str, Any]:
    names = (
        *(
            "name",
            "lms",
            "state",
            "issuer",
            "client_id",
            "auth_url",
            "token_url",
            "jwks_url",
            "token_audience",
        ),
        *(
            "trusted_audiences",
            "service_hosts",
            "algorithms",
            "any_deployment",
            "separate_site",
            "is_test_site",
            "scopes",
            "expires_at",
        ),
    )
    codes = {o.id: o.code for o in session.scalars(select(Organization))}
    deployments = [
        {
            "deployment_id": d.deployment_id,
            "state": d.state,
            "organization": codes.get(d.organization_id) if d.organization_id else None,
        }
        for d in registrations.deployments(session, row.public_id)
    ]
    noted = [
        {"host": one.host, "named_for": one.named_for, "noted_at": one.created_at}
        for one in registrations.noted_hosts(session, row.public_id)
    ]
    return (
        _addresses(app, row)
        | {name: getattr(row, name) for name in names}
        | {
            "unavailable": [feature.words for feature in features.unavailable(row.scopes)],
            "organization": codes[row.organization_id],
            "deployments": deployments,
            "noted_hosts": noted,
        }
    )


def _show(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(shown)
    else:
        for name, value in shown.items():
            click.echo(f"{name}: {value}")
